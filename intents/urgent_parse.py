"""Patterns over words: a small matcher in linear time.

Every phrase of every concept is kept in one trie. A text is walked once, which gives the places of all concepts;
patterns then link places. Nothing backtracks over characters, every gap is bounded and every dead end is remembered,
so time grows with the text and no faster.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

WORD = re.compile(r"[a-z0-9']+")
END = "$"
"""The last word of every text that is searched; in a pattern, the end of what was said."""
_STEP = re.compile(r"^(?P<any>[^?]+)(?P<optional>\??)$")
_ENDINGS = frozenset({"s", "m", "ve", "re", "ll", "d"})
# letter by letter, because lower() of some letters is longer than they are and would move every place after them
_LOWER = {chr(65 + i): chr(97 + i) for i in range(26)} | {"’": "'", "‘": "'", "é": "e", "è": "e", "É": "e"}
MAX_VARIANTS = 64
"""How many forms the optional words of one pattern may give."""


class Token(NamedTuple):
    """One word and its place in the text, in characters."""

    text: str
    start: int
    end: int


class Step(NamedTuple):
    """One element of a pattern: up to `gap` other words, then a phrase of concept number `concept`."""

    gap: int
    concept: int


class Place(NamedTuple):
    """A match: words `start` to `end` (exclusive), the same for each step, and the pattern that matched."""

    start: int
    end: int
    steps: tuple[tuple[int, int], ...]
    pattern: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One compiled form of a pattern without optional parts."""

    steps: tuple[Step, ...]
    names: tuple[str, ...]
    """The steps as written, for templates."""
    needed: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """All forms of some patterns, any of which is enough."""

    forms: tuple[Pattern, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.forms)


class PatternError(ValueError):
    """A pattern that can't be compiled; the text says why."""


def tokens(text: str) -> list[Token]:
    """The words of a text in lower case; "leg's" and "I've" are two words each ("leg" "'s"), so that patterns need know
    one form only.
    """
    low = "".join(_LOWER.get(letter, letter) for letter in text) if not text.isascii() else text.lower()
    found: list[Token] = []
    for match in WORD.finditer(low):
        word, start, end = match.group().strip("'"), match.start(), match.end()
        stem, mark, ending = word.rpartition("'")
        if match.group()[0] == "'" and match.group()[1:] in _ENDINGS:  # the ending of a phrase written in two words
            found.append(Token(match.group(), start, end))
        elif mark and stem and ending in _ENDINGS:
            found += (Token(stem, start, end), Token(mark + ending, start, end))
        elif word:
            found.append(Token(word, start, end))
    return found


def plain(phrase: str) -> str:
    """A phrase as its words are matched."""
    return " ".join(token.text for token in tokens(phrase))


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    ids: tuple[int, ...] = ()


class Lexicon:
    """Concepts by number, and the trie of their phrases. Built once, then only read."""

    def __init__(self, concepts: Mapping[str, Iterable[str]]) -> None:
        self._phrases = {name: self._flat(name, concepts, ()) for name in concepts}
        self._numbers: dict[frozenset[str], int] = {}
        self._root = _Node()

    def _flat(self, name: str, concepts: Mapping[str, Iterable[str]], above: tuple[str, ...]) -> frozenset[str]:
        """A concept's phrases with `{other}` lines replaced by the phrases of that concept."""
        if name not in concepts:
            raise PatternError(f"there is no concept named {name!r}")
        if name in above:
            raise PatternError(f"concept {name!r} contains itself")
        found: set[str] = set()
        for phrase in concepts[name]:
            if phrase.startswith("{") and phrase.endswith("}"):
                found |= self._flat(phrase[1:-1], concepts, (*above, name))
            else:
                if not all(WORD.fullmatch(word) for word in phrase.split()):
                    raise PatternError(f"{phrase!r} in concept {name!r} is not lower-case words, or {{one concept}}")
                found.add(plain(phrase))
        return frozenset(found)

    def phrases(self, name: str) -> frozenset[str]:
        """All phrases of a concept."""
        if name not in self._phrases:
            raise PatternError(f"there is no concept named {name!r}")
        return self._phrases[name]

    def number(self, phrases: frozenset[str]) -> int:
        """The number under which these phrases are found; they are put into the trie when new."""
        known = self._numbers.get(phrases)
        if known is not None:
            return known
        number = len(self._numbers)
        self._numbers[phrases] = number
        for phrase in phrases:
            node = self._root
            for word in phrase.split():
                node = node.children.setdefault(word, _Node())
            node.ids = (*node.ids, number)
        return number

    def concept(self, name: str) -> int:
        return self.number(self.phrases(name))

    def ids(self, phrase: str) -> tuple[int, ...]:
        """The concepts that hold exactly this phrase."""
        node: _Node | None = self._root
        for word in phrase.split():
            node = node.children.get(word) if node is not None else None
        return node.ids if node else ()

    def words(self) -> frozenset[str]:
        """Every word of every phrase."""
        found: set[str] = set()
        stack = [self._root]
        while stack:
            node = stack.pop()
            found.update(node.children)
            stack.extend(node.children.values())
        return frozenset(found)

    def compile(self, pattern: str, blank: frozenset[str] = frozenset()) -> tuple[Pattern, ...]:
        """All forms of a pattern; `blank` is what `_` stands for. Raises PatternError."""
        parts: list[tuple[int, frozenset[str], str, bool]] = []
        gap = 0
        for step in pattern.split():
            if step.startswith(".."):
                if not step[2:].isdigit() or not parts:
                    raise PatternError(f"{step!r} in {pattern!r} must be '..' and a number, and not come first")
                gap += int(step[2:])
                continue
            matched = _STEP.match(step)
            if matched is None:
                raise PatternError(f"{step!r} in {pattern!r} is not an element")
            parts.append(
                (gap, self._alternatives(matched["any"], pattern, blank), matched["any"], bool(matched["optional"]))
            )
            gap = 0
        if gap or all(optional for *_, optional in parts):
            raise PatternError(f"{pattern!r} ends in a gap or needs nothing")
        choices = [(True, False) if optional else (True,) for *_, optional in parts]
        forms = list(product(*choices))
        if len(forms) > MAX_VARIANTS:
            raise PatternError(f"{pattern!r} has too many optional words")
        return tuple(self._form(parts, form) for form in forms)

    def _form(self, parts: Sequence[tuple[int, frozenset[str], str, bool]], kept: Sequence[bool]) -> Pattern:
        steps: list[Step] = []
        names: list[str] = []
        gap = 0
        for (before, phrases, name, _), keep in zip(parts, kept, strict=True):
            gap += before
            if keep:
                steps.append(Step(gap if steps else 0, self.number(phrases)))
                names.append(name.strip("{}"))
                gap = 0
        return Pattern(tuple(steps), tuple(names), frozenset(step.concept for step in steps))

    def _alternatives(self, text: str, pattern: str, blank: frozenset[str]) -> frozenset[str]:
        found: set[str] = set()
        for one in text.split("|"):
            if one == "_":
                if not blank:
                    raise PatternError(f"'_' in {pattern!r} is only for the context of a confusion")
                found |= blank
            elif one.startswith("{") and one.endswith("}"):
                found |= self.phrases(one[1:-1])
            elif one == END:
                found.add(END)
            elif all(WORD.fullmatch(word) for word in one.split("_")):
                found.add(plain(one.replace("_", " ")))
            else:
                raise PatternError(f"{one!r} in {pattern!r} is neither words (joined by _) nor {{a concept}}")
        return frozenset(found)

    def places(self, words: Sequence[str]) -> dict[int, dict[int, list[int]]]:
        """Where concepts occur: number → first word → ends (exclusive)."""
        found: dict[int, dict[int, list[int]]] = {}
        top = self._root.children
        for start, word in enumerate(words):
            node = top.get(word)
            end = start + 1
            while node is not None:
                for number in node.ids:
                    found.setdefault(number, {}).setdefault(start, []).append(end)
                node = node.children.get(words[end]) if end < len(words) else None
                end += 1
        return found


class Reading:
    """One text being searched: its words, the places of concepts, and the answers that were already worked out."""

    def __init__(self, words: Sequence[str], lexicon: Lexicon, gap_stop: int, clause_break: int) -> None:
        self.words = words
        self.places = lexicon.places(words)
        self.misheard: dict[tuple[int, int, int], float] = {}
        """(concept, start, end) → weight, for places that are there only by a mishearing."""
        self._stops = self._count(gap_stop)
        self._breaks = self._count(clause_break)
        self._found: dict[Patterns, list[Place]] = {}

    def _count(self, number: int) -> list[int]:
        """Running count of the places of a concept: item n counts those before word n."""
        places = self.places.get(number, {})
        counts = [0]
        for position in range(len(self.words)):
            counts.append(counts[-1] + (position in places))
        return counts

    def add(self, number: int, start: int, end: int, weight: float) -> None:
        """A place that was not in the words but may have been in the speech."""
        ends = self.places.setdefault(number, {}).setdefault(start, [])
        if end not in ends:
            ends.append(end)
            self.misheard[(number, start, end)] = weight

    def find(self, patterns: Patterns) -> list[Place]:
        """Every match of any of the patterns, in order of its first word."""
        known = self._found.get(patterns)
        if known is None:
            present = self.places.keys()
            known = [place for form in patterns.forms if form.needed <= present for place in self.matches(form)]
            known.sort(key=lambda place: place.start)
            self._found[patterns] = known
        return known

    def matches(self, pattern: Pattern) -> Iterator[Place]:
        """The matches of one pattern, the shortest for each first word."""
        dead: set[tuple[int, int]] = set()
        for start in sorted(self.places.get(pattern.steps[0].concept, ())):
            steps = self._follow(pattern, 0, start, dead)
            if steps is not None:
                yield Place(start, steps[-1][1], tuple(steps), pattern)

    def _follow(
        self, pattern: Pattern, index: int, position: int, dead: set[tuple[int, int]]
    ) -> list[tuple[int, int]] | None:
        if (index, position) in dead:
            return None
        step = pattern.steps[index]
        starts = self.places.get(step.concept, {})
        for start in range(position, min(position + step.gap, len(self.words) - 1) + 1):
            if start > position and self._stops[start] > self._stops[position]:
                break
            for end in starts.get(start, ()):
                if index + 1 == len(pattern.steps):
                    return [(start, end)]
                rest = self._follow(pattern, index + 1, end, dead)
                if rest is not None:
                    return [(start, end), *rest]
        dead.add((index, position))
        return None

    def any_between(self, number: int, start: int, end: int) -> bool:
        """Whether the concept has a place that begins in words `start` to `end` (exclusive)."""
        places = self.places.get(number)
        if not places:
            return False
        return any(position in places for position in range(max(start, 0), min(end, len(self.words))))

    def around(self, number: int, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The places (longest for each first word) of a concept that begin in words `start` to `end` (exclusive)."""
        places = self.places.get(number)
        if places:
            for position in range(max(start, 0), min(end, len(self.words))):
                if position in places:
                    yield position, max(places[position])

    def stopped(self, start: int, end: int) -> bool:
        """Whether a word that divides clauses stands in words `start` to `end` (exclusive)."""
        return start < end and self._breaks[end] > self._breaks[start]

    def weight(self, place: Place) -> float:
        """1, or the product of the weights of the mishearings that a match rests on."""
        result = 1.0
        if self.misheard:
            for step, (start, end) in zip(place.pattern.steps, place.steps, strict=True):
                result *= self.misheard.get((step.concept, start, end), 1.0)
        return result

    def forget(self) -> None:
        """Drops worked-out answers after places were added."""
        self._found.clear()


def near(places: Sequence[Place], start: int, end: int, window: int) -> Iterator[Place]:
    """The places that begin or end within `window` words of words `start` to `end`; `places` are in order of their
    first word.
    """
    first = bisect_left(places, start - window - 12, key=lambda place: place.start)
    for index in range(first, len(places)):
        place = places[index]
        if place.start > end + window:
            return
        if place.end >= start - window:
            yield place
