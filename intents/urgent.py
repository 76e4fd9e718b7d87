"""Danger signs by rule: which emergency was said, about whom, and whether the words take it back.

The rules are data (`urgent.toml` in a pack, see `urgent_schema`). `find` gives the signs that call for a warning;
`suppressed` gives those whose words were there but were denied, past, hypothetical and so on, with the reason. In doubt
a sign is found, not suppressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intents.urgent_compile import Confusion, Rule, compile_rules
from intents.urgent_context import Context
from intents.urgent_parse import Place, Reading
from intents.urgent_said import fill
from intents.urgent_schema import Reason, RuleTable, UrgentFile, read_file


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


class UrgentRules:
    """All rules of some packs, compiled. Read-only: share it between conversations."""

    def __init__(self, files: Mapping[Path, UrgentFile]) -> None:
        """Raises UrgentRulesError naming file, key and reason."""
        self._compiled = compile_rules(files)
        self._gravity = {sign: place for place, sign in enumerate(self._compiled.signs)}

    @classmethod
    def load(cls, paths: Sequence[Path]) -> UrgentRules:
        """Rules from `urgent.toml` files (a folder means the one inside it; a folder without one adds nothing).

        Raises UrgentRulesError naming file, key and reason.
        """
        files: dict[Path, UrgentFile] = {}
        for path in paths:
            if path.is_dir():
                path = path / "urgent.toml"
                if not path.exists():
                    continue
            files[path] = read_file(path)
        return cls(files)

    @property
    def signs(self) -> tuple[str, ...]:
        """The ids of all signs, gravest first."""
        return self._compiled.signs

    @property
    def rules(self) -> tuple[RuleTable, ...]:
        """The rules as written, for pack check and for review."""
        return tuple(rule.table for rule in self._compiled.rules)

    @property
    def confusions(self) -> tuple[tuple[str, str], ...]:
        """Every mishearing that the rule files write down, as (said, heard)."""
        return self._compiled.pairs

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
        roles = self._compiled.roles
        words, spans = self._compiled.spelling.read(text)
        reading = Reading(words, self._compiled.lexicon, roles.gap_stop, roles.clause_break)
        _mishear(reading, self._compiled.confusions)
        context = Context(reading, roles)
        best: dict[tuple[str, str], Sign] = {}
        for rule in self._compiled.rules:
            for place in reading.find(rule.patterns):
                if not _holds(rule, place, context):
                    continue
                sign = self._sign(rule, place, reading, context, spans)
                known = best.get((sign.id, sign.rule))
                if known is None or _rank(sign) > _rank(known):
                    best[(sign.id, sign.rule)] = sign
        return tuple(sorted(best.values(), key=self._order))

    def _order(self, sign: Sign) -> tuple[int, float, tuple[int, int]]:
        return self._gravity.get(sign.id, len(self._gravity)), -sign.certainty, sign.span

    def _sign(
        self, rule: Rule, place: Place, reading: Reading, context: Context, spans: Sequence[tuple[int, int]]
    ) -> Sign:
        table = rule.table
        certainty = table.certainty * reading.weight(place)
        reason, certainty = context.verdict(table, place, self._compiled.suppressions, certainty)
        said = fill(table.said, table.said_else, rule.parts, place, reading.words, self._compiled.speaker)
        span = (spans[place.start][0], spans[place.end - 1][1])
        return Sign(context.sign(table, place), table.id, said, round(certainty, 3), span, reason)


def _holds(rule: Rule, place: Place, context: Context) -> bool:
    """Whether what the rule asks of a match's surroundings is there."""
    if rule.near and not context.near(rule.near, place):
        return False
    if rule.unless and context.near(rule.unless, place):
        return False
    return not rule.table.personal or context.personal(place)


def _mishear(reading: Reading, confusions: Iterable[Confusion]) -> None:
    """Adds what may have been said to what was heard, where the context of a confusion holds."""
    added: list[tuple[int, int, int, float]] = []
    for confusion in confusions:
        for place in reading.find(confusion.patterns):
            for step, (start, end) in zip(place.pattern.steps, place.steps, strict=True):
                if step.concept == confusion.blank and " ".join(reading.words[start:end]) in confusion.heard:
                    added += [(number, start, end, confusion.weight) for number in confusion.ids]
    for number, start, end, weight in added:
        reading.add(number, start, end, weight)
    if added:
        reading.forget()


def _rank(sign: Sign) -> tuple[bool, float]:
    return sign.reason is None, sign.certainty
