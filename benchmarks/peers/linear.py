"""TF-IDF over words, with a linear support vector machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers.peer import Guess, Pair, need


class TfidfSvm:
    """scikit-learn's TfidfVectorizer (one- and two-word terms, sublinear) and LinearSVC, else as they come; the score is the margin."""

    def __init__(self) -> None:
        need("sklearn", "install the extra peers")

    def train(self, pairs: Sequence[Pair]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC

        # Words of one letter count: "i" and "a" tell a statement about oneself from a question.
        terms = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"[a-z0-9']+")
        self._model = make_pipeline(terms, LinearSVC(random_state=0))
        self._model.fit([text for text, _ in pairs], [label for _, label in pairs])

    def predict(self, text: str) -> Guess:
        margins = self._model.decision_function([text])[0]
        best = int(np.argmax(margins))
        return str(self._model.classes_[best]), float(margins[best])
