"""The last step of a training: adds the n-grams to the head of the bundled pack, and where people stop, and sets its temperature.

    python -m tools.train_encoder.finish ENCODER.npz HEAD.npz [--heard FILE]... [--out HEAD.npz]

The n-grams learn from what the encoder learned from: the wordings, variants of them, what the recognizer made of them, and the background. The
temperature makes the sentences of the writer likeliest on whom settings are made; that writer is in no pack and in no figure.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from intents.compile import TEMPERATURES, ends_of, examples_for, fingerprint, fit_grams, loss_of, vectors
from intents.encoder import Encoder
from intents.grams import hashed
from intents.head import Head
from intents.pack import Example, bundled, load_pack, read_wordings
from intents.text import without_fillers
from tools.train_encoder import corpus

WRITERS = Path(__file__).resolve().parents[2] / "audio_fixtures" / "wordings"
SEEN = ("mavis_jamaican", "hank_coalminer", "ines_housekeeper", "lorna_hillfarm")
"""The test writers on whom settings are made."""
BACKGROUND = 5
"""How often each sentence about anything counts: most of what a room says is of no concern, and wordings are many by now."""


def calibrated_on(head: Head, encoder: Encoder, examples: Sequence[Example]) -> Head:
    """The head with the temperature that makes these sentences likeliest."""
    known = [one for one in examples if one.label in head.labels]
    texts = [without_fillers(one.text) for one in known]
    wanted = np.array([head.labels.index(one.label) for one in known])
    scores = head.logits(vectors(encoder, texts), hashed(texts))
    return replace(head, temperature=float(min(TEMPERATURES, key=lambda t: loss_of(scores / t, wanted))))


@click.command()
@click.argument("encoder_file", type=click.Path(path_type=Path, exists=True))
@click.argument("head_file", type=click.Path(path_type=Path, exists=True))
@click.option("--heard", "heard_files", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--pack", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), help="HEAD.npz itself when not given.")
@click.option("--seed", default=0)
def main(
    encoder_file: Path, head_file: Path, heard_files: tuple[Path, ...], pack: Path | None, out: Path | None, seed: int
) -> None:
    """Finishes HEAD_FILE, which was trained with ENCODER_FILE."""
    head, rng = Head.load(head_file), random.Random(seed)
    folder = pack or bundled()[0]
    known = corpus.wordings([folder])
    samples = [*known, *corpus.heard(heard_files, known), *BACKGROUND * corpus.background()]
    pool, confused = corpus.pools(known), corpus.confusions(heard_files)
    samples += [corpus.varied(sample, rng, pool, confused) for sample in known]
    samples = [sample for sample in samples if sample.label in head.labels]
    grams = fit_grams(hashed([without_fillers(s.text) for s in samples]), [s.label for s in samples])
    examples = examples_for(load_pack(folder))
    finished = calibrated_on(
        replace(
            head,
            grams=grams,
            ends=ends_of(examples),
            made_from=fingerprint(examples),
        ),
        Encoder.load(encoder_file),
        [example for name in SEEN for example in read_wordings(WRITERS / f"{name}.toml")],
    )
    finished.save(out or head_file)
    click.echo(f"{len(samples)} samples, temperature {finished.temperature:.3f}")


if __name__ == "__main__":
    main()
