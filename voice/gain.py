"""Automatic gain: a soft voice or a far microphone is brought to the level that the models know. Timed in samples."""

from __future__ import annotations

import numpy as np

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples

TARGET_PEAK = 8_000.0
"""Peak (of 32,767) that soft speech is raised to: about -12 dBFS. What is louder stays as it is."""
MOST_GAIN = 20.0
"""Factor, 26 dB: speech of -38 dBFS reaches the target. More would raise the hiss of an empty room to speech."""
HALVED_S = 4.0
"""Seconds in which the remembered peak halves: longer than a pause in a sentence, shorter than a change of speaker."""


class Gain:
    """Frames in, frames out, one for one. Falls at once when it gets louder, so that nothing clips; rises slowly."""

    def __init__(self) -> None:
        self._peak = TARGET_PEAK / MOST_GAIN
        self._decay = 0.5 ** (FRAME_SAMPLES / SAMPLE_RATE / HALVED_S)

    def __call__(self, frame: Samples) -> Samples:
        loudest = float(np.abs(frame.astype(np.int32)).max(initial=0))
        self._peak = max(loudest, self._peak * self._decay, TARGET_PEAK / MOST_GAIN)
        factor = TARGET_PEAK / self._peak
        if factor <= 1.0:
            return frame
        return np.asarray(np.round(frame * factor), dtype=np.int16)
