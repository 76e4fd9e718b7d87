"""Danger signs by rule: which emergency was said, about whom, and whether the words take it back.

The rules are data (`urgent.toml` in a pack, see `urgent_schema`). `find` gives the signs that call for a warning;
`suppressed` gives those whose words were there but were denied, past, hypothetical and so on, with the reason. In doubt
a sign is found, not suppressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

from intents.urgent_confusions import learned, read_confusions
from intents.urgent_parse import END, Lexicon, PatternError, Patterns, Place, Reading, near, plain, tokens
from intents.urgent_said import Speaker, fields, fill
from intents.urgent_schema import (
    ConfusionTable,
    Reason,
    Roles,
    RuleTable,
    SuppressTable,
    UrgentFile,
    UrgentRulesError,
    read_file,
)

NEAR = 14
"""Words to either side of a match in which `near`, `unless`, and "suddenly" or "for years" are looked for."""
PERSON_BEFORE, PERSON_AFTER = 10, 6
"""Words before and after a match in which its person is looked for."""
DENIAL_REACH = 6
"""A negator may stand this many words before a sign, when only linking words stand between."""
FUZZY_LENGTH, FUZZY_SCORE = 8, 88.0
"""Only words of this many letters are matched by likeness, and only when this alike (0 to 100)."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One danger sign in a text."""

    id: str
    """`urgent_limb`, `urgent_bowel_bladder`, `urgent_other` or `provider_soon`."""
    rule: str
    said: str
    """What was heard, to come after "you said that"."""
    certainty: float
    """0 to 1. Low for a mishearing or a doubt: worth a question back."""
    span: tuple[int, int]
    """First and last (exclusive) character."""
    reason: Reason | None = None
    """Why it calls for no warning; None for a sign that does."""


@dataclass(frozen=True, slots=True)
class _Rule:
    table: RuleTable
    patterns: Patterns
    near: Patterns
    unless: Patterns
    parts: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Suppress:
    table: SuppressTable
    cues: Patterns
    unless: Patterns


@dataclass(frozen=True, slots=True)
class _Confusion:
    ids: tuple[int, ...]
    weight: float
    patterns: Patterns
    blank: int
    heard: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Roles:
    """The numbers of the concepts that the engine itself asks for."""

    first: int
    other: int
    negator: int
    link: int
    not_denial: int
    gap_stop: int
    clause_break: int
    negative: int
    gradual: int
    sudden: int


class UrgentRules:
    """All rules of some packs, compiled. Read-only: share it between conversations."""

    def __init__(self, files: Mapping[Path, UrgentFile], confusions: Iterable[tuple[str, str, float]] = ()) -> None:
        first = next(iter(files), Path("urgent.toml"))
        roles = next((file.roles for file in files.values() if file.roles), None)
        if roles is None:
            raise UrgentRulesError(
                first, "roles", "is missing; one file must name the concepts that the engine asks for"
            )
        merged: dict[str, list[str]] = {}
        self._rewrite: dict[str, tuple[str, ...]] = {}
        self._fuzzy: list[str] = []
        self.signs: tuple[str, ...] = tuple(dict.fromkeys(sign for file in files.values() for sign in file.signs))
        for file in files.values():
            for name, phrases in file.concepts.items():
                merged.setdefault(name, []).extend(phrases)
            self._rewrite |= {word: tuple(plain(to).split()) for word, to in file.rewrite.items()}
            self._fuzzy += file.fuzzy
        try:
            self._lexicon = Lexicon(merged)
            self._fillers = Lexicon({"filler": sorted(self._lexicon.phrases(roles.filler))})
            self._filler = self._fillers.concept("filler")
            self._roles = self._numbered(roles)
        except PatternError as error:
            raise UrgentRulesError(first, "concepts", str(error)) from error
        self._rules = tuple(self._rule(path, table) for path, file in files.items() for table in file.rule)
        self._check(files)
        self._suppress = tuple(
            self._suppression(path, table) for path, file in files.items() for table in file.suppress
        )
        tables = [(path, table) for path, file in files.items() for table in file.confusion]
        self._confusions = tuple(
            self._confusion(path, table) for path, table in [*tables, *learned(tables, confusions)]
        )
        self._pairs = tuple((table.said, heard) for _, table in tables for heard in table.heard)
        self._known = self._lexicon.words()

    @classmethod
    def load(cls, paths: Sequence[Path], confusions: Sequence[Path] = ()) -> UrgentRules:
        """Rules from `urgent.toml` files (a folder means the one inside it; a folder without one adds nothing).

        `confusions` are files of lines `said<TAB>heard<TAB>weight` learned from decoded sound; they count in the
        contexts that a rule file
        gives for the same `said`. Raises UrgentRulesError naming file, key and reason.
        """
        files: dict[Path, UrgentFile] = {}
        for path in paths:
            if path.is_dir():
                path = path / "urgent.toml"
                if not path.exists():
                    continue
            files[path] = read_file(path)
        return cls(files, [line for path in confusions for line in read_confusions(path)])

    @property
    def rules(self) -> tuple[RuleTable, ...]:
        """The rules as written, for pack check and for review."""
        return tuple(rule.table for rule in self._rules)

    @property
    def confusions(self) -> tuple[tuple[str, str], ...]:
        """Every mishearing that is known, as (said, heard)."""
        return self._pairs

    def find(self, text: str) -> tuple[Sign, ...]:
        """The signs that call for a warning, gravest first, then most certain; one for each rule."""
        return tuple(sign for sign in self.read(text) if sign.reason is None)

    def suppressed(self, text: str) -> tuple[Sign, ...]:
        """The signs whose words were said but which the text takes back, with the reason; none of a rule that also
        stands.
        """
        return tuple(sign for sign in self.read(text) if sign.reason is not None)

    def read(self, text: str) -> tuple[Sign, ...]:
        """Every sign, suppressed or not, gravest first; for each rule and sign the one that stands, else the first."""
        words, spans = self._words(text)
        reading = Reading(words, self._lexicon, self._roles.gap_stop, self._roles.clause_break)
        self._mishear(reading)
        best: dict[tuple[str, str], Sign] = {}
        for rule in self._rules:
            for place in reading.find(rule.patterns):
                sign = self._sign(rule, place, reading, spans)
                if sign is None:
                    continue
                known = best.get((sign.id, sign.rule))
                if known is None or _rank(sign) > _rank(known):
                    best[(sign.id, sign.rule)] = sign
        order = {sign: place for place, sign in enumerate(self.signs)}
        return tuple(
            sorted(best.values(), key=lambda sign: (order.get(sign.id, len(order)), -sign.certainty, sign.span))
        )

    # words

    def _words(self, text: str) -> tuple[list[str], list[tuple[int, int]]]:
        """The words to be matched, without fillers, and their places in the text."""
        words: list[str] = []
        spans: list[tuple[int, int]] = []
        alike: dict[str, str] = {}
        for token in tokens(text):
            for word in self._rewrite.get(token.text) or (self._likeness(token.text, alike),):
                words.append(word)
                spans.append((token.start, token.end))
        places = self._fillers.places(words).get(self._filler, {})
        kept: list[int] = []
        position = 0
        while position < len(words):
            if position in places:
                position = max(places[position])
            else:
                kept.append(position)
                position += 1
        return [*(words[at] for at in kept), END], [*(spans[at] for at in kept), (len(text), len(text))]

    def _likeness(self, word: str, alike: dict[str, str]) -> str:
        """A long clinical word for a near miss of it; any other word unchanged."""
        if len(word) < FUZZY_LENGTH or len(word) > 24 or word in self._known:
            return word
        if word not in alike:
            found = process.extractOne(word, self._fuzzy, scorer=fuzz.ratio, score_cutoff=FUZZY_SCORE)
            alike[word] = found[0] if found and found[0][0] == word[0] else word
        return alike[word]

    def _mishear(self, reading: Reading) -> None:
        """Adds what may have been said to what was heard, where the context of a confusion holds."""
        added: list[tuple[int, int, int, float]] = []
        for confusion in self._confusions:
            for place in reading.find(confusion.patterns):
                for step, (start, end) in zip(place.pattern.steps, place.steps, strict=True):
                    if step.concept == confusion.blank and " ".join(reading.words[start:end]) in confusion.heard:
                        added += [(number, start, end, confusion.weight) for number in confusion.ids]
        for number, start, end, weight in added:
            reading.add(number, start, end, weight)
        if added:
            reading.forget()

    # one match

    def _sign(self, rule: _Rule, place: Place, reading: Reading, spans: Sequence[tuple[int, int]]) -> Sign | None:
        table = rule.table
        start, end = place.start, place.end
        if rule.near and not _any_near(reading, rule.near, start, end, NEAR):
            return None
        if rule.unless and _any_near(reading, rule.unless, start, end, NEAR):
            return None
        if table.personal and not self._person(reading, start - PERSON_BEFORE, end + PERSON_AFTER):
            return None
        sign = self._timed(table, reading, start, end)
        certainty = table.certainty * reading.weight(place)
        reason: Reason | None = "denied" if table.deniable and self._denied(reading, place) else None
        if reason is None or reason in table.spared:
            reason = None
            for suppress in self._suppress:
                if suppress.table.reason in table.spared or (
                    suppress.table.signs and table.sign not in suppress.table.signs
                ):
                    continue
                if self._applies(suppress, place, reading):
                    if suppress.table.lowers_to is not None:
                        certainty = min(certainty, suppress.table.lowers_to)
                    else:
                        reason = suppress.table.reason
                        break
        said = fill(table.said, table.said_else, rule.parts, place, reading.words, self._speaker)
        return Sign(sign, table.id, said, round(certainty, 3), (spans[start][0], spans[end - 1][1]), reason)

    def _timed(self, table: RuleTable, reading: Reading, start: int, end: int) -> str:
        if table.when_gradual is None and table.when_sudden is None:
            return table.sign
        gradual = list(reading.around(self._roles.gradual, start - NEAR, end + NEAR))
        hidden = {position for first, last in gradual for position in range(first, last)}
        sudden = any(first not in hidden for first, _ in reading.around(self._roles.sudden, start - NEAR, end + NEAR))
        if sudden:
            return table.when_sudden or table.sign
        return table.when_gradual or table.sign if gradual else table.sign

    def _person(self, reading: Reading, start: int, end: int) -> bool:
        return reading.any_between(self._roles.first, start, end) or reading.any_between(self._roles.other, start, end)

    def _denied(self, reading: Reading, place: Place) -> bool:
        """Whether a negator stands in a gap of the match, or before it with only linking words between."""
        if any(self._negates(reading, first) for first, _ in place.steps):
            return False  # "ain't got no feeling": the sign has its own negative, and one more only says it again
        taken = {position for first, last in place.steps for position in range(first, last)}
        if any(
            position not in taken and self._negates(reading, position) for position in range(place.start, place.end)
        ):
            return True
        if any(reading.any_between(self._roles.negative, first, first + 1) for first, _ in place.steps):
            return False  # "no, I can't breathe": a "no" before it is an answer or an outcry
        for position in range(place.start - 1, max(place.start - 1 - DENIAL_REACH, -1), -1):
            if self._negates(reading, position):
                return True
            if not reading.any_between(self._roles.link, position, position + 1):
                return False
        return False

    def _negates(self, reading: Reading, position: int) -> bool:
        if not reading.any_between(self._roles.negator, position, position + 1):
            return False
        covers = reading.around(self._roles.not_denial, position - 4, position + 1)
        return not any(first <= position < last for first, last in covers)

    def _applies(self, suppress: _Suppress, place: Place, reading: Reading) -> bool:
        table = suppress.table
        for cue in near(reading.find(suppress.cues), place.start, place.end, table.within):
            if table.where == "before":
                if (
                    cue.start >= place.start
                    or place.start - cue.end > table.within
                    or reading.stopped(cue.end, place.start)
                ):
                    continue
            elif table.where == "after":
                if (
                    cue.end <= place.end
                    or cue.start - place.end > table.within
                    or reading.stopped(place.end, cue.start)
                ):
                    continue
            elif table.where == "over":
                if cue.end <= place.start or cue.start >= place.end:
                    continue
            elif reading.stopped(cue.end, place.start) or reading.stopped(place.end, cue.start):
                continue
            if table.impersonal and self._person(reading, min(cue.start, place.start), place.end):
                continue
            if table.not_first_person and reading.any_between(self._roles.first, place.start - 3, place.end):
                continue
            if suppress.unless and _any_near(reading, suppress.unless, place.start, place.end, NEAR):
                continue
            return True
        return False

    # compiling

    def _numbered(self, roles: Roles) -> _Roles:
        number = self._lexicon.concept
        self._speaker = Speaker(self._lexicon.phrases(roles.other_person))
        return _Roles(
            first=number(roles.first_person),
            other=number(roles.other_person),
            negator=number(roles.negator),
            link=number(roles.negation_link),
            not_denial=number(roles.not_denial),
            gap_stop=number(roles.gap_stop),
            clause_break=number(roles.clause_break),
            negative=number(roles.negative),
            gradual=number(roles.gradual),
            sudden=number(roles.sudden),
        )

    def _patterns(self, path: Path, key: str, patterns: Iterable[str], blank: frozenset[str] = frozenset()) -> Patterns:
        try:
            return Patterns(tuple(form for pattern in patterns for form in self._lexicon.compile(pattern, blank)))
        except PatternError as error:
            raise UrgentRulesError(path, key, str(error)) from error

    def _rule(self, path: Path, table: RuleTable) -> _Rule:
        key = f"rule[{table.id}]"
        patterns = self._patterns(path, f"{key}.patterns", table.patterns)
        for pattern in patterns.forms if table.said_else is None else ():
            missing = self._speaker.missing(table.said, pattern)
            if missing:
                raise UrgentRulesError(path, f"{key}.said", f"{{{missing}}} is not in every form of the patterns")
        if table.said_else and fields(table.said_else):
            raise UrgentRulesError(path, f"{key}.said_else", "may name {who} and {whose} only")
        try:
            parts = {name: self._lexicon.phrases(name) for name in fields(table.said)}
        except PatternError as error:
            raise UrgentRulesError(path, f"{key}.said", str(error)) from error
        near_patterns = self._patterns(path, f"{key}.near", table.near)
        return _Rule(table, patterns, near_patterns, self._patterns(path, f"{key}.unless", table.unless), parts)

    def _suppression(self, path: Path, table: SuppressTable) -> _Suppress:
        cues = self._patterns(path, f"suppress[{table.reason}].cues", table.cues)
        return _Suppress(table, cues, self._patterns(path, f"suppress[{table.reason}].unless", table.unless))

    def _confusion(self, path: Path, table: ConfusionTable) -> _Confusion:
        key = f"confusion[{table.said}]"
        heard = frozenset(plain(phrase) for phrase in table.heard)
        ids = self._lexicon.ids(plain(table.said))
        if not ids:
            raise UrgentRulesError(path, f"{key}.said", "is a phrase of no concept that a rule uses")
        patterns = self._patterns(path, f"{key}.context", table.context, heard)
        return _Confusion(ids, table.weight, patterns, self._lexicon.number(heard), heard)

    def _check(self, files: Mapping[Path, UrgentFile]) -> None:
        """Ids are unique and every sign that is named is declared."""
        seen: set[str] = set()
        for path, file in files.items():
            for table in file.rule:
                if table.id in seen:
                    raise UrgentRulesError(path, f"rule[{table.id}].id", "is used twice")
                seen.add(table.id)
                for key, sign in (
                    ("sign", table.sign),
                    ("when_gradual", table.when_gradual),
                    ("when_sudden", table.when_sudden),
                ):
                    if sign is not None and sign not in self.signs:
                        raise UrgentRulesError(path, f"rule[{table.id}].{key}", f"{sign!r} is not in `signs`")


def _rank(sign: Sign) -> tuple[bool, float]:
    return sign.reason is None, sign.certainty


def _any_near(reading: Reading, patterns: Patterns, start: int, end: int, window: int) -> bool:
    return next(near(reading.find(patterns), start, end, window), None) is not None


__all__ = ["Sign", "UrgentRules", "UrgentRulesError", "read_confusions"]
