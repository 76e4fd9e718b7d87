"""A sentence to read and what a volunteer made of it: whether a take can be used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from voice.frame import SAMPLE_RATE, Samples
from voice.speech import loudness_dbfs

QUIETEST_DBFS = -48.0
"""Loudness of speech below which a take is too quiet."""
FULL_SCALE = 32_600
"""A sample at least this large is at the end of the scale."""
CLIPPED_RUN = 3
"""Samples in a row at full scale that count as one clipped peak: a single one may be chance."""
CLIPPED_PEAKS = 2
"""Clipped peaks from which a take is unusable."""
SHORTEST = round(0.15 * SAMPLE_RATE)
"""Samples of speech: anything shorter was no word."""
FASTEST_WORD = round(0.1 * SAMPLE_RATE)
"""Samples of speech for each word of the prompt: with less, the beginning was lost, as when one starts too soon."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence to read."""

    id: str
    text: str
    label: str
    kind: str
    extra: dict[str, object] = field(default_factory=dict)
    """Further keys of its manifest line."""


@dataclass(frozen=True, slots=True)
class Take:
    """One utterance of the volunteer."""

    samples: Samples
    text: str
    """What the recognizer heard."""
    speech: int | None = None
    """Samples from the first speech to the last, pauses included; None: all of them."""
    cut: bool = False
    """True when it was ended by its length."""


def clipped_peaks(samples: Samples) -> int:
    """How many times the sound was cut off at the end of the scale."""
    full = np.abs(samples.astype(np.int32)) >= FULL_SCALE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= CLIPPED_RUN))


def fault_of(take: Take, prompt: str = "") -> str | None:
    """What to tell the volunteer about an unusable take of `prompt`; None for a good one."""
    speech = len(take.samples) if take.speech is None else take.speech
    if take.cut:
        return "That was too long."
    if speech < max(SHORTEST, FASTEST_WORD * len(prompt.split())):
        return "That was too short. Please wait until I have finished."
    if clipped_peaks(take.samples) >= CLIPPED_PEAKS:
        return "That was too loud for the microphone. Please move back a little, or turn it down."
    if loudness_dbfs(take.samples, SAMPLE_RATE) < QUIETEST_DBFS:
        return "That was too quiet. Please come closer to the microphone, or turn it up."
    return None
