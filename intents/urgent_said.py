"""Names what was heard: "my husband's left leg" becomes "your husband's left leg"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from intents.urgent_parse import Pattern, Place

_FIELD = re.compile(r"\{([a-z0-9_]+)\}")
_PERSONS = {
    "i": "you",
    "me": "you",
    "my": "you",
    "mine": "you",
    "myself": "you",
    "we": "you",
    "our": "you",
    "us": "you",
}
_PERSONS |= {
    "he": "he",
    "his": "he",
    "him": "he",
    "himself": "he",
    "she": "she",
    "her": "she",
    "hers": "she",
    "herself": "she",
}
_OWNERS = {"you": "your", "he": "his", "she": "her"}
_OWN = {"my": "your", "me": "your", "mine": "your", "our": "your", "his": "his", "her": "her", "your": "your"}
_SIDES = frozenset(
    {"left", "right", "both", "other", "whole", "big", "little", "lower", "upper", "two", "bad", "good", "dominant"}
)
_LOOK_BACK = 10


class Speaker:
    """Who is spoken about; `kin` are the nouns for other people (husband, mother, patient ...)."""

    def __init__(self, others: frozenset[str]) -> None:
        self.kin = frozenset(phrase for phrase in others if phrase not in _PERSONS and " " not in phrase)

    def missing(self, template: str, pattern: Pattern) -> str | None:
        """A field of the template that the pattern can't fill."""
        return next((name for name in fields(template) if name not in pattern.names), None)

    def who(self, place: Place, words: Sequence[str]) -> str:
        """ "you", "he", "she" or "your husband": the nearest person at or before the sign."""
        order = [*range(place.start, place.end), *range(place.start - 1, max(place.start - _LOOK_BACK, -1), -1)]
        order += range(place.end, min(place.end + 3, len(words)))
        for position in order:
            word = words[position]
            if word in self.kin:
                owned = position > 0 and words[position - 1] in ("my", "me", "our")
                return (
                    f"your {word}"
                    if owned
                    else f"the {word}"
                    if position > 0 and words[position - 1] == "the"
                    else word
                )
            # "her" and "his" may belong to a noun that comes next; the person is the same
            if word in _PERSONS:
                return _PERSONS[word]
        return "you"


def fields(template: str) -> list[str]:
    """The concepts that a template names."""
    return [name for name in _FIELD.findall(template) if name not in ("who", "whose")]


def fill(
    template: str,
    otherwise: str | None,
    parts: Mapping[str, frozenset[str]],
    place: Place,
    words: Sequence[str],
    speaker: Speaker,
) -> str:
    """The template with `{who}`, `{whose}` and concepts replaced by what was said, turned round to the listener.

    `parts` are the phrases of the concepts that the template names; `otherwise` is the template for a match without
    them.
    """
    who = speaker.who(place, words)
    whose = _OWNERS.get(who, f"{who}'s")
    values = {"who": who, "whose": whose}
    for name, phrases in parts.items():
        span = _named(phrases, place, words)
        if span is not None:
            values[name] = _owned(words, *span, whose, speaker.kin)
        elif otherwise is not None:
            template = otherwise
    return _FIELD.sub(lambda match: values[match.group(1)], template)


def _named(phrases: frozenset[str], place: Place, words: Sequence[str]) -> tuple[int, int] | None:
    """Where in a match a phrase of a concept stands: a step of the pattern, or else any word."""
    spans = [*place.steps, *((at, at + 1) for at in range(place.start, place.end))]
    return next((span for span in spans if " ".join(words[span[0] : span[1]]) in phrases), None)


def _owned(words: Sequence[str], start: int, end: int, whose: str, kin: frozenset[str]) -> str:
    """A body part with its owner and side: "your right leg"."""
    part = " ".join(words[start:end])
    first = start
    while first > 0 and words[first - 1] in _SIDES and start - first < 3:
        first -= 1
    sides = " ".join(words[first:start])
    part = f"{sides} {part}" if sides else part
    before = words[first - 1] if first else ""
    if before == "'s" and first > 1 and words[first - 2] in kin:
        owned = first > 2 and words[first - 3] in ("my", "me", "our")
        return f"{'your ' if owned else ''}{words[first - 2]}'s {part}"
    return f"{_OWN.get(before, whose)} {part}"
