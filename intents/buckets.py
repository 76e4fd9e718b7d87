"""Features of a text → places in a table: no vocabulary is stored. Weinberger et al., "Feature hashing for large scale multitask learning" (2009)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Buckets = npt.NDArray[np.int32]
"""Shape (features,): each place once, in order."""


def buckets(features: Iterable[str], count: int) -> Buckets:
    """Places in a table of `count`; by CRC-32, which is the same on every machine and in every run (Python's own hash is not)."""
    return np.array(sorted({zlib.crc32(feature.encode()) % count for feature in features}), np.int32)
