"""Made sounds that several tests play."""

from __future__ import annotations

import numpy as np

from voice.speech import Int16


def tone(seconds: float, rate: int = 22_050, hertz: float = 440.0) -> Int16:
    """A sine of peak 8,000 at `rate` hertz."""
    wave: Int16 = (8_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.int16)
    return wave
