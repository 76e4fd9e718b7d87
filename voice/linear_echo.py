"""The part of an echo that a linear filter foretells, taken away and nothing else: who speaks over it stays whole.

A partitioned-block frequency-domain Kalman filter (Enzner and Vary 2006; Kuech, Mabande and Enzner 2014): how far each
part of the filter is trusted is estimated with it, so that it stands still by itself while somebody speaks over it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK = 160
"""Samples taken at a time: 10 ms."""
PARTS = 20
"""Blocks that the filter is long: the ringing of a living room within 200 ms, after the bulk of the delay."""
_KEPT = 0.999
"""Share of the filter that is the same in the next block: rooms change slowly."""
_STILL = 0.1
"""Least square of the filter that may have changed: what was silent once may ring later."""
_SMOOTH = 0.1
"""Share of one block in the power of what is left."""
_FAINT = 1e-4
"""Power of a spectrum at about -70 dB of full scale, in which nothing can be learned."""
_SILENT = 1e-7
"""Mean square of what is played, about -70 dB of full scale, of which nothing can be learned."""
_UNKNOWN = 1.0
"""Variance of a filter of which nothing is known."""


class LinearEcho:
    """Blocks of microphone and loudspeaker in; what is left of the microphone, and the echo that was taken away, out."""

    def __init__(self) -> None:
        self._far = np.zeros(2 * BLOCK)
        self._window = np.hanning(BLOCK)
        self.reset()

    def reset(self) -> None:
        """For an echo that comes at another time."""
        bins = BLOCK + 1
        self._spectra = np.zeros((PARTS, bins), np.complex128)
        self._filter = np.zeros((PARTS, bins), np.complex128)
        self._doubt = np.full((PARTS, bins), _UNKNOWN)
        self._left = np.zeros(bins)

    def __call__(self, near: Any, far: Any) -> tuple[Any, Any]:
        """near, far: float, shape (BLOCK,), full scale 1. Returns the rest and the echo, float, shape (BLOCK,) each."""
        self._far = np.concatenate([self._far[BLOCK:], far])
        self._spectra = np.roll(self._spectra, 1, axis=0)
        self._spectra[0] = np.fft.rfft(self._far)
        echo = np.fft.irfft((self._filter * self._spectra).sum(axis=0))[BLOCK:]
        rest = near - echo
        if float(np.mean(self._far**2)) > _SILENT:
            self._learn(rest)
        return rest, echo

    def _learn(self, rest: Any) -> None:
        error = np.fft.rfft(np.concatenate([np.zeros(BLOCK), rest * self._window]))
        power = (self._spectra.real**2 + self._spectra.imag**2).sum(axis=0)
        self._left += _SMOOTH * (error.real**2 + error.imag**2 - self._left)
        expected = 0.5 * self._doubt * power + self._left / PARTS + _FAINT
        step = self._doubt / expected
        self._doubt = _KEPT**2 * (1 - 0.5 * step * power) * self._doubt + (1 - _KEPT**2) * (
            np.abs(self._filter) ** 2 + _STILL
        )
        change = self._filter + step * np.conj(self._spectra) * error
        taps = np.fft.irfft(change, axis=1)
        taps[:, BLOCK:] = 0.0  # a filter of one block: the rest would wrap round
        self._filter = np.fft.rfft(taps, axis=1)


BANDS = (slice(1, 6), slice(6, 15), slice(15, 35), slice(35, 81))
"""Of a block's spectrum in steps of 100 Hz: where voices hum, where vowels differ, where consonants are."""
OVER_DB = 6.0
"""A band in which so much more is left than the filter leaves of an echo at most has another sound in it ..."""
LEAST_DB = -3.0
"""... and one as loud as this beside the echo."""
BANDS_OVER = 1
"""Bands that are so when somebody speaks: an "s" is in the highest alone, and without it "stop" is "top"."""
NOISE = 10.0
"""Times the least power of a band lately: noise alone is nobody."""
_SLOW = 0.1
"""Share of one block in the power of which that is the least."""
KNOWN = 0.05
"""Of a band's power as much is left when the filter knows its echo for the first time: 13 dB are gone."""
_RECENT = 1 / 50
"""Share of one block in that power: half a second counts."""
STAYS = 25
"""Blocks for which somebody who spoke speaks on: words have gaps."""
_FADES = 0.9
"""Share of a band's echo that is still there 10 ms later: rooms ring for longer than the filter is long."""
_MOST_DB = -20.0
"""Left at most, until it is known."""
_RISE_DB, _FALL_DB = 0.06, 0.003
"""Steps a block: what is left in 19 of 20 blocks is at most so much. A second of somebody's speech changes it by 6 dB."""
_HUSH = 1e-7
"""Power of a band below which there is nothing to compare."""


class NearEnd:
    """Whether somebody speaks over its own voice: more is left than the filter leaves of an echo alone."""

    def __init__(self) -> None:
        self._window = np.hanning(BLOCK)
        self._echo = np.zeros(len(BANDS))
        self._most_db = np.full(len(BANDS), _MOST_DB)
        self._slow = np.ones(len(BANDS))
        self._noise = np.full(len(BANDS), np.inf)
        self._stays = 0
        self._powers = np.ones((2, len(BANDS)))
        self._sums = np.zeros((2, len(BANDS)))
        self._known = np.zeros(len(BANDS), np.bool_)

    def __call__(self, near: Any, far: Any, rest: Any, echo: Any) -> bool:
        """A block of the microphone and of what was played, and what LinearEcho makes of them."""
        left, taken, played = self._bands(rest), self._bands(echo), self._bands(far)
        self._sums += _RECENT * (np.stack([taken, played]) - self._sums)
        soon = played * self._sums[0] / (self._sums[1] + _HUSH)  # what is played now comes back in a moment
        self._echo = np.maximum(np.maximum(taken, soon), _FADES * self._echo)
        self._slow += _SLOW * (left - self._slow)
        self._noise = np.minimum(np.maximum(self._slow, _HUSH), 1.002 * self._noise)
        floor = self._echo + _HUSH
        ratio_db = 10 * np.log10((left + 1e-12) / floor)
        loud = self._echo > 10 * self._noise
        over_db = np.maximum(self._most_db + OVER_DB, LEAST_DB)
        over = left > self._echo * 10 ** (over_db / 10) + NOISE * self._noise
        self._most_db += np.where(loud, np.where(ratio_db > self._most_db, _RISE_DB, -_FALL_DB), 0.0)
        self._powers += _RECENT * (np.stack([self._bands(near), left]) - self._powers)
        self._known |= self._powers[1] < KNOWN * self._powers[0]
        self._stays = STAYS if int((over & self._known).sum()) >= BANDS_OVER else max(0, self._stays - 1)
        return self._stays > 0

    def _bands(self, block: Any) -> Any:
        spectrum = np.fft.rfft(block * self._window)
        power = spectrum.real**2 + spectrum.imag**2
        return np.array([power[band].sum() for band in BANDS])
