"""Earcons: short sounds, made by code, that tell what Backtalk does to someone who can't see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from voice.speech import Clip, level

CueName = Literal["awake", "thinking", "not_understood", "idle", "urgent", "error", "muted", "unmuted"]
CUES: tuple[CueName, ...] = get_args(CueName)

CUE_RATE = 22_050
"""Hertz: that of the default voice."""
LONGEST_S = 0.3
"""No cue is longer: it may not delay an answer."""
RAMP_S = 0.008
"""Raised-cosine rise and fall of each tone, so that nothing clicks."""

WORDS: dict[CueName, str] = {
    "awake": "Yes?",
    "thinking": "One moment.",
    "not_understood": "Sorry?",
    "idle": "Going to sleep.",
    "urgent": "Important.",
    "error": "Something went wrong.",
    "muted": "Muted.",
    "unmuted": "Listening again.",
}
"""What is said where a listener prefers words to sounds."""


@dataclass(frozen=True, slots=True)
class _Tone:
    start_s: float
    length_s: float
    from_hz: float
    to_hz: float
    overtones: tuple[float, ...] = ()
    """Strength of the second, third ... harmonic; the first is 1."""


_TONES: dict[CueName, tuple[_Tone, ...]] = {
    # two steps up, like a question
    "awake": (_Tone(0.0, 0.09, 523, 523, (0.3,)), _Tone(0.10, 0.14, 784, 784, (0.3,))),
    # three soft, low taps
    "thinking": tuple(_Tone(start, 0.045, 330, 330) for start in (0.0, 0.115, 0.23)),
    # one tone bending up and then down: "huh?"
    "not_understood": (_Tone(0.0, 0.11, 370, 470, (0.5, 0.2)), _Tone(0.11, 0.13, 470, 350, (0.5, 0.2))),
    # one long fall
    "idle": (_Tone(0.0, 0.28, 620, 260),),
    # an alarm: four quick, bright, high alternations
    "urgent": tuple(
        _Tone(0.07 * n, 0.06, hertz, hertz, (0.6, 0.5, 0.4)) for n, hertz in enumerate((1175, 880, 1175, 880))
    ),
    # two low, rough knocks
    "error": (_Tone(0.0, 0.1, 165, 155, (0.9, 0.8, 0.7, 0.6)), _Tone(0.16, 0.12, 147, 139, (0.9, 0.8, 0.7, 0.6))),
    # a door that closes: short high, long low
    "muted": (_Tone(0.0, 0.06, 988, 988), _Tone(0.08, 0.16, 440, 440)),
    # a door that opens: long low, short high
    "unmuted": (_Tone(0.0, 0.16, 440, 440), _Tone(0.18, 0.06, 988, 988)),
}


def _tone(tone: _Tone, rate: int) -> npt.NDArray[np.float64]:
    n = round(tone.length_s * rate)
    hertz = np.geomspace(tone.from_hz, tone.to_hz, n)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    wave = np.sin(phase)
    for order, strength in enumerate(tone.overtones, start=2):
        if order * max(tone.from_hz, tone.to_hz) < rate / 2:
            wave += strength * np.sin(order * phase)
    ramp = round(RAMP_S * rate)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / ramp)
    wave[:ramp] *= rise
    wave[n - ramp :] *= rise[::-1]
    return np.asarray(wave)


@lru_cache(maxsize=32)
def cue(name: CueName, rate: int = CUE_RATE) -> Clip:
    """The sound of a cue at `rate` hertz, as loud as speech, at most LONGEST_S. Raises KeyError for other names."""
    tones = _TONES[name]
    total = np.zeros(round(max(tone.start_s + tone.length_s for tone in tones) * rate) + 1)
    for tone in tones:
        start = round(tone.start_s * rate)
        wave = _tone(tone, rate)
        total[start : start + len(wave)] += wave
    samples = level(np.rint(total / np.max(np.abs(total)) * 16_000).astype(np.int16), rate)
    samples.setflags(write=False)  # shared by everyone who asks
    return Clip(samples, rate)
