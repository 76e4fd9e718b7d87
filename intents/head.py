"""The last step of understanding: a sentence → a probability for each thing that can be meant.

Two linear maps, over its vector and over its n-grams, stored as plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from intents.encoder import Vectors
from intents.ends import Ends
from intents.grams import SHARE, Grams, Hashed, Scores

Probabilities = npt.NDArray[np.float32]
"""Shape (sentences, labels), rows add up to 1."""
GRAMS = tuple(field.name for field in fields(Grams))
"""Its arrays, as they are stored."""


def softmax(scores: Scores, temperature: float) -> Probabilities:
    """Scores → probabilities; a temperature above 1 softens them."""
    scaled = scores / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return result


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
    grams: Grams | None = None
    """What the words and letters say by themselves; None while an encoder is being trained or measured alone."""
    ends: Ends | None = None
    """Where people stop; None in the same case."""

    def logits(self, vectors: Vectors, rows: Hashed) -> Scores:
        """Scores of sentences, given as vectors and as hashed n-grams."""
        scores: Scores = vectors @ self.weights + self.bias
        return scores if self.grams is None else scores + SHARE * self.grams.logits(rows)

    def probabilities(self, vectors: Vectors, rows: Hashed, temperature: float | None = None) -> Probabilities:
        """Calibrated by the head's own temperature, or at another: danger signs are judged at 1, where faint ones stay visible."""
        return softmax(self.logits(vectors, rows), temperature or self.temperature)

    def save(self, path: Path) -> None:
        """Writes one compressed .npz that `load` reads. Raises OSError."""
        parts = {"grams": self.grams, "ends": self.ends}
        arrays = {
            f"{part}.{name}": value
            for part, one in parts.items()
            if one is not None
            for name, value in vars(one).items()
        }
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            temperature=np.float32(self.temperature),
            made_from=np.array(self.made_from),
            **arrays,
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
                Grams(**{name: stored[f"grams.{name}"] for name in GRAMS}) if f"grams.{GRAMS[0]}" in stored else None,
                Ends(stored["ends.weights"], float(stored["ends.bias"])) if "ends.weights" in stored else None,
            )
