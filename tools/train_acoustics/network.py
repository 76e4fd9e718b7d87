"""The network of Vosk's small English model, in numpy or JAX: a chain TDNN-F, as `am/final.mdl` describes it in words.

Its input is a frame with its first and second difference and the i-vector; its output, for every third frame, a score of each of
some two thousand sounds in context (the chain model's own, not probabilities).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.train_acoustics.nnet3 import Array, Component

STEP = 3
"""Input frames an output."""
LEFT, RIGHT = 26, 14
"""Frames that an output needs before and after its own."""
BYPASS = 0.75
"""Share of a layer's input that is added to its output."""
_FIRST, _LAST, _SPARSE_FROM = 2, 12, 5
"""TDNN-F layers, and the first of those that are needed at every third frame only."""

Parameters = dict[str, Any]
"""By component and role: NAME/W and NAME/b of layers, NAME/s and NAME/h (scale and shift) of batch normalisation."""


def parameters(components: dict[str, Component]) -> Parameters:
    """The numbers of the part that decodes; the other half, which served training only, is left out."""
    found: Parameters = {}
    for name, layer in components.items():
        if "xent" in name:
            continue
        if layer.kind == "BatchNormComponent":
            mean, variance = (layer.arrays[key].values.astype(np.float64) for key in ("StatsMean", "StatsVar"))
            scale = layer.numbers["TargetRms"] / np.sqrt(variance + layer.numbers["Epsilon"])
            found[f"{name}/s"], found[f"{name}/h"] = scale.astype(np.float32), (-mean * scale).astype(np.float32)
        else:
            for key, place in layer.arrays.items():
                found[f"{name}/{_role(key)}"] = np.array(place.values)
    return found


def places(components: dict[str, Component], values: Parameters) -> dict[int, Array]:
    """The way back: what is to stand at which byte of the file. Raises ValueError for a scale that no statistics give."""
    found: dict[int, Array] = {}
    for name, layer in components.items():
        if "xent" in name:
            continue
        if layer.kind == "BatchNormComponent":
            scale, shift = (np.asarray(values[f"{name}/{role}"], np.float64) for role in "sh")
            variance = (layer.numbers["TargetRms"] / scale) ** 2 - layer.numbers["Epsilon"]
            if (scale <= 0).any() or (variance < 0).any():
                raise ValueError(f"{name} can't have such scales")
            found[layer.arrays["StatsMean"].offset] = (-shift / scale).astype(np.float32)
            found[layer.arrays["StatsVar"].offset] = variance.astype(np.float32)
        else:
            for key, place in layer.arrays.items():
                found[place.offset] = np.asarray(values[f"{name}/{_role(key)}"], np.float32)
    return found


def _role(token: str) -> str:
    return "b" if token == "BiasParams" else "W"


def padded(frames: Array) -> Array:
    """Frames, shape (n, 40), with what the first and the last output need around them: the outermost frame again."""
    outputs = -(-len(frames) // STEP)
    after = STEP * (outputs - 1) + RIGHT - (len(frames) - 1)
    return np.pad(frames, ((LEFT, max(after, 0)), (0, 0)), "edge")[: STEP * (outputs - 1) + LEFT + 1 + RIGHT]


def forward(p: Parameters, offsets: dict[str, tuple[int, ...]], x: Any, ivector: Any, np: Any = np) -> Any:
    """Scores, shape (batch, outputs, sounds), of frames x, shape (batch, 3 * (outputs - 1) + 41, 40), with i-vectors, shape (batch, 30).

    offsets: of the TDNN components (see nnet3.Component). np: numpy or jax.numpy.
    """

    def normal(name: str, h: Any) -> Any:
        return h * p[f"{name}/s"] + p[f"{name}/h"]

    def affine(name: str, h: Any) -> Any:
        return h @ p[f"{name}/W"].T + p.get(f"{name}/b", 0)

    def tdnn(name: str, h: Any, first: int, step: int) -> tuple[Any, int]:
        """`first`: the frame that h begins with, `step`: frames between two of its rows."""
        if len(offsets[name]) == 1:
            return affine(name, h), first
        shift = (offsets[name][1] - offsets[name][0]) // step
        return affine(name, np.concatenate([h[:, :-shift], h[:, shift:]], 2)), first - offsets[name][0]

    outputs = (x.shape[1] - LEFT - 1 - RIGHT) // STEP + 1
    deltas = [x[:, 2:-2], x[:, 3:-1] - x[:, 1:-3], x[:, :-4] + x[:, 4:] - 2 * x[:, 2:-2]]
    h = normal("delta", np.concatenate(deltas, 2))
    h = np.concatenate([h, np.broadcast_to(ivector[:, None], (*h.shape[:2], ivector.shape[1]))], 2)
    h = normal("tdnn1.batchnorm", np.maximum(affine("tdnn1.affine", h), 0))
    first, step = 2 - LEFT, 1
    for number in range(_FIRST, _LAST + 1):
        if number == _SPARSE_FROM:
            skip = -first % STEP
            h, first, step = h[:, skip::STEP], first + skip, STEP
        layer = f"tdnnf{number}"
        g, begin = tdnn(f"{layer}.linear", h, first, step)
        g, begin = tdnn(f"{layer}.affine", g, begin, step)
        g = normal(f"{layer}.batchnorm", np.maximum(g, 0))
        at = (begin - first) // step
        h, first = g + BYPASS * h[:, at : at + g.shape[1]], begin
    h = affine("prefinal-l", h)[:, -first // STEP : -first // STEP + outputs]
    h = normal("prefinal-chain.batchnorm1", np.maximum(affine("prefinal-chain.affine", h), 0))
    h = normal("prefinal-chain.batchnorm2", affine("prefinal-chain.linear", h))
    return affine("output.affine", h)
