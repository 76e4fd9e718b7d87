"""Sound inside Backtalk: 16 kHz, one channel, 16-bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Hertz. Every frame inside the program has this rate; other rates are converted at the door."""

FRAME_SAMPLES = 512
"""Samples in a frame, 32 ms: the step of the voice-activity model, so that no room needs to regroup."""

Samples = npt.NDArray[np.int16]
"""Shape (n,): mono, 16-bit, 16 kHz."""


def seconds(samples: int) -> float:
    """Samples at 16 kHz → seconds."""
    return samples / SAMPLE_RATE
