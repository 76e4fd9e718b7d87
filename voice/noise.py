"""Steady noise, turned down in a recording that is there as a whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voice.frame import Samples

_WINDOW = 512
"""Samples of a window of noise reduction, 32 ms."""
_QUIETEST = 0.25
"""Share of the windows that are taken for noise alone, in each frequency band."""
_QUIETEST_TO_MEAN = -np.log(1.0 - _QUIETEST)
"""Power at that quantile, of its mean: the power of noise in a band is distributed exponentially."""
_LEAST_GAIN = 0.3
"""More is taken away by stronger noise reduction, but of the consonants too."""

Power = npt.NDArray[np.float64]


def quietened(sound: Samples) -> Samples:
    """The sound, shape (n,), with steady noise turned down, same shape: spectral subtraction (Boll, 1979).

    Steady is what remains in the quietest quarter of the windows, for each band by itself.
    """
    hop = _WINDOW // 2
    if len(sound) < 2 * _WINDOW:
        return sound
    padded = np.concatenate([np.zeros(hop), sound, np.zeros(hop + -len(sound) % hop)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    # The periodic Hann window: halves that overlap add up to 1.
    spectrum = np.fft.rfft(windows * np.hanning(_WINDOW + 1)[:-1], axis=1)
    power = np.asarray(np.abs(spectrum) ** 2, np.float64)
    gain = np.sqrt(np.maximum(1.0 - _steady(power) / np.maximum(power, 1e-9), _LEAST_GAIN**2))
    pieces = np.fft.irfft(spectrum * gain, n=_WINDOW, axis=1)
    made = np.zeros(len(padded))
    for place, piece in enumerate(pieces):
        made[place * hop : place * hop + _WINDOW] += piece
    return np.asarray(np.clip(np.round(made[hop : hop + len(sound)]), -32768, 32767), np.int16)


def _steady(power: Power) -> Power:
    """Mean power of the noise in each band, shape (bands,), from windows of shape (windows, bands)."""
    loudness = power.sum(axis=1)
    sounding = loudness > 1e-3 * np.median(loudness[loudness > 0]) if np.any(loudness > 0) else loudness >= 0
    return np.asarray(np.quantile(power[sounding], _QUIETEST, axis=0) / _QUIETEST_TO_MEAN)
