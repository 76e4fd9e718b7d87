"""The last step of understanding: a sentence vector → a probability for each thing that can be meant. A linear map, stored as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from intents.encoder import Vectors

Probabilities = npt.NDArray[np.float32]
"""Shape (sentences, labels), rows add up to 1."""


@dataclass(frozen=True)
class Head:
    """Read-only. `labels` are question, urgent and command ids and `oos:KIND`."""

    labels: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    """Shape (width of the vectors, labels)."""
    bias: npt.NDArray[np.float32]
    temperature: float = 1.0
    """Above 1 softens: set on writers that the weights were not trained on, so that 0.8 means right four times in five."""
    made_from: str = ""
    """Fingerprint of the wordings: tells whether the pack has changed since."""

    def probabilities(self, vectors: Vectors, temperature: float | None = None) -> Probabilities:
        """Calibrated by the head's own temperature, or at another: danger signs are judged at 1, where faint ones stay visible."""
        logits = (vectors @ self.weights + self.bias) / (temperature or self.temperature)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Probabilities = powers / powers.sum(axis=1, keepdims=True)
        return result

    def save(self, path: Path) -> None:
        """Writes one compressed .npz that `load` reads. Raises OSError."""
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            temperature=np.float32(self.temperature),
            made_from=np.array(self.made_from),
        )

    @classmethod
    def load(cls, path: Path) -> Head:
        """Raises OSError or ValueError when the file is missing or isn't a head."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                tuple(map(str, stored["labels"])),
                stored["weights"],
                stored["bias"],
                float(stored["temperature"]),
                str(stored["made_from"]),
            )
