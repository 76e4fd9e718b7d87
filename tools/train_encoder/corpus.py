"""Training examples for the encoder: wordings, what the recognizer made of them, and honest ways in which people vary them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import voice
from intents import compile
from intents.pack import Example, load_pack
from intents.text import normalise

FILLERS = (
    "um",
    "uh",
    "er",
    "well",
    "so",
    "okay",
    "please",
    "you know",
    "i mean",
    "right",
    "now",
    "listen",
    "hello",
    "sorry",
    "excuse me",
    "like",
)
JOINTS = ("and", "and", "but", "so", "oh and", "also", "because", "um", "")
QUESTIONS_ASIDE = ("oos:counter", "oos:talk")
"""What may surround a question without changing its id."""


COMMON_WORDS = frozenset((Path(voice.__file__).parent / "data" / "common_words.txt").read_text("utf-8").split())
_TELLS_NOTHING = frozenset(
    " ".join(
        (
            "a an and as at but for he her him his i in is it its me my of on or she",
            "so that the them they this to was we you your",
        )
    ).split()
)
"""Words of short danger signs that say nothing by themselves."""
_ASKS = frozenset(["how", "what", "when", "where", "which", "who", "why"])

Confusions = dict[tuple[str, ...], list[tuple[str, ...]]]


def wordings(packs: Sequence[Path]) -> list[Example]:
    """Every wording of the packs."""
    return [example for folder in packs for example in load_pack(folder).examples]


def background() -> list[Example]:
    """What most talk is about: anything else."""
    return list(compile.background())


def fragments(sentences: Sequence[Example], known: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    """Runs of one to four everyday words out of `sentences`, labelled as those are: what is left when most of a sentence wasn't heard.

    Without them a lone "the" is like nothing that was ever learned, and may be taken for anything, a danger sign too. Words of
    short danger signs are left out: "numb" by itself means what it says. So are wordings of the pack ("go on"), and a lone "why".
    """
    short = (sample.text.split() for sample in known if sample.label.startswith(("urgent", "provider")))
    telling = {word for words in short if len(words) <= 3 for word in words} - _TELLS_NOTHING
    everyday = COMMON_WORDS - telling
    meant = _ASKS | {sample.text for sample in known}
    found: dict[str, Example] = {}
    while len(found) < count:
        sample = rng.choice(sentences)
        words = sample.text.split()
        size = rng.randint(1, min(4, len(words)))
        at = rng.randint(0, len(words) - size)
        text = " ".join(words[at : at + size])
        if text not in meant and everyday.issuperset(words[at : at + size]):
            found[text] = Example(text, sample.label, sample.section, sample.writer)
    return list(found.values())


def heard(files: Iterable[Path], known: Sequence[Example]) -> list[Example]:
    """What the recognizer made of wordings: JSON lines with `text`, `heard` (readings, best first). Unknown texts are left out."""
    labels = {sample.text: sample for sample in known}
    found: list[Example] = []
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            sample = labels.get(normalise(row["text"]))
            for reading in row["heard"][:2] if sample else ():
                text = normalise(reading)
                # A reading that lost nearly all words says nothing any more: learning it would only teach to guess.
                if sample and text != sample.text and len(text.split()) * 2 >= len(sample.text.split()):
                    found.append(Example(text, sample.label, sample.section, sample.writer))
    return list(dict.fromkeys(found))


def confusions(files: Iterable[Path]) -> Confusions:
    """Stretches of one or two words → what the recognizer made of them, as often as it did, from the same files as `heard`."""
    table: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            said = normalise(row["text"]).split()
            for reading in row["heard"][:1]:
                made = normalise(reading).split()
                for tag, i, j, k, m in SequenceMatcher(None, said, made, autojunk=False).get_opcodes():
                    if tag == "replace" and j - i <= 2 and m - k <= 3:
                        table.setdefault(tuple(said[i:j]), []).append(tuple(made[k:m]))
    return table


def misheard(words: list[str], rng: random.Random, table: Confusions, rate: float = 0.25) -> list[str]:
    """The words as they might be heard: each stretch that was ever misheard may be misheard again, and short words get lost."""
    out: list[str] = []
    i = 0
    while i < len(words):
        size = next((n for n in (2, 1) if i + n <= len(words) and tuple(words[i : i + n]) in table), 0)
        if size and rng.random() < rate:
            out += rng.choice(table[tuple(words[i : i + size])])
            i += size
        elif len(words[i]) <= 3 and rng.random() < rate / 4:
            i += 1
        else:
            out.append(words[i])
            i += 1
    return out or words


def varied(
    sample: Example, rng: random.Random, pool: dict[str, list[Example]], table: Confusions | None = None
) -> Example:
    """A fresh variant: hesitations, restarts, a lost word, something else said in the same breath."""
    words = sample.text.split()
    label = sample.label
    if rng.random() < 0.12 and len(words) > 4:
        words = [word for word in words if rng.random() > 0.1] or words
    if rng.random() < 0.2:
        words.insert(rng.randrange(len(words) + 1), rng.choice(FILLERS))
    if rng.random() < 0.06 and len(words) > 3:
        words = [*words[:2], "um", *words]
    if rng.random() < 0.18 and sample.section in ("question", "urgent", "counter"):
        words, label = _joined(words, label, sample.section, rng, pool)
    if table and rng.random() < 0.25:
        words = misheard(words, rng, table)
    return Example(" ".join(words), label, sample.section, sample.writer)


def _joined(
    words: list[str], label: str, section: str, rng: random.Random, pool: dict[str, list[Example]]
) -> tuple[list[str], str]:
    """Two things in one breath: a danger outweighs a question, a question outweighs an aside."""
    if label.startswith("urgent"):
        other = rng.choice(pool["question"])
    elif section == "question":
        other = rng.choice(pool["aside"] if rng.random() < 0.65 else pool["urgent"])
        label = other.label if other.label.startswith("urgent") else label
    else:
        return words, label
    extra = other.text.split()
    joint = rng.choice(JOINTS).split()
    return ([*words, *joint, *extra] if rng.random() < 0.5 else [*extra, *joint, *words]), label


def pools(samples: Sequence[Example]) -> dict[str, list[Example]]:
    """Material for `varied`."""
    short = [sample for sample in samples if len(sample.text.split()) <= 16]
    return {
        "question": [sample for sample in short if sample.section == "question"],
        "urgent": [sample for sample in short if sample.label.startswith("urgent")],
        "aside": [sample for sample in short if sample.label in QUESTIONS_ASIDE],
    }
