"""What else could have been said: forward and backward through a bigram of sounds.

The network is trained to make the true sounds likelier than all others (maximum mutual information without lattices, Povey et al., "Purely
sequence-trained neural networks for ASR based on lattice-free MMI", Interspeech 2016), as its makers did; here over a bigram of the network's own
outputs, counted in the alignments, instead of a phone model of four.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Floats = npt.NDArray[Any]
LEAK = 0.03
"""Least share of what may follow that is left to chance."""


class Bigram:
    """Of sounds, with Witten-Bell smoothing: what never followed may."""

    def __init__(self, alignments: Iterable[npt.NDArray[np.int64]], sounds: int) -> None:
        """alignments: the sound at each output, shape (outputs,)."""
        counts = np.zeros((sounds, sounds), np.float32)
        for said in alignments:
            np.add.at(counts, (said[:-1], said[1:]), 1)
        unigram = counts.sum(axis=0) + 0.5
        total = counts.sum(axis=1)
        known = (1 - LEAK) * total / (total + np.maximum((counts > 0).sum(axis=1), 1))
        self.unigram = (unigram / unigram.sum()).astype(np.float32)[:, None]
        self.chance = (1 - known).astype(np.float32)[:, None]
        self.after = csr_matrix(counts / np.maximum(total, 1)[:, None] * known[:, None])
        self.before = self.after.T.tocsr()

    def posteriors(self, scores: Floats) -> tuple[Floats, Floats]:
        """Scores, shape (batch, outputs, sounds) → how probable each sound is at each time, same shape, and the log of the sum over all, shape (batch,)."""
        largest = scores.max(axis=2)
        e = np.exp(scores - largest[:, :, None]).transpose(1, 2, 0).copy()
        forth = np.empty_like(e)
        sums = np.empty((len(e), e.shape[2]), np.float32)
        value = self.unigram * e[0]
        for time in range(len(e)):
            if time:
                last = forth[time - 1]
                value = (self.before @ last + self.unigram * (self.chance * last).sum(axis=0)) * e[time]
            sums[time] = value.sum(axis=0)
            forth[time] = value / sums[time]
        back = np.ones_like(e[0])
        for time in range(len(e) - 2, -1, -1):
            value = back * e[time + 1]
            back = (self.after @ value + self.chance * (self.unigram * value).sum(axis=0)) / sums[time + 1]
            forth[time] *= back
        forth /= forth.sum(axis=1, keepdims=True)
        total = np.log(sums).sum(axis=0) + largest.sum(axis=1)
        return forth.transpose(2, 0, 1).astype(np.float32), total.astype(np.float32)
