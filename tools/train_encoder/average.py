"""The mean of two trainings: encoder and head, weight by weight. Better than either on people for whom nobody wrote, at the cost of one.

    python -m tools.train_encoder.average ENCODER HEAD ENCODER HEAD --out ENCODER --head HEAD

N-grams and temperature are not averaged: `tools.train_encoder.finish` makes them anew for the mean. Both must have begun with the same published model
(Wortsman et al., "Model soups", 2022). The first mean shipped was of a training on 23 writers and one on 29: on 1,749 questions of four test writers 96.2, 96.3
and 96.6 % right, and 14, 15 and 10 needless warnings at 2,395 ordinary sentences. Each pair
shipped since is the mean of the one before and a further training of it.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from intents.head import Head
from tools.train_encoder.stored import plain, quantised


def mean_head(first: Head, second: Head) -> Head:
    """Raises ValueError when they tell different labels apart."""
    if first.labels != second.labels:
        raise ValueError("the heads have different labels")
    return Head(first.labels, (first.weights + second.weights) / 2, (first.bias + second.bias) / 2)


@click.command()
@click.argument("files", nargs=4, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--head", "head_file", type=click.Path(path_type=Path), required=True)
def main(files: tuple[Path, ...], out: Path, head_file: Path) -> None:
    """FILES: first encoder, its head, second encoder, its head."""
    first, second = plain(files[0]), plain(files[2])
    with np.load(files[0]) as stored:
        fixed = {name: stored[name] for name in ("vocabulary", "layers")}
    np.savez_compressed(out, **fixed, **quantised({name: (first[name] + second[name]) / 2 for name in first}))
    mean_head(Head.load(files[1]), Head.load(files[3])).save(head_file)


if __name__ == "__main__":
    main()
