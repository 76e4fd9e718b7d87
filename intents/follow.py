"""What short replies mean after what was said before: choices, corrections, ellipses, and that a danger has been dealt with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from intents.phrases import SETTLED

LIKE = 80.0
"""rapidfuzz score from which a reply names an offered choice."""
SETTLED_LIKE = 88.0
SHORT = 6
"""Words: a longer utterance is understood by itself."""

_FIRST = re.compile(r"\b(first|former|one|number one|the 1st)\b")
_SECOND = re.compile(r"\b(second|latter|two|last one|other one|number two|the 2nd)\b")
_YES = re.compile(r"^(yes|yeah|yep|aye|sure|ok|okay|please|yes please|that one|that's it|that is it|right|correct)\b")
_CORRECTION = re.compile(r"^(?:no+|nope|not that|that's not it|wrong)\b(?: no\b)*(?: that's not (?:it|what i (?:asked|meant|said)))?"
                         r"(?: (?:i (?:meant|mean|said|asked|want)(?: to (?:know|ask))?(?: about)?))?\s+(?P<rest>.+)$")  # fmt: skip
_ELLIPSIS = re.compile(
    r"^(?:and|or|but|so|then|what about|how about|what of|and what about|why|how|how come|when|where|really)\b"
)
_LEAD = re.compile(r"^(?:(?:and|or|but|so|then)\s+)*(?:(?:what|how) about|what of)?\s*")


def chosen(text: str, offered: Sequence[str], names: Sequence[str]) -> str | None:
    """The offered id that a reply picks: by number, by yes when there is one, or by name; None when it picks none."""
    words = text.split()
    if len(words) <= SHORT:
        if len(offered) == 2 and _SECOND.search(text):
            return offered[1]
        if len(offered) == 1 and _YES.match(text):
            return offered[0]
        if len(offered) == 2 and _FIRST.search(text):
            return offered[0]
    scores = [fuzz.token_sort_ratio(text, name.lower()) for name in names]
    best = max(range(len(scores)), key=scores.__getitem__)
    return offered[best] if scores[best] >= LIKE else None


def corrected(text: str) -> str | None:
    """What follows a correction ("no, I meant treatment" → "treatment"); None when there is none."""
    found = _CORRECTION.match(text)
    return found["rest"] if found else None


def elliptical(text: str) -> str | None:
    """The rest of a short follow-up without its "and what about"; None when the text stands by itself."""
    if len(text.split()) > SHORT or not _ELLIPSIS.match(text):
        return None
    return _LEAD.sub("", text) or text


def settled(text: str) -> bool:
    """True when somebody says that the danger is being taken care of."""
    return any(fuzz.partial_ratio(said, text) >= SETTLED_LIKE for said in SETTLED if len(text) >= len(said) - 3)
