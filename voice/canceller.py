"""Taking its own voice out of the microphone: what the loudspeaker plays is known, and subtracted by WebRTC's AEC3.

The loudspeaker's thread writes what it plays, the microphone's thread reads it, and both run by the sample. How far the
room's echo lags behind what was written, the canceller finds out by itself, up to half a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from voice.frame import SAMPLE_RATE, Samples

log = logging.getLogger(__name__)

BLOCK = SAMPLE_RATE // 100
"""Samples that the canceller takes at a time: 10 ms. A frame is no whole number of them, so that it lags one behind."""
GUARD = round(0.03 * SAMPLE_RATE)
"""Samples that reading stays behind writing: the loudspeaker asks for buffers of 20 ms. Its echo is later than that."""
ADRIFT = round(0.05 * SAMPLE_RATE)
"""Samples by which the two may come apart before they are set anew: a device was lost, or fell behind."""
IDLE = 3 * SAMPLE_RATE
"""Samples of nothing played after which the microphone is passed on as it is: nothing to take away, nothing to pay."""
_KEPT = 4 * SAMPLE_RATE
_SLOW = 1 / 32
"""Share of one frame in the mean distance between reading and writing: both move in jumps of some 20 ms."""


class Played:
    """What the loudspeaker plays, at the recognizer's rate; written by one thread, read by another."""

    def __init__(self) -> None:
        self._ring = np.zeros(_KEPT, np.int16)
        self._written = 0
        self._read = 0
        self._distance = 0.0
        self._sound_at = -IDLE
        self._resampler: soxr.ResampleStream | None = None
        self._rate = SAMPLE_RATE
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        """True when nothing that was played can still be heard."""
        return self._written - self._sound_at >= IDLE

    def write(self, samples: Samples, rate: int = SAMPLE_RATE) -> None:
        """What is played next, silence too; int16, shape (n,), n at most a second."""
        if rate != self._rate:
            self._resampler, self._rate = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="int16", quality="QQ"), rate
        sounds = bool(samples.any())
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        with self._lock:
            places = np.arange(self._written, self._written + len(samples)) % _KEPT
            self._ring[places] = samples
            self._written += len(samples)
            if sounds:
                self._sound_at = self._written

    def read(self, count: int) -> Samples:
        """What belongs to the next `count` samples of the microphone; silence where nothing was written yet."""
        with self._lock:
            ahead = self._written - GUARD - count - self._read
            self._distance += _SLOW * (ahead - self._distance)
            if abs(self._distance) > ADRIFT:
                self._read, self._distance = max(0, self._written - GUARD - count), 0.0
            places = np.arange(self._read, self._read + count)
            known = (places >= 0) & (places < self._written) & (places >= self._written - _KEPT)
            self._read += count
            return np.where(known, self._ring[places % _KEPT], 0).astype(np.int16)


class Canceller:
    """Frames of the microphone in, the same without what was played out, one for one, 10 ms later."""

    def __init__(self, played: Played) -> None:
        """Raises ModuleNotFoundError where there is no such library for this computer."""
        from pywebrtc_audio import EchoCanceller

        self._played = played
        self._canceller: Any = EchoCanceller(SAMPLE_RATE, 1)
        self._near = np.zeros(0, np.int16)
        self._far = np.zeros(0, np.int16)
        self._clean = np.zeros(BLOCK, np.int16)

    def __call__(self, frame: Samples) -> Samples:
        """Both shape (n,), int16, 16 kHz."""
        near = np.concatenate([self._near, frame])
        far = np.concatenate([self._far, self._played.read(len(frame))])
        whole = len(near) // BLOCK * BLOCK
        clean = near[:whole] if self._played.idle else self._canceller.process(near[:whole], far[:whole])
        self._near, self._far = near[whole:], far[whole:]
        ready = np.concatenate([self._clean, clean])
        self._clean = ready[len(frame) :]
        return ready[: len(frame)]


def echo_taken_away() -> tuple[Callable[[Samples, int], None] | None, Callable[[Samples], Samples] | None]:
    """What a loudspeaker tells of its sound, and what cleans a microphone of it; None twice where that can't be had."""
    played = Played()
    try:
        return played.write, Canceller(played)
    except ModuleNotFoundError as error:
        log.info("its own voice stays in the microphone: %s", error)
        return None, None
