"""What the words around a danger sign do to it: who has it, since when, and whether it is denied or taken back.

The questions are those of the ConText algorithm for clinical notes (Harkema and others, 2009: negation, experiencer,
temporality, hypothetical), asked of speech.
"""

from __future__ import annotations

from collections.abc import Iterable

from intents.urgent_compile import RoleNumbers, Suppression
from intents.urgent_parse import Patterns, Place, Reading, near
from intents.urgent_schema import Reason, RuleTable, SuppressTable

NEAR = 14
"""Words to either side of a match in which `near`, `unless`, and "suddenly" or "for years" are looked for."""
PERSON_BEFORE, PERSON_AFTER = 10, 6
"""Words before and after a match in which its person is looked for."""
DENIAL_REACH = 6
"""A negator may stand this many words before a sign, when only linking words stand between."""
NOT_DENIAL_REACH = 4
"""A phrase that denies nothing ("no change") begins at most this many words before its negator."""
FIRST_PERSON_REACH = 3
"""Words before a match in which "I" or "my" makes it the speaker's own."""


class Context:
    """The surroundings of matches in one text."""

    def __init__(self, reading: Reading, roles: RoleNumbers) -> None:
        self._reading = reading
        self._roles = roles

    def near(self, patterns: Patterns, place: Place) -> bool:
        """Whether any of the patterns matches near the place."""
        return next(near(self._reading.find(patterns), place.start, place.end, NEAR), None) is not None

    def personal(self, place: Place) -> bool:
        """Whether a person is named in or near the place."""
        return self._person_between(place.start - PERSON_BEFORE, place.end + PERSON_AFTER)

    def sign(self, table: RuleTable, place: Place) -> str:
        """The id of the sign that the rule reports here: by its own time, sudden or gradual."""
        if table.when_gradual is None and table.when_sudden is None:
            return table.sign
        first, last = place.start - NEAR, place.end + NEAR
        gradual = list(self._reading.around(self._roles.gradual, first, last))
        hidden = {position for start, end in gradual for position in range(start, end)}
        if any(start not in hidden for start, _ in self._reading.around(self._roles.sudden, first, last)):
            return table.when_sudden or table.sign
        return table.when_gradual or table.sign if gradual else table.sign

    def verdict(
        self, table: RuleTable, place: Place, suppressions: Iterable[Suppression], certainty: float
    ) -> tuple[Reason | None, float]:
        """Why the match calls for no warning (None when it does), and its certainty (0 to 1), lowered by doubts."""
        if table.deniable and "denied" not in table.spared and self.denied(place):
            return "denied", certainty
        for suppression in suppressions:
            cause = suppression.table
            if cause.reason in table.spared or (cause.signs and table.sign not in cause.signs):
                continue
            if self._applies(suppression, place):
                if cause.lowers_to is None:
                    return cause.reason, certainty
                certainty = min(certainty, cause.lowers_to)
        return None, certainty

    def denied(self, place: Place) -> bool:
        """Whether a negator stands in a gap of the match, or before it with only linking words between."""
        if any(self._negates(first) for first, _ in place.steps):
            return False  # "ain't got no feeling": the sign has its own negative, and one more only says it again
        taken = {position for first, last in place.steps for position in range(first, last)}
        if any(self._negates(position) for position in range(place.start, place.end) if position not in taken):
            return True
        if any(self._is(self._roles.negative, first) for first, _ in place.steps):
            return False  # "no, I can't breathe": a "no" before it is an answer or an outcry
        for position in range(place.start - 1, max(place.start - 1 - DENIAL_REACH, -1), -1):
            if self._negates(position):
                return True
            if not self._is(self._roles.link, position):
                return False
        return False

    def _negates(self, position: int) -> bool:
        if not self._is(self._roles.negator, position):
            return False
        covers = self._reading.around(self._roles.not_denial, position - NOT_DENIAL_REACH, position + 1)
        return not any(first <= position < last for first, last in covers)

    def _applies(self, suppression: Suppression, place: Place) -> bool:
        table = suppression.table
        for cue in near(self._reading.find(suppression.cues), place.start, place.end, table.within):
            if not self._stands(table, cue, place):
                continue
            if table.impersonal and self._person_between(min(cue.start, place.start), place.end):
                continue
            if table.not_first_person and self._reading.any_between(
                self._roles.first, place.start - FIRST_PERSON_REACH, place.end
            ):
                continue
            if suppression.unless and self.near(suppression.unless, place):
                continue
            return True
        return False

    def _stands(self, table: SuppressTable, cue: Place, place: Place) -> bool:
        """Whether a cue stands where the table wants it, in the same clause."""
        stopped = self._reading.stopped
        if table.where == "before":
            close = cue.start < place.start and place.start - cue.end <= table.within
            return close and not stopped(cue.end, place.start)
        if table.where == "after":
            close = cue.end > place.end and cue.start - place.end <= table.within
            return close and not stopped(place.end, cue.start)
        if table.where == "over":
            return cue.end > place.start and cue.start < place.end
        return not stopped(cue.end, place.start) and not stopped(place.end, cue.start)

    def _person_between(self, start: int, end: int) -> bool:
        roles = (self._roles.first, self._roles.other)
        return any(self._reading.any_between(role, start, end) for role in roles)

    def _is(self, number: int, position: int) -> bool:
        return self._reading.any_between(number, position, position + 1)
