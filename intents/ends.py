"""How often people stop after these words: learned from a pack's wordings.

"What use is it" is a whole question, and goes on in most mouths: "what use is it knowing the grade". An answer that
comes after a fifth of a second would talk over them. Of the wordings of eight writers who were left out, 57 of 100 ends
get a probability that 5 of 100 gaps between words get; the last three words alone, counted, tell 40.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.buckets import Buckets, buckets

BUCKETS = 1 << 18
"""An eighth of them find 42 of 100 ends instead of 55, four times as many one more."""
_START = "<s>"
_LAST = (1, 2, 3, 4)
_NEAR = 6
_LONG = 12


def features(text: str) -> Iterator[str]:
    """What the last words are, alone and with the first ones, with those near them and with the length; and every word."""
    words = [_START, *text.split()]
    last, count = words[-1], len(words) - 1
    yield from (f"l{' '.join(words[-n:])}" for n in _LAST)
    yield from (f"e{last[-3:]}", f"p{words[-2] if count else ''} {last[-3:]}")
    opening = " ".join(words[1:3])
    yield from (f"a{' '.join(words[1:2])}|{last}", f"b{opening}|{last}", f"c{opening}|{' '.join(words[-2:])}")
    yield from (f"o{opening}", f"t{' '.join(words[1:4])}")
    yield from (f"n{min(count, _LONG)}", f"m{min(count // 2, _LONG // 2)}|{last}")
    yield from (f"s{word}|{last}" for word in words[max(1, len(words) - _NEAR) : -1])
    yield from (f"w{word}" for word in set(words[1:]))


def hashed(text: str) -> Buckets:
    """Buckets of the features."""
    return buckets(features(text), BUCKETS)


@dataclass(frozen=True)
class Ends:
    """Read-only: logistic regression over hashed features, all of a text together of length 1."""

    weights: npt.NDArray[np.float16]
    """Shape (BUCKETS,)."""
    bias: float

    def after(self, text: str) -> float:
        """Probability, 0 to 1, that whoever said `text`, lower case, has finished; 0 where nothing was said."""
        if not text.strip():
            return 0.0
        row = hashed(text)
        score = float(self.weights[row].astype(np.float32).sum()) / math.sqrt(len(row)) + self.bias
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, score))))
