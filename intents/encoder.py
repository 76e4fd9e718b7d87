"""A small sentence encoder: text → a vector in which what means the same lies close. Plain numbers and numpy; no model is fetched.

The architecture is BERT's (Devlin et al. 2019). The weights began as all-MiniLM-L6-v2 (Apache-2.0), of which the first layers were kept and then trained on the
wordings of many writers (`tools/train_encoder`). Stored as 8-bit integers with one scale a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from intents.wordpiece import WordPiece

HEADS = 12
Array = Any
"""A numpy array here, a jax array when the same code is trained."""
Vectors = npt.NDArray[np.float32]
"""Shape (sentences, width), each row of length 1."""


def _normed(xp: ModuleType, x: Array, weights: Mapping[str, Array], name: str) -> Array:
    mean = x.mean(-1, keepdims=True)
    spread = x - mean
    variance = (spread * spread).mean(-1, keepdims=True)
    return spread / xp.sqrt(variance + 1e-12) * weights[f"{name}.scale"] + weights[f"{name}.shift"]


def _gelu(xp: ModuleType, x: Array) -> Array:
    """The tanh form (Hendrycks & Gimpel 2016): no special function is needed."""
    return 0.5 * x * (1.0 + xp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def _attend(xp: ModuleType, x: Array, mask: Array, weights: Mapping[str, Array], layer: str) -> Array:
    batch, length, width = x.shape
    qkv = (x @ weights[f"{layer}.qkv"] + weights[f"{layer}.qkv.shift"]).reshape(batch, length, 3, HEADS, width // HEADS)
    query, key, value = (qkv[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    scores = query @ key.transpose(0, 1, 3, 2) / float(np.sqrt(width // HEADS)) + (mask[:, None, None, :] - 1.0) * 1e4
    scores = xp.exp(scores - scores.max(-1, keepdims=True))
    scores = scores / scores.sum(-1, keepdims=True)
    mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
    return mixed @ weights[f"{layer}.out"] + weights[f"{layer}.out.shift"]


def forward(xp: ModuleType, weights: Mapping[str, Array], embedded: Array, mask: Array, layers: int) -> Array:
    """Sum of token, position and type embeddings (batch, length, width), mask (batch, length) of 1 and 0 → unit vectors (batch, width), mean-pooled."""
    x = _normed(xp, embedded, weights, "embed")
    for layer in (f"layer{i}" for i in range(layers)):
        x = _normed(xp, x + _attend(xp, x, mask, weights, layer), weights, f"{layer}.attended")
        inner = _gelu(xp, x @ weights[f"{layer}.up"] + weights[f"{layer}.up.shift"])
        x = _normed(xp, x + inner @ weights[f"{layer}.down"] + weights[f"{layer}.down.shift"], weights, f"{layer}.fed")
    pooled = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    return pooled / xp.sqrt((pooled * pooled).sum(-1, keepdims=True) + 1e-12)


def pad(sequences: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Token ids of different lengths → ids and mask, both (batch, longest)."""
    longest = max(len(ids) for ids in sequences)
    ids = np.zeros((len(sequences), longest), np.int32)
    mask = np.zeros((len(sequences), longest), np.float32)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1.0
    return ids, mask


def alike(lengths: Sequence[int], waste: float = 1.6) -> list[list[int]]:
    """Indices in groups of like length, so that little time is spent on padding."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if groups and lengths[index] <= waste * lengths[groups[-1][0]]:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


class Encoder:
    """Read-only and shared: one set of weights serves every conversation."""

    def __init__(self, vocabulary: Sequence[str], weights: Mapping[str, npt.NDArray[Any]], layers: int) -> None:
        self.tokenizer = WordPiece(vocabulary)
        self.layers = layers
        # The table is by far the largest part: it stays in 8 bits, and only the rows that are used become floats.
        self._table, self._table_scale = weights["tokens"], weights["tokens.step"]
        self._positions = np.asarray(weights["positions"], np.float32)
        self._weights = {
            name: value.astype(np.float32) * weights[f"{name}.step"]
            if value.dtype == np.int8
            else value.astype(np.float32)
            for name, value in weights.items()
            if name not in ("tokens", "tokens.step", "positions") and not name.endswith(".step")
        }

    @property
    def width(self) -> int:
        """Length of a sentence vector."""
        return int(self._positions.shape[1])

    @classmethod
    def load(cls, path: Path) -> Encoder:
        """Raises OSError or ValueError when the file is missing or isn't an encoder."""
        with np.load(path, allow_pickle=False) as stored:
            weights = {name: stored[name] for name in stored.files}
        vocabulary = bytes(weights.pop("vocabulary")).decode().split("\n")
        return cls(vocabulary, weights, int(weights.pop("layers")))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (len(texts), width) of the texts."""
        out = np.zeros((len(texts), self.width), np.float32)
        coded = [self.tokenizer.encode(text) for text in texts]
        for rows in alike([len(ids) for ids in coded]):
            ids, mask = pad([coded[row] for row in rows])
            embedded = self._table[ids].astype(np.float32) * self._table_scale[ids] + self._positions[: ids.shape[1]]
            out[rows] = forward(np, self._weights, embedded, mask, self.layers)
        return out
