"""Text → sound for the network, a sentence at a time; warnings slowly, and with the engine dead if need be."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.errors import VoiceError
from voice.speech import Clip, pieces
from voice.tts import SpokenWarnings, Voice, urgent_rate

log = logging.getLogger(__name__)

PAUSE_S = 0.2
"""Between sentences."""
REMEMBERED = 64
"""Sentences of warnings that were sent lately and may now come back to be said."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """What is made in one go."""

    text: str
    urgent: bool


class Speaking:
    """One voice for all. `clips` may be used by one thread at a time, `note` and `parts` by another."""

    def __init__(self, voice: Voice, rate: int, fixed_warnings: Iterable[str]) -> None:
        """rate: words a minute."""
        self._voice = voice
        self._rate = rate
        self._fixed = tuple(fixed_warnings)
        self._warnings = SpokenWarnings(voice, self._fixed, rate)
        self._noted: deque[str] = deque(maxlen=REMEMBERED)

    def note(self, sentences: Iterable[str]) -> None:
        """These are a warning's: when they are to be said, they are said slowly."""
        for sentence in sentences:
            if sentence not in self._noted and sentence not in self._fixed:
                self._noted.append(sentence)

    def parts(self, text: str) -> list[Part]:
        """The sentences of a text. Those of a warning stand at its beginning."""
        known = sorted({*self._fixed, *self._noted}, key=len, reverse=True)
        found: list[Part] = []
        rest = text.strip()
        while first := next((one for one in known if rest.startswith(one)), None):
            found += [Part(piece, True) for piece in pieces(first)]
            rest = rest[len(first) :].lstrip()
        found += [Part(piece, False) for one in _SENTENCE_END.split(rest) for piece in pieces(one)]
        return found

    def clips(self, parts: Iterable[Part]) -> Iterator[Clip]:
        """One clip a part, all of the voice's rate. Where the voice fails, recorded sentences say what matters."""
        alarmed = False
        rate: int | None = None
        for part in parts:
            try:
                clip = self._clip(part)
            except VoiceError as error:
                log.warning("not said: %s", error.reason)
                if part.urgent and alarmed:
                    continue
                alarmed = part.urgent
                clip = self._warnings.recorded("emergency" if part.urgent else "no_voice")
                yield _then_pause(clip if rate is None else clip.at(rate))
                rate = rate or clip.rate
                if not part.urgent:
                    return
                continue
            yield _then_pause(clip if rate is None else clip.at(rate))
            rate = rate or clip.rate

    def _clip(self, part: Part) -> Clip:
        kept = self._warnings.get(part.text) if part.urgent else None
        if kept is not None:
            return kept
        rate = urgent_rate(self._rate) if part.urgent else self._rate
        return Clip(self._voice.speak(part.text, rate), self._voice.sample_rate)


def _then_pause(clip: Clip) -> Clip:
    return Clip(np.concatenate([clip.samples, np.zeros(round(PAUSE_S * clip.rate), np.int16)]), clip.rate)
