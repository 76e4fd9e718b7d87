"""Taking its own voice out of the microphone: what the loudspeaker plays is known, and subtracted by WebRTC's AEC3.

Where nothing of it comes back (a headset), AEC3 would take the person away who speaks over it: "stop", or a danger sign.
So whether it comes back is measured all the time, by the waveforms, and the microphone is left alone where it doesn't.

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
REACH = 8192
"""Samples, half a second: how late an echo may be, and how often it is looked for."""
RETURNS = 6.5
"""Peak of the averaged phase correlation in multiples of its root mean square from which there is an echo. Measured: at
most 5.0 for people, kitchens and hiss, at least 7.2 for echo of a living room at -20 dB in a kitchen 10 dB louder."""
_FORGET = 0.7
"""Share of the correlation so far that is kept from one look to the next."""
_FAINT = 8
"""Loudest sample of half a second in which there can be no echo."""
_PIECES, _GAP = 16, 5
"""A second of what is played in so many pieces, of which fewer than so many in a row may be silent."""
_BAND = slice(round(200 * 2 * REACH / SAMPLE_RATE), round(4000 * 2 * REACH / SAMPLE_RATE))
"""Where speech is: 200 to 4,000 Hz, in steps of a spectrum of 2 x REACH samples."""
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
        self._owed = 0
        """What of a sample is left over from silence that was counted instead of resampled, times the rate."""
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
        if self.idle and not sounds:  # nearly always: not worth resampling
            count, self._owed = divmod(self._owed + len(samples) * SAMPLE_RATE, rate)
            samples = np.zeros(count, np.int16)
        elif self._resampler is not None:
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


class Returning:
    """Whether what is played comes back: phase correlation of loudspeaker and microphone (GCC-PHAT, Knapp and Carter
    1976), averaged over some seconds, has a peak at the echo's delay and none at anything else."""

    def __init__(self) -> None:
        self.yes = True
        """Until the first look: nobody interrupts it in its first half second."""
        self._near = np.zeros(REACH, np.int16)
        self._far = np.zeros(2 * REACH, np.int16)
        self._since = 0
        self._phases = np.zeros(REACH + 1, np.complex128)

    def feed(self, near: Samples, far: Samples) -> None:
        """What microphone and loudspeaker gave in the same time, shape (n,) each, n below REACH."""
        self._near = np.concatenate([self._near[len(near) :], near])
        self._far = np.concatenate([self._far[len(far) :], far])
        self._since += len(near)
        if self._since >= REACH:
            self._since = 0
            if self._spoke_on():
                self._look()

    def _spoke_on(self) -> bool:
        """Whether it was never silent for long: an echo, however late, would be in the last half second."""
        sounds = np.abs(self._far.astype(np.int32)).reshape(_PIECES, -1).max(axis=1) > _FAINT
        gaps = np.diff(np.flatnonzero(np.concatenate([[True], sounds, [True]])))
        return bool(gaps.max() <= _GAP)

    def _look(self) -> None:
        self._phases *= _FORGET
        if np.abs(self._near.astype(np.int32)).max() <= _FAINT:
            self.yes = False
            return
        near = np.fft.rfft(np.concatenate([np.zeros(REACH), self._near]))
        cross = (near * np.conj(np.fft.rfft(self._far)))[_BAND]
        self._phases[_BAND] += cross / np.maximum(np.abs(cross), 1e-9)
        correlation = np.abs(np.fft.irfft(self._phases))
        self.yes = bool(correlation[:REACH].max() > RETURNS * np.sqrt(np.mean(correlation**2)))


class Canceller:
    """Frames of the microphone in, the same without what was played out, one for one, 10 ms later."""

    def __init__(self, played: Played) -> None:
        """Raises ModuleNotFoundError where there is no such library for this computer."""
        from pywebrtc_audio import EchoCanceller

        self._played = played
        self._returning = Returning()
        self._canceller: Any = EchoCanceller(SAMPLE_RATE, 1)
        self._near = np.zeros(0, np.int16)
        self._far = np.zeros(0, np.int16)
        self._clean = np.zeros(BLOCK, np.int16)

    def __call__(self, frame: Samples) -> Samples:
        """Both shape (n,), int16, 16 kHz."""
        near = np.concatenate([self._near, frame])
        far = np.concatenate([self._far, self._played.read(len(frame))])
        whole = len(near) // BLOCK * BLOCK
        clean = near[:whole]
        if not self._played.idle:
            self._returning.feed(near[:whole], far[:whole])
            cancelled = self._canceller.process(near[:whole], far[:whole])
            clean = cancelled if self._returning.yes else clean
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
