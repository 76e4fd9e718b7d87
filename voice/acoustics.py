"""Better ears for the speech model: what was learned about rooms, noise and synthetic voices, added to its acoustic model.

A Vosk model hears by a neural network, `am/final.mdl`. A file of changes (see tools/train_acoustics, which makes it) tells
for one such file, known by its SHA-256, by how much its numbers are to be moved. The shape of the network stays, and so
does the size of its file. A file that the changes were not made for is left as it is.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voice.errors import BacktalkError

log = logging.getLogger(__name__)

CHANGES = Path(__file__).with_name("data") / "acoustics.npz"
"""For Vosk's small English model, vosk-model-small-en-us-0.15."""
MODEL = "am/final.mdl"
"""Where a model folder keeps its network."""


class AcousticsError(BacktalkError):
    """The changes can't be made: a broken file of changes, or another model. The unchanged model still works."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What to add to one acoustic model."""

    sha256: str
    """Of the file that they were made for, in hex digits."""
    size: int
    """Of that file, bytes."""
    parts: tuple[tuple[int, npt.NDArray[np.float32]], ...]
    """Byte offset of a matrix or vector of little-endian 32-bit floats, and what to add to it."""


def read_changes(path: Path) -> Changes:
    """A file of changes: `sha256`, `size`, and for each offset `qOFFSET`, shape (rows, columns), of 8-bit numbers, with
    `sOFFSET`, shape (rows,), what they are to be multiplied by. Raises AcousticsError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [name[1:] for name in file.files if name[0] == "q"]
            parts = tuple((int(at), _amount(file[f"q{at}"], file[f"s{at}"])) for at in sorted(names, key=int))
            return Changes(str(file["sha256"]), int(file["size"]), parts)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise AcousticsError(
            "What was learned for noisy rooms is damaged: please install the program again.", str(error)
        ) from error


def _amount(steps: npt.NDArray[Any], scale: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if steps.ndim != 2 or scale.shape != steps.shape[:1] or not np.isfinite(scale).all():
        raise ValueError(f"changes of shape {steps.shape} with steps of shape {scale.shape}")
    return np.asarray(steps.astype(np.float32) * scale.astype(np.float32)[:, None])


def changed(model: bytes, changes: Changes) -> bytes:
    """The acoustic model with the changes added. Raises AcousticsError for a model that they were not made for."""
    if len(model) != changes.size or hashlib.sha256(model).hexdigest() != changes.sha256:
        raise AcousticsError(
            "This speech model is another one than the program learned noisy rooms with: it is used as it is.",
            f"wanted an acoustic model with SHA-256 {changes.sha256}",
        )
    result = bytearray(model)
    for offset, amount in changes.parts:
        if not 0 <= offset <= len(model) - amount.nbytes:
            raise AcousticsError(
                "What was learned for noisy rooms is damaged: please install the program again.",
                f"{amount.nbytes} bytes to change at {offset} of {len(model)}",
            )
        numbers = np.frombuffer(result, "<f4", amount.size, offset)
        numbers += amount.ravel()
    return bytes(result)


@cache
def bundled() -> Changes:
    """The changes that the program brings along. Raises AcousticsError."""
    return read_changes(CHANGES)


def improved(model: Path) -> bytes | None:
    """The acoustic model with the bundled changes; None, and a line in the log, where they can't be made. Raises OSError."""
    try:
        return changed(model.read_bytes(), bundled())
    except AcousticsError as error:
        log.info("%s (%s)", error, error.reason)
        return None


@cache
def digest() -> str:
    """Changes with the bundled changes; empty where there are none."""
    return hashlib.sha256(CHANGES.read_bytes()).hexdigest()[:16] if CHANGES.is_file() else ""
