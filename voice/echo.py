"""Knowing one's own words: what the microphone hears of the loudspeaker is not a person speaking."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from voice.frame import SAMPLE_RATE

LINGER = 3 * SAMPLE_RATE
"""Samples after a sentence's end in which its words may still be heard: room, buffers, recognizer."""
PHRASE_LINGER = round(0.9 * SAMPLE_RATE)
"""The same for a spotted phrase, which is known at once. Whoever answers "say: hey back talk" with it is heard again."""
OWN_SCORE = 72.0
"""Of 100: what was heard is as similar as this to some stretch of what was said. Vosk mishears one word in five."""
OWN_WORDS = 0.6
"""Share of the heard words that are close to spoken words; own speech heard in bits has them, but no stretch."""
_CLOSE_WORD = 80.0


@dataclass(frozen=True, slots=True)
class _Spoken:
    words: tuple[str, ...]
    since: int
    """Sample at which it began."""
    until: int | None = None
    """Sample at which it ended, None while it is spoken."""


class Echo:
    """Remembers the sentences that were spoken lately. Time is in samples, given by who asks."""

    def __init__(self) -> None:
        self._spoken: deque[_Spoken] = deque(maxlen=8)

    def say(self, sentence: str, now: int) -> None:
        """A sentence begins; the one before has ended."""
        self.quiet(now)
        self._spoken.append(_Spoken(_words(sentence), now))

    def quiet(self, now: int) -> None:
        """Nothing is spoken any more."""
        if self._spoken and self._spoken[-1].until is None:
            self._spoken[-1] = replace(self._spoken[-1], until=now)

    def spoken(self, now: int, linger: int = LINGER) -> tuple[str, ...]:
        """All words of the sentences that may still be heard, in the order in which they were said."""
        near = (one for one in self._spoken if one.until is None or now - one.until <= linger)
        return tuple(word for one in near for word in one.words)

    def sounded(self, at: int) -> bool:
        """Whether something was being said then."""
        return any(one.until is None or at <= one.until for one in self._spoken)

    def silent_at(self, at: int) -> bool:
        """Whether nothing was being said then, between sentences or before all of them."""
        return not any(one.since <= at and (one.until is None or at <= one.until) for one in self._spoken)

    def unsaid(self, text: str, now: int) -> str:
        """The words of `text` that are not among those just spoken."""
        spoken = self.spoken(now)
        return " ".join(word for word in _words(text) if not _said(word, spoken))

    def is_own(self, text: str, now: int, linger: int = LINGER) -> bool:
        """True when `text` is, as far as can be told, what was just spoken: fuzzily contained in it."""
        heard, spoken = _words(text), self.spoken(now, linger)
        if not heard or not spoken:
            return False
        if len(heard) <= 2:  # short texts are similar to anything: each word itself must have been said
            return all(_said(word, spoken) for word in heard)
        if fuzz.partial_ratio(" ".join(heard), " ".join(spoken)) >= OWN_SCORE and len(heard) <= len(spoken) + 2:
            return True
        return sum(_said(word, spoken) for word in heard) >= OWN_WORDS * len(heard)


def _said(word: str, spoken: tuple[str, ...]) -> bool:
    return any(fuzz.ratio(word, other) >= _CLOSE_WORD for other in spoken)


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9']+", text.lower()))
