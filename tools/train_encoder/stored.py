"""An encoder's weights as they are stored: matrices in 8 bits with their steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

STEP = ".step"


def plain(path: Path) -> dict[str, np.ndarray]:
    """An encoder's weights as floats, without vocabulary and number of layers."""
    with np.load(path) as stored:
        names = [name for name in stored.files if not name.endswith(STEP) and name not in ("vocabulary", "layers")]
        return {
            name: stored[name].astype(np.float32) * (stored[name + STEP] if name + STEP in stored.files else 1.0)
            for name in names
        }


def quantised(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices as 8-bit integers with one step a row (tokens) or a column (layers); vectors as 16-bit floats."""
    stored: dict[str, np.ndarray] = {}
    for name, value in weights.items():
        if value.ndim == 2 and name != "positions":
            step = np.abs(value).max(axis=1 if name == "tokens" else 0, keepdims=True) / 127 + 1e-12
            stored[name], stored[f"{name}.step"] = np.round(value / step).astype(np.int8), step.astype(np.float32)
        else:
            stored[name] = value.astype(np.float16 if name == "positions" else np.float32)
    return stored
