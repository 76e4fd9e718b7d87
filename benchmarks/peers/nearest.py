"""Peers that look for the most similar wording: rapidfuzz, and sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers.peer import Guess, Pair
from benchmarks.peers.vectors import Embedder


class Fuzzy:
    """The wording with the highest score of one of rapidfuzz's scorers, 0 to 100."""

    def __init__(self, scorer: str) -> None:
        from rapidfuzz import fuzz

        self._scorer = getattr(fuzz, scorer)

    def train(self, pairs: Sequence[Pair]) -> None:
        self._texts = [text for text, _ in pairs]
        self._labels = [label for _, label in pairs]

    def predict(self, text: str) -> Guess:
        from rapidfuzz import process

        found = process.extractOne(text, self._texts, scorer=self._scorer)
        return (None, 0.0) if found is None else (self._labels[found[2]], float(found[1]))


class _Vectored:
    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def forget(self, texts: Sequence[str]) -> None:
        """So that the next time costs what the first did."""
        self._embedder.forget(texts)


class NearestVector(_Vectored):
    """The wording whose vector is nearest; the score is the cosine."""

    def train(self, pairs: Sequence[Pair]) -> None:
        self._vectors = self._embedder([text for text, _ in pairs])
        self._labels = [label for _, label in pairs]

    def predict(self, text: str) -> Guess:
        likeness = self._vectors @ self._embedder([text])[0]
        best = int(np.argmax(likeness))
        return self._labels[best], float(likeness[best])


class LinearVector(_Vectored):
    """Softmax regression over sentence vectors (scikit-learn's, C as in intents.compile); the score is the probability."""

    def train(self, pairs: Sequence[Pair]) -> None:
        from intents.compile import fit

        self._head = fit(self._embedder([text for text, _ in pairs]), [label for _, label in pairs])

    def predict(self, text: str) -> Guess:
        row = self._head.probabilities(self._embedder([text]), [])[0]
        best = int(np.argmax(row))
        return self._head.labels[best], float(row[best])
