"""The published all-MiniLM-L6-v2 weights (Apache-2.0), renamed to ours; in its float form the same mapping is what training starts from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def load_base(folder: Path, layers: tuple[int, ...]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Vocabulary and weights of the chosen layers, in order. `folder` holds model.safetensors and vocab.txt."""
    raw = load_file(folder / "model.safetensors")
    raw = {name.removeprefix("bert."): value.astype(np.float32) for name, value in raw.items()}
    out = {
        "tokens": raw["embeddings.word_embeddings.weight"],
        "positions": raw["embeddings.position_embeddings.weight"][:64]
        + raw["embeddings.token_type_embeddings.weight"][0],
        "embed.scale": raw["embeddings.LayerNorm.weight"],
        "embed.shift": raw["embeddings.LayerNorm.bias"],
    }
    for new, old in enumerate(layers):
        source, target = f"encoder.layer.{old}", f"layer{new}"
        parts = [f"{source}.attention.self.{part}" for part in ("query", "key", "value")]
        out[f"{target}.qkv"] = np.concatenate([raw[f"{part}.weight"].T for part in parts], axis=1)
        out[f"{target}.qkv.shift"] = np.concatenate([raw[f"{part}.bias"] for part in parts])
        for name, path in {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}.items():
            out[f"{target}.{name}"] = raw[f"{source}.{path}.weight"].T.copy()
            out[f"{target}.{name}.shift"] = raw[f"{source}.{path}.bias"]
        for name, path in {"attended": "attention.output.LayerNorm", "fed": "output.LayerNorm"}.items():
            out[f"{target}.{name}.scale"] = raw[f"{source}.{path}.weight"]
            out[f"{target}.{name}.shift"] = raw[f"{source}.{path}.bias"]
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines(), out
