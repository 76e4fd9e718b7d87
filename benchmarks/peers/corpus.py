"""What is learned from and what is tried: the pack's wordings, the test writers' wordings and the recordings of them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.peers.peer import Pair
from intents.pack import Example, bundled, load_packs, read_wordings
from voice.commands.examples import label, manifest_line
from voice.evaluate.manifest import Line, keep, parse_line, read_manifest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "audio_fixtures" / "manifest.jsonl"
TEST_WRITERS = ROOT / "audio_fixtures" / "wordings"

_Item = TypeVar("_Item")


def training(packs: Sequence[Path] = ()) -> tuple[Example, ...]:
    """Every wording of the packs, by default of the first that comes with Backtalk. Raises PackError."""
    return tuple(example for pack in load_packs(tuple(packs) or bundled()[:1]) for example in pack.examples)


def pairs(examples: Iterable[Example]) -> list[Pair]:
    """Text and public label of each, doubles left out, in the same order."""
    return list(dict.fromkeys((example.text, label(example)) for example in examples if example.text))


def lines_of(examples: Iterable[Example]) -> list[Line]:
    """The wordings as lines to evaluate."""
    return [
        parse_line(number, json.dumps(manifest_line(one)), ROOT) for number, one in enumerate(examples, 1) if one.text
    ]


def tried_writers(folder: Path = TEST_WRITERS) -> list[Line]:
    """What the test writers wrote, word for word; in no pack. Raises PackError."""
    return lines_of(example for path in sorted(folder.glob("*.toml")) for example in read_wordings(path))


def tried_audio(manifest: Path = FIXTURES, split: str = "test") -> list[Line]:
    """The recordings of the test part. Raises InputError."""
    return [line for line in keep(read_manifest(manifest).lines, [f"split={split}"]) if line.audio is not None]


def sample(items: Sequence[_Item], most: int | None, key: Callable[[_Item], tuple[str, ...]]) -> list[_Item]:
    """At most `most` items, spread evenly over `key` (its first words group, all of it orders); the same ones each time."""
    if most is None or most >= len(items):
        return list(items)
    ordered = sorted(items, key=lambda item: (key(item)[:-1], _scatter(key(item)[-1])))
    return [ordered[int((number + 0.5) * len(ordered) / most)] for number in range(most)]


def line_key(line: Line) -> tuple[str, ...]:
    """Recordings are spread over their conditions first: some are far harder than others."""
    return (str(line.extra.get("condition", "")), line.kind, line.label, line.topic or "", line.name)


def pair_key(pair: Pair) -> tuple[str, ...]:
    return (pair[1], pair[0])


def _scatter(text: str) -> str:
    """An order that has nothing to do with the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def by_label(examples: Iterable[Pair]) -> dict[str, list[str]]:
    """Label → its texts."""
    table: dict[str, list[str]] = defaultdict(list)
    for text, name in examples:
        table[name].append(text)
    return dict(table)
