"""What the words and letters of a sentence say by themselves: a linear map over hashed n-grams, beside the sentence encoder.

The encoder knows meaning and errs on sentences that are unlike those it learned from; counts of words and of runs of letters err elsewhere, so the two together are
right more often than either, and surer where they agree. Runs of letters also survive much of what the recognizer garbles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.buckets import Buckets, buckets

BUCKETS = 1 << 15
"""Half as many lose a point of right labels without the encoder, twice as many bring nothing beside it."""
LETTERS = (3, 4, 5)
"""Lengths of the runs of letters within a word, its ends marked."""
SHARE = 0.5
"""How much the scores count beside the encoder's. On the writer whom settings are made on, and on the development set, 0.3 to 0.7 are alike."""

Hashed = Sequence[Buckets]
"""For each sentence the buckets of its n-grams, each once, in order."""
Scores = npt.NDArray[np.float32]
"""Shape (sentences, labels): logits."""


def grams(text: str) -> Iterator[str]:
    """Words, pairs of neighbours, pairs with one word between, and runs of letters; each kind by a letter of its own."""
    words = text.split()
    yield from (f"w{word}" for word in words)
    yield from (f"b{first} {second}" for first, second in zip(["<", *words], [*words, ">"], strict=True))
    yield from (f"s{first} {second}" for first, second in zip(words, words[2:], strict=False))
    for word in words:
        marked = f"<{word}>"
        yield from (f"c{marked[i : i + n]}" for n in LETTERS for i in range(len(marked) - n + 1))


def hashed(texts: Sequence[str]) -> Hashed:
    """Buckets of the n-grams of each text."""
    return [buckets(grams(text), BUCKETS) for text in texts]


@dataclass(frozen=True)
class Grams:
    """Read-only."""

    weights: npt.NDArray[np.int8]
    """Shape (BUCKETS, labels), in steps."""
    step: npt.NDArray[np.float32]
    """Shape (labels,): what one step of a label is worth."""
    bias: npt.NDArray[np.float32]
    """Shape (labels,)."""
    rarity: npt.NDArray[np.float16]
    """Shape (BUCKETS,): inverse frequency among the wordings; a bucket counts by that, all of a sentence together as a vector of length 1."""

    def logits(self, rows: Hashed) -> Scores:
        """Scores of sentences."""
        out = np.empty((len(rows), len(self.bias)), np.float32)
        for number, row in enumerate(rows):
            out[number] = weighed(row, self.rarity) @ self.weights[row].astype(np.float32) * self.step + self.bias
        return out


def weighed(row: Buckets, rarity: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """How much each bucket of a sentence counts, all together of length 1."""
    counts = rarity[row].astype(np.float32)
    length = float(np.sqrt(counts @ counts))
    return counts if not length else counts / np.float32(length)


def rarity_of(rows: Hashed) -> npt.NDArray[np.float16]:
    """Smoothed inverse document frequency of each bucket."""
    seen = np.bincount(np.concatenate(list(rows)), minlength=BUCKETS)
    return (np.log((1 + len(rows)) / (1 + seen)) + 1).astype(np.float16)
