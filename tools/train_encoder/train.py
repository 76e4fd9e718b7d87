"""Trains the sentence encoder and the head of the bundled pack together; writes both as plain numbers.

    python -m tools.train_encoder.train --base FOLDER --out intents/data/encoder.npz [--head HEAD.npz] [--hold WRITER]... [--heard FILE]...
                                        [--start ENCODER.npz HEAD.npz]

FOLDER holds the published all-MiniLM-L6-v2 (model.safetensors, vocab.txt). Needs jax, optax and safetensors: they are not part of the product. The token
table stays as published: words that no wording has keep their meaning ("cataract" stays an illness). `--hold` leaves writers out, for figures; the
product's own encoder is trained on all writers of the packs, and on no test writer, test voice or development set. `tools.train_encoder.finish` then adds the
n-grams to the head and sets its temperature. `--start` goes on from an earlier
training when writers have come: a few epochs at a small `--rate` instead of all of them.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
import optax

from intents.encoder import forward, pad
from intents.head import Head
from intents.pack import bundled
from intents.wordpiece import WordPiece
from tools.train_encoder import corpus
from tools.train_encoder.base import load_base
from tools.train_encoder.stored import plain, quantised

BATCH = 48
SMOOTHING = 0.05
EMBEDDING_DROPOUT, VECTOR_DROPOUT = 0.1, 0.2
LONGEST = 64
BACKGROUND = 2
"""How often each sentence about anything is learned from: with one danger sign in five wordings, much else began to sound like one."""
FRAGMENTS = 1500
"""Runs of everyday words that nothing is meant by."""
SCALE = 12.0
"""Of the scores at the start: the vectors have length 1, so that a head without it could be sure of nothing."""


def batch(table: np.ndarray, positions: np.ndarray, sequences: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Embedded tokens and mask, padded to a multiple of 8 so that few shapes are compiled."""
    longest = -(-max(map(len, sequences)) // 8) * 8
    ids, mask = pad([*sequences, [0] * longest])
    return table[ids[:-1]] + positions[:longest], mask[:-1]


def logits(params: Any, embedded: Any, mask: Any, layers: int, key: Any = None) -> Any:
    if key is not None:
        embedded = embedded * jax.random.bernoulli(key, 1 - EMBEDDING_DROPOUT, embedded.shape) / (1 - EMBEDDING_DROPOUT)
    vectors = forward(jnp, params["encoder"], embedded, mask, layers)
    if key is not None:
        kept = jax.random.bernoulli(jax.random.fold_in(key, 1), 1 - VECTOR_DROPOUT, vectors.shape)
        vectors = vectors * kept / (1 - VECTOR_DROPOUT)
    return params["scale"] * (vectors @ params["head"]) + params["bias"]


def begun_with(encoder: Path, head_file: Path, labels: list[str]) -> dict[str, Any]:
    """Parameters of an earlier training. Raises click.UsageError when it told other labels apart."""
    head = Head.load(head_file)
    if list(head.labels) != labels:
        raise click.UsageError("the head to start from has other labels")
    weights = {
        name: jnp.asarray(value) for name, value in plain(encoder).items() if name not in ("tokens", "positions")
    }
    return {"encoder": weights, "head": jnp.asarray(head.weights / SCALE), "bias": jnp.asarray(head.bias)}


@click.command()
@click.option("--base", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path))
@click.option("--head", "head_file", type=click.Path(path_type=Path))
@click.option("--layers", default="0,1,2", help="Layers of the base that are kept.")
@click.option("--start", nargs=2, type=click.Path(path_type=Path, exists=True), help="Encoder and head to go on from.")
@click.option("--epochs", default=7)
@click.option("--rate", default=3e-4)
@click.option("--seed", default=0)
@click.option("--hold", multiple=True, help="A writer to leave out.")
@click.option("--heard", "heard_files", multiple=True, type=click.Path(path_type=Path))
@click.option("--pack", "packs", multiple=True, type=click.Path(path_type=Path))
def main(base: Path, out: Path | None, head_file: Path | None, layers: str,
         start: tuple[Path, Path] | None, epochs: int, rate: float, seed: int, hold: tuple[str, ...],
         heard_files: tuple[Path, ...], packs: tuple[Path, ...]) -> None:  # fmt: skip
    """Trains and writes; see the module."""
    chosen = tuple(map(int, layers.split(",")))
    vocabulary, weights = load_base(base, chosen)
    tokenizer, table, positions = WordPiece(vocabulary), weights.pop("tokens"), weights.pop("positions")
    known = corpus.wordings(packs or bundled()[:1])
    samples = [sample for sample in [*known, *corpus.heard(heard_files, known)] if sample.writer not in hold]
    rng, background = random.Random(seed), corpus.background()
    samples += [*BACKGROUND * background, *corpus.fragments(background, known, FRAGMENTS, rng)]
    pool = corpus.pools([sample for sample in known if sample.writer not in hold])
    confused = corpus.confusions(heard_files)
    labels = sorted({sample.label for sample in samples})
    index = {label: i for i, label in enumerate(labels)}
    click.echo(f"{len(samples)} samples, {len({sample.writer for sample in samples})} writers, {len(labels)} labels")

    params: Any = {
        "encoder": {name: jnp.asarray(value) for name, value in weights.items()},
        "head": jnp.zeros((positions.shape[1], len(labels))),
        "bias": jnp.zeros(len(labels)),
        "scale": jnp.asarray(SCALE),
    }
    if start:
        params = {**params, **begun_with(*start, labels)}
    steps = epochs * (len(samples) // BATCH)
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, max(1, steps // 10), steps, rate * 0.02)
    groups = {
        "encoder": jax.tree.map(lambda _: "encoder", params["encoder"]),
        "head": "head",
        "bias": "head",
        "scale": "head",
    }
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.multi_transform(
            {
                "encoder": optax.adamw(schedule, weight_decay=0.01),
                "head": optax.adamw(lambda step: schedule(step) * 20, weight_decay=0.001),
            },
            groups,
        ),
    )
    state = optimizer.init(params)

    def loss(params: Any, embedded: Any, mask: Any, wanted: Any, key: Any) -> Any:
        scores = logits(params, embedded, mask, len(chosen), key)
        target = jax.nn.one_hot(wanted, len(labels)) * (1 - SMOOTHING) + SMOOTHING / len(labels)
        return -(target * jax.nn.log_softmax(scores)).sum(-1).mean()

    @jax.jit
    def step(params: Any, state: Any, embedded: Any, mask: Any, wanted: Any, key: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(params, embedded, mask, wanted, key)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    key, begun = jax.random.PRNGKey(seed), time.time()
    for epoch in range(epochs):
        order = rng.sample(range(len(samples)), len(samples))
        batches = []
        for start in range(0, len(order), BATCH * 16):
            fresh = [corpus.varied(samples[i], rng, pool, confused) for i in order[start : start + BATCH * 16]]
            coded = sorted(
                ((tokenizer.encode(s.text, LONGEST), index[s.label]) for s in fresh), key=lambda pair: len(pair[0])
            )
            batches += [coded[i : i + BATCH] for i in range(0, len(coded) - BATCH + 1, BATCH)]
        rng.shuffle(batches)
        total = 0.0
        for rows in batches:
            embedded, mask = batch(table, positions, [ids for ids, _ in rows])
            key, fold = jax.random.split(key)
            params, state, value = step(params, state, embedded, mask, np.array([label for _, label in rows]), fold)
            total += float(value)
        click.echo(f"epoch {epoch + 1}: loss {total / len(batches):.3f}, {time.time() - begun:.0f} s")

    trained = {name: np.asarray(value) for name, value in params["encoder"].items()}
    if out:
        stored = quantised({"tokens": table, "positions": positions, **trained})
        out.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            out,
            vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
            layers=np.int64(len(chosen)),
            **stored,
        )
    if head_file:
        scale = float(params["scale"])
        Head(tuple(labels), np.asarray(params["head"]) * scale, np.asarray(params["bias"])).save(head_file)


if __name__ == "__main__":
    main()
