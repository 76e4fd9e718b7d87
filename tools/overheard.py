"""What Backtalk would do about talk that isn't meant for it: any texts, sentence by sentence, each in a new conversation.

    python -m tools.overheard FILE...    # for instance the files of Debian's package fortunes: quotations, jokes, verse

Prints how many were warned of, asked about, answered, carried out and turned away, and the hours that the words would take to say.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # as in voice.cli: before numpy is first imported
    os.environ.setdefault(_name, "1")

WORDS_PER_HOUR = 9_000
"""150 a minute, an unhurried speaker."""
LEAST_WORDS, MOST_WORDS = 2, 40
_SOURCE = re.compile(r"\n\s*--.*", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?\"])\s+")


def sentences(text: str) -> Iterator[str]:
    """Sentences of a text; where it is a list of quotations (lines of "%" between), without their sources."""
    for part in text.split("\n%\n"):
        for sentence in _SENTENCE_END.split(" ".join(_SOURCE.sub("", part).split())):
            words = re.sub(r"[^A-Za-z' ]", " ", sentence).split()
            if LEAST_WORDS <= len(words) <= MOST_WORDS:
                yield " ".join(words)


def outcomes(texts: Iterable[str]) -> tuple[Counter[str], list[str]]:
    """How many sentences had each outcome, and those that were warned of."""
    from intents.conversation import Conversation
    from intents.heard import Heard
    from intents.schema import URGENT
    from intents.understand import Understander

    understander = Understander.load()
    counted: Counter[str] = Counter()
    warned = []
    for text in texts:
        reply = Conversation(understander).reply(Heard.from_text(text))
        counted["words"] += len(text.split())
        counted["sentences"] += 1
        if reply.urgent:
            warned.append(text)
        elif reply.action == "clarify" and reply.choices[0] in URGENT:
            counted["asked about a danger"] += 1
        else:
            counted[reply.action] += 1
    counted["warned"] = len(warned)
    return counted, warned


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--each", default=1, help="Only every so manieth sentence.")
@click.option("--show", is_flag=True, help="The sentences that were warned of, too.")
def main(files: tuple[Path, ...], each: int, show: bool) -> None:
    """Prints what would be done about the sentences in FILES."""
    texts = [sentence for file in files for sentence in sentences(file.read_text("utf-8", errors="replace"))][::each]
    counted, warned = outcomes(texts)
    click.echo(f"{counted['sentences']} sentences, {counted.pop('words') / WORDS_PER_HOUR:.1f} hours of talk")
    for name, number in counted.most_common():
        if name != "sentences":
            click.echo(f"{name}: {number} = {100 * number / max(1, counted['sentences']):.2f} %")
    for text in warned if show else ():
        click.echo(text)


if __name__ == "__main__":
    main()
