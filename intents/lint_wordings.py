"""Are the wordings enough, from several people, and does each mean one thing?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from intents.finding import Finding, Level
from intents.pack import Example, Pack, wording_files
from intents.schema import COMMANDS, OUT_OF_SCOPE, PROVIDER_SOON, SCOPES, URGENT
from intents.text import normalise

LEAST_WORDINGS, LEAST_WRITERS = 15, 2
ALIKE = 94.0
"""rapidfuzz ratio from which two wordings are nearly the same."""
SHORTER = ALIKE / (200 - ALIKE)
"""How long the shorter of two wordings must at least be, as a share of the other, for that ratio: most pairs needn't be compared."""
SHORTEST_ALIKE = 3
"""Words; shorter ones are alike by chance ("it does", "it was")."""
CHUNK = 500
"""Wordings compared with all others at a time."""
COPIED = 8
"""Words from which the same sentence of two writers is no chance."""
MOST_PAIRS = 200
"""Clashing pairs that are named one by one."""
_TELLING = """
no not can't cannot won't don't doesn't didn't isn't aren't wasn't couldn't wouldn't never without less more better worse slower faster
louder quieter if what how why when where which who first second yes up down before after my your his her a was were is did used
"""
TELLING = frozenset(_TELLING.split())
"""Words that turn a sentence into another one: two that differ in one of these are rightly apart."""

Group = Sequence[tuple[Path, Example]]


def lint_coverage(pack: Pack, group: Group) -> Iterator[Finding]:
    """Enough wordings and writers for each question; none for ids that don't exist. `group`: the pack's own."""
    folder = pack.folder / "wordings"
    counts: dict[str, int] = defaultdict(int)
    writers: dict[str, set[str]] = defaultdict(set)
    files: dict[str, set[Path]] = defaultdict(set)
    for path, example in group:
        files[example.writer].add(path)
        if not example.text:
            yield Finding(
                "error", path, f"{example.section}.{example.label}", "a wording has no words that can be heard"
            )
        if any(char.isdigit() for char in example.text):
            yield Finding(
                "advice", path, f"{example.section}.{example.label}", f'write numbers as words: "{example.text}"'
            )
        if "todo" in (example.writer.lower(), *example.text.split()[:1]):  # it is a word of Spanish elsewhere
            yield Finding(
                "error",
                path,
                f"{example.section}.{example.label}",
                "the writer or a wording is still to be written (TODO)",
            )
        if reason := _unknown(pack, example):
            yield Finding("error", path, f"{example.section}.{example.label}", reason)
        if example.section == "question":
            counts[example.label] += 1
            writers[example.label].add(example.writer)
    for name in pack.answers:
        if not counts[name]:
            yield Finding("error", folder, name, "has an answer and no wordings, so nobody can ask for it")
        elif counts[name] < LEAST_WORDINGS:
            yield Finding("error", folder, name, f"has {counts[name]} wordings; at least {LEAST_WORDINGS} are needed")
        if counts[name] and len(writers[name]) < LEAST_WRITERS:
            yield Finding("error", folder, name, f"has wordings of one writer; at least {LEAST_WRITERS} are needed")
    for writer, paths in files.items():
        if len(paths) > 1:
            named = ", ".join(sorted(path.name for path in paths))
            yield Finding(
                "error", folder, "writer", f"{writer} is the writer of several files ({named}); one file a writer"
            )
    if not wording_files(pack.folder):
        yield Finding("error", folder, "", "has no wordings: one TOML file a writer")


def _unknown(pack: Pack, example: Example) -> str:
    label = example.label
    known: Mapping[str, Sequence[str]] = {
        "question": tuple(pack.answers),
        "urgent": (*URGENT, PROVIDER_SOON),
        "counter": (*pack.answers, *URGENT, PROVIDER_SOON, f"oos:{OUT_OF_SCOPE}", "oos:counter"),
        "command": COMMANDS,
        "oos": tuple(f"oos:{scope}" for scope in SCOPES),
    }
    if label in known[example.section]:
        return ""
    if example.section in ("question", "counter"):
        return "has wordings and no answer"
    return (
        f"is no id of this section; known are {', '.join(name.removeprefix('oos:') for name in known[example.section])}"
    )


def lint_clashes(group: Group, shared: Group = ()) -> Iterator[Finding]:
    """The same words, or nearly, under two labels. `group`: the pack's own wordings; `shared`: those that it is compiled with."""
    places: dict[str, dict[str, Path]] = defaultdict(dict)
    own = dict.fromkeys(example.text for _, example in group if example.text)
    for path, example in [*group, *shared]:
        if example.text:
            places[example.text].setdefault(example.label, path)
    for text in own:
        (first, path), *others = places[text].items()
        for label, other in others:
            yield Finding("error", path, first, f'"{text}" is also a wording of {label} in {other.name}')
    pairs = sorted(_alike([text for text in own if len(text.split()) >= SHORTEST_ALIKE], places), reverse=True)
    for score, one, two in pairs[:MOST_PAIRS]:
        (first, path), (second, other) = next(iter(places[one].items())), next(iter(places[two].items()))
        reason = f'"{one}" is nearly "{two}", a wording of {second} in {other.name} ({score:.0f} of 100 alike)'
        yield Finding("error", path, first, reason)


def _alike(texts: Sequence[str], places: Mapping[str, Mapping[str, Path]]) -> Iterator[tuple[float, str, str]]:
    """Pairs of one of `texts` and any other text, each pair once."""
    own = set(texts)
    candidates = [text for text in places if len(text.split()) >= SHORTEST_ALIKE]
    # A pair of own texts shows up with the shorter as the row: only what comes later is compared. All others are, shorter or not.
    own_sorted = sorted((text for text in candidates if text in own), key=len)
    others = sorted((text for text in candidates if text not in own), key=len)
    for start in range(0, len(own_sorted), CHUNK):
        rows = own_sorted[start : start + CHUNK]
        least, most = len(rows[0]) * SHORTER, len(rows[-1]) / SHORTER
        last = bisect_right(own_sorted, most, key=len)
        near = [
            *own_sorted[start:last],
            *others[bisect_left(others, least, key=len) : bisect_right(others, most, key=len)],
        ]
        scores = process.cdist(rows, near, scorer=fuzz.ratio, score_cutoff=ALIKE, dtype=np.float32, workers=-1)
        for i, j in zip(*np.nonzero(scores), strict=True):
            one, two = rows[i], near[j]
            later = j > i or two not in own
            if later and not places[one].keys() & places[two].keys() and not _told_apart(one, two):
                yield float(scores[i, j]), one, two


def _told_apart(one: str, two: str) -> bool:
    """Whether the words in which they differ include one that changes the meaning."""
    first, second = one.split(), two.split()
    return bool((set(first) ^ set(second)) & TELLING)


def lint_leak(group: Group, test_parts: Mapping[str, Path]) -> Iterator[Finding]:
    """Wordings of test writers that are in the pack: a measure by them would flatter.

    Two people who never met both say "can it be cured"; the same long sentence twice was copied.
    `test_parts`: normalised text → its file.
    """
    for path, example in group:
        if other := test_parts.get(example.text):
            level: Level = "advice" if len(example.text.split()) < COPIED else "error"
            yield Finding(
                level,
                path,
                f"{example.section}.{example.label}",
                f'"{example.text}" is in the test part too ({other.name})',
            )


def lint_hearing(
    group: Group, names: Sequence[str], unheard: frozenset[str], path: Path, aliases: Mapping[str, str]
) -> Iterator[Finding]:
    """Words that the speech model can never hear: it writes others in their place.

    `unheard`: the words of `vocabulary_needed` that are not in the model's vocabulary.
    `aliases`: word → what the model writes instead.
    """
    for name in names:
        missing = [word for word in name.split() if word in unheard]
        if missing and all(set(other.split()) & unheard for other in names):
            yield Finding(
                "error",
                path,
                "names",
                f'"{name}" can\'t be heard ({", ".join(missing)}), nor can any other name; add one as it is heard',
            )
    uses: dict[str, list[tuple[Path, Example]]] = defaultdict(list)
    alone: dict[str, set[bool]] = defaultdict(set)
    for file, example in group:
        found = set(example.text.split()) & unheard
        for word in sorted(found):
            uses[word].append((file, example))
        if example.section == "question":
            alone[example.label].add(bool(found))
    for label, states in alone.items():
        if states == {True}:
            yield Finding("error", path.parent / "wordings", label, "has no wording that can be heard whole")
    named = {word for name in names for word in name.split() if word in unheard}
    for word in sorted(uses.keys() | named, key=lambda word: (-len(uses[word]), word)):
        if word not in named and len({example.writer for _, example in uses[word]}) < LEAST_WRITERS:
            continue
        heard = f'; it writes something like "{aliases[word]}"' if word in aliases else ""
        where = f"used in {len(uses[word])} wordings" if uses[word] else "part of a name"
        yield Finding(
            "advice",
            uses[word][0][0] if uses[word] else path,
            word,
            f"the speech model does not know this word, {where}{heard}",
        )
    for file in dict.fromkeys(file for file, _ in group):
        rare = [
            word for word in uses if uses[word] and word not in named and {known for known, _ in uses[word]} == {file}
        ]
        if rare:
            yield Finding(
                "advice",
                file,
                "",
                f"the speech model does not know these words of this writer alone: {', '.join(sorted(rare))}",
            )


def vocabulary_needed(pack: Pack) -> tuple[str, ...]:
    """What hearing must know: the words of names and wordings, each once, names and those of most writers first.

    Raises PackError. A possessive or a contracted "is" counts as its noun: the model writes "bladders" or "bladder is" for "bladder's".
    """
    names = [word for name in pack.about.names for word in normalise(name).split()]
    writers: dict[str, set[str]] = defaultdict(set)
    for example in pack.examples:
        for word in example.text.split():
            writers[word].add(example.writer)
    every = list(dict.fromkeys([*names, *sorted(writers, key=lambda word: -len(writers[word]))]))
    return tuple(word for word in every if not (word.endswith("'s") and word.removesuffix("'s") in writers))
