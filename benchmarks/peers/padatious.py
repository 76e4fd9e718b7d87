"""Padatious, in the form that is maintained (ovos-padatious): a small neural network for each id, beside exact matching."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

from benchmarks.peers.corpus import by_label
from benchmarks.peers.peer import Guess, Pair, need

INSTALL = "pip install ovos-padatious; its dependency fann2 is compiled: it wants libfann-dev, a swig that is called swig2.0, and libdoublefann in /usr/local/lib"


class Padatious:
    """Each wording is an example as it is; the score is its confidence."""

    def __init__(self) -> None:
        self._module = need("ovos_padatious", INSTALL)

    def train(self, pairs: Sequence[Pair]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="padatious-")
        self._container = self._module.IntentContainer(self._folder.name)
        for name, texts in by_label(pairs).items():
            self._container.add_intent(name, texts)
        self._container.train(debug=False)

    def predict(self, text: str) -> Guess:
        found = self._container.calc_intent(text) if text else None
        return (found.name, float(found.conf)) if found is not None and found.name else (None, 0.0)
