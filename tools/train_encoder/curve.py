"""Learning curve: trains an encoder and a head on 1, 2, 4, ... writers and writes each pair to a folder. The figures are made by tools.understanding_figures.

    python -m tools.train_encoder.curve --base FOLDER --out FOLDER [--writers 1,2,4,8]

Each size holds the writers of the smaller ones and some more, in an order drawn once. All sizes have the same settings and number of epochs, so that a point
differs from the next by its writers alone. What Vosk made of recordings is left out: it isn't there for every writer.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from intents.pack import bundled, wording_files

SEED = 5
EPOCHS = 4


def in_order(names: Sequence[str], seed: int = SEED) -> list[str]:
    """The writers in the order in which they join; the same on every machine."""
    return random.Random(seed).sample(sorted(names), len(names))


def held_out(names: Sequence[str], size: int, seed: int = SEED) -> list[str]:
    """The writers that a training on `size` of them leaves out. Raises ValueError when there aren't so many."""
    if not 1 <= size <= len(names):
        raise ValueError(f"{size} writers were asked for, there are {len(names)}")
    return in_order(names, seed)[size:]


def files(folder: Path, size: int) -> tuple[Path, Path]:
    """Encoder and head of one point."""
    return folder / f"encoder{size}.npz", folder / f"head{size}.npz"


def arguments(base: Path, folder: Path, names: Sequence[str], size: int, epochs: int, seed: int = SEED) -> list[str]:
    """Command line of tools.train_encoder.train for one point."""
    encoder, head = files(folder, size)
    held = [part for name in held_out(names, size, seed) for part in ("--hold", name)]
    return ["--base", str(base), "--out", str(encoder), "--head", str(head), "--epochs", str(epochs), *held]


@click.command()
@click.option("--base", type=click.Path(path_type=Path), required=True, help="Folder of the published MiniLM.")
@click.option("--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--writers", default="1,2,4,8", show_default=True, help="Numbers of writers.")
@click.option("--epochs", default=EPOCHS, show_default=True)
@click.option("--seed", default=SEED, show_default=True, help="Of the order of the writers.")
def main(base: Path, folder: Path, writers: str, epochs: int, seed: int) -> None:
    """Trains one encoder and head for each number of writers, the smallest first; what is there already stays."""
    names = [path.stem for path in wording_files(bundled()[0])]
    folder.mkdir(parents=True, exist_ok=True)
    for size in map(int, writers.split(",")):
        if all(path.is_file() for path in files(folder, size)):
            continue
        click.echo(f"{size}: {', '.join(in_order(names, seed)[:size])}")
        command = [sys.executable, "-m", "tools.train_encoder.train"]
        subprocess.run([*command, *arguments(base, folder, names, size, epochs, seed)], check=True)


if __name__ == "__main__":
    main()
