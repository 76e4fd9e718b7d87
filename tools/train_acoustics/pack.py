"""Makes the small file of changes that the program brings along (voice/acoustics.py) of trained networks.

python -m tools.train_acoustics.pack MODEL_FOLDER TRAINED.npz [TRAINED.npz ...] voice/data/acoustics.npz
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from tools.train_acoustics.network import parameters, places
from tools.train_acoustics.nnet3 import Array, read_components

STEPS = 127
SHARE = 0.5
"""How much of the way from the published network to the trained one is gone: half of it keeps most of what was learned of synthetic voices, and what the
network knew of people (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, average weights so).
"""


def between(published: dict[str, Array], trained: Sequence[dict[str, Array]], share: float) -> dict[str, Array]:
    """Numbers on the way from one network (see network.parameters) to the mean of others, which erred each in its own way."""
    return {
        name: old + share * (np.mean([one[name] for one in trained], axis=0) - old) for name, old in published.items()
    }


def changes(model: bytes, values: dict[str, Array]) -> dict[str, Array]:
    """Rows of 8-bit steps with the size of a step; vectors are a column, so that each number has a step of its own."""
    made: dict[str, Array] = {
        "sha256": np.array(hashlib.sha256(model).hexdigest()),
        "size": np.array(len(model)),
    }
    for offset, new in places(read_components(model), values).items():
        old = np.frombuffer(model, "<f4", new.size, offset).reshape(new.shape)
        amount = (new.astype(np.float64) - old).reshape(len(new), -1)
        step = np.abs(amount).max(axis=1) / STEPS
        whole = np.round(amount / np.where(step > 0, step, 1.0)[:, None])
        made[f"q{offset}"], made[f"s{offset}"] = whole.astype(np.int8), step.astype(np.float32)
    return made


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("trained", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--share", default=SHARE, show_default=True, help="0 for the published network, 1 for the trained one.")
def main(model: Path, trained: tuple[Path, ...], out: Path, share: float) -> None:
    """Writes the changes between a Vosk model folder and the mean of trained networks."""
    networks = []
    for path in trained:
        with np.load(path) as file:
            networks.append({name: file[name] for name in file.files})
    data = (model / "am" / "final.mdl").read_bytes()
    values = between(parameters(read_components(data)), networks, share)
    np.savez_compressed(out, allow_pickle=False, **changes(data, values))
    click.echo(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
