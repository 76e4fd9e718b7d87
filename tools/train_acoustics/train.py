"""Trains the speech model's ears for rooms, noise, people and synthetic voices; writes all numbers of the network.

    python -m tools.train_acoustics.train MODEL_FOLDER TRAINED.npz [--hold-writer NAME]... [--people FOLDER]... [--noise FILE] [--music FOLDER] [--start TRAINED.npz]

1. Synthetic voices say wordings of the bundled pack (crowd.py). What sound they make when comes from the unchanged model, which hears them without
   noise and is told the words (alignment.py). Real people say what the unchanged model is sure to hear of them without noise (people.py). 2. The same
   recordings are put into rooms and noise (sound.py). 3. The network learns to prefer what is really said to all else (denominator.py). 4. Of all
   recordings of people, words or not, it learns to say in noise what the unchanged one says without, so that it does not get used to machines.
Needs jax, optax and kaldi-native-fbank: they are not part of the product. Neither test voices nor test writers take part.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
import optax
import soundfile
import vosk

from intents.pack import bundled, read_wordings
from tools.fixtures.sound import silence, to_peak
from tools.train_acoustics import crowd, network
from tools.train_acoustics.alignment import Aligner
from tools.train_acoustics.denominator import Bigram
from tools.train_acoustics.features import Extractor, cepstra, read_extractor
from tools.train_acoustics.nnet3 import read_components, read_transitions
from tools.train_acoustics.people import read_music, read_people, sure_words, talk
from tools.train_acoustics.sound import OUTPUTS, Piece, Surroundings, heard, pieces, surroundings

CLEAN, CLEAN_PEOPLE = 0.25, 0.4
REAL = 0.5
"""Share of the sentences that real people say, where there are some."""
BEDS_OF_TALK = 12
SIZE_WEIGHT = 1e-3
SILENCE_PHONES = 10
"""In Vosk's models the first phones are those of silence and noise (endpoint.silence-phones of model.conf)."""
ROOMS = 70
MEAN = 0.99
"""What is written is the mean over about the last hundred steps."""


@dataclass(frozen=True, slots=True)
class Round:
    """A part of the training."""

    steps: int
    rate: float
    batch: int
    """Pieces of synthetic voices in a step."""
    people: int
    """Pieces of people."""
    weight: float
    """Of what is learned of people, against the rest."""


ROUNDS = (Round(650, 3e-4, 36, 10, 0.5),)
"""Where people speak with words too, one is enough; without them a second one had to weigh people more: docs/hearing.md."""


@dataclass(frozen=True, eq=False)
class Sentence:
    """Clean speech with its words in time."""

    samples: Any
    sounds: Any


@dataclass(frozen=True, eq=False)
class Ears:
    """The unchanged model, opened."""

    parameters: network.Parameters
    offsets: dict[str, tuple[int, ...]]
    extractor: Extractor
    silent: Any
    """Shape (sounds,): which outputs are silence."""

    def scores(self, frames: Any) -> Any:
        vector = self.extractor.vectors(frames, [len(frames)])
        return network.forward(self.parameters, self.offsets, network.padded(frames)[None], vector)[0]


def open_model(folder: Path) -> tuple[Ears, Aligner]:
    data = (folder / "am" / "final.mdl").read_bytes()
    components, transitions = read_components(data), read_transitions(data)
    silent = np.zeros(transitions.pdf.max() + 1, np.bool_)
    silent[transitions.pdf[1:][transitions.phone[1:] <= SILENCE_PHONES]] = True
    offsets = {name: layer.offsets for name, layer in components.items() if layer.offsets}
    ears = Ears(network.parameters(components), offsets, read_extractor(folder / "ivector"), silent)
    return ears, Aligner(folder, transitions)


def aligned(ears: Ears, aligner: Aligner, text: str, samples: Any) -> Sentence | None:
    """The recording with its sounds in time; None where it has a word that the model lacks, or doesn't fit."""
    labels = aligner.labels_of(text)
    lattice = aligner.lattice(labels) if labels else None
    found = aligner.align(ears.scores(cepstra(samples * 32767)), lattice) if lattice else None
    return Sentence(samples.astype(np.float32), found[1]) if found else None


def spoken(
    ears: Ears, aligner: Aligner, texts: list[str], engines: Sequence[crowd.Engine], count: int
) -> list[Sentence]:
    """Sentences said by the crowd, aligned."""
    rng = np.random.default_rng(1)
    found = []
    for text in rng.permutation(texts).tolist()[:count]:
        said = crowd.say(text, engines, rng)
        if said is None:
            continue
        before, after = silence(rng.uniform(0.2, 0.5)), silence(rng.uniform(0.3, 0.6))
        found.append(aligned(ears, aligner, text, to_peak(np.concatenate([before, said, after]), -6.0)))
    return [one for one in found if one]


def surely_said(ears: Ears, aligner: Aligner, model: vosk.Model, recordings: list[Any]) -> list[Sentence]:
    """What people say whose words the unchanged model is sure of, aligned."""
    texts = [(sure_words(model, samples), samples) for samples in recordings]
    found = [aligned(ears, aligner, text, samples) for text, samples in texts if text]
    return [one for one in found if one]


def batches(
    ears: Ears, made: list[Sentence], real: list[Sentence], around: Surroundings, size: int, seed: int
) -> Iterator[tuple[Any, ...]]:
    """Frames, i-vectors, sounds and lengths of random pieces, without end. made, real: said by machines, and by people."""
    rng = np.random.default_rng(seed)
    while True:
        kept: list[Piece] = []
        for _ in range(10 * size):
            sentences = real if real and rng.random() < REAL else made
            one = sentences[rng.integers(len(sentences))]
            frames = cepstra(heard(one.samples, around, rng, CLEAN))
            kept += pieces(frames, one.sounds, ears.silent[one.sounds], ears.extractor.vectors, rng)
        order = rng.permutation(len(kept))
        for begin in range(0, len(order) - size + 1, size):
            some = [kept[number] for number in order[begin : begin + size]]
            yield _stacked(some)


def people(ears: Ears, recordings: list[Any], around: Surroundings, size: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """Frames and i-vectors as heard in noise, and as they were, of random pieces, without end."""
    rng = np.random.default_rng(seed)
    while True:
        noisy, clean = [], []
        while len(noisy) < size:
            samples = recordings[rng.integers(len(recordings))]
            begin = rng.integers(max(1, len(samples) - 16000 * 5))
            samples = samples[begin : begin + 16000 * 5]
            before, after = cepstra(samples * 32767), cepstra(heard(samples, around, rng, CLEAN_PEOPLE))
            none = np.zeros(-(-len(before) // network.STEP), np.int64)
            seed_of_cut = int(rng.integers(2**31))
            for frames, place in ((before, clean), (after, noisy)):  # the same cuts of both
                cut = np.random.default_rng(seed_of_cut)
                place += pieces(frames, none, np.zeros(len(none), np.bool_), ears.extractor.vectors, cut)
        yield (*_stacked(noisy[:size])[:2], *_stacked(clean[:size])[:2])


def _stacked(some: list[Piece]) -> tuple[Any, ...]:
    return (
        np.stack([piece.frames for piece in some]),
        np.stack([piece.ivector for piece in some]),
        np.stack([piece.sounds for piece in some]),
        np.array([piece.length for piece in some]),
    )


def train(
    ears: Ears, begin: network.Parameters, bigram: Bigram, said: Iterator[Any], real: Iterator[Any] | None, now: Round
) -> network.Parameters:
    """The network's numbers after a round that began with these."""
    first, steps, rate = jax.tree.map(jnp.asarray, ears.parameters), now.steps, now.rate
    schedule = optax.join_schedules(
        [optax.linear_schedule(0, rate, 50), optax.cosine_decay_schedule(rate, max(1, steps - 50), 0.1)], [50]
    )
    optimiser = optax.chain(optax.clip_by_global_norm(2.0), optax.adam(schedule, b2=0.99))

    def scores(p: Any, x: Any, ivector: Any) -> Any:
        return network.forward(p, ears.offsets, x, ivector, jnp)

    def loss(p: Any, spoken: Any, real: Any) -> Any:
        x, ivector, sounds, length = spoken
        y = scores(p, x, ivector)
        fixed = jax.lax.stop_gradient(y)
        shapes = (jax.ShapeDtypeStruct(y.shape, jnp.float32), jax.ShapeDtypeStruct(y.shape[:1], jnp.float32))
        other, _ = jax.pure_callback(lambda value: bigram.posteriors(np.asarray(value)), shapes, fixed)
        true = jax.nn.one_hot(sounds, y.shape[2])
        mask = (jnp.arange(OUTPUTS)[None] < length[:, None]).astype(jnp.float32)
        # Its gradient is that of mutual information: the true sounds less what is believed.
        result = (((other - true) * y).sum(2) * mask).sum() / mask.sum() + SIZE_WEIGHT * (y * y).mean()
        if real is not None:
            target = scores(first, *real[2:])
            weight = 0.5 * jax.nn.softmax(1.5 * target) + 0.5 / y.shape[2]
            result += now.weight * ((scores(p, *real[:2]) - target) ** 2 * weight).sum(2).mean()
        return result, ((other * true).sum(2) * mask).sum() / mask.sum()

    @jax.jit
    def step(p: Any, state: Any, mean: Any, spoken: Any, real: Any) -> Any:
        (_, sure), gradient = jax.value_and_grad(loss, has_aux=True)(p, spoken, real)
        update, state = optimiser.update(gradient, state, p)
        p = optax.apply_updates(p, update)
        return p, state, jax.tree.map(lambda a, b: MEAN * a + (1 - MEAN) * b, mean, p), sure

    p = mean = jax.tree.map(jnp.asarray, begin)
    state = optimiser.init(p)
    began, recent = time.monotonic(), []
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(lambda: (next(said), next(real) if real else None))
        for number in range(1, steps + 1):
            batch = coming.result()
            coming = ahead.submit(lambda: (next(said), next(real) if real else None))
            p, state, mean, sure = step(p, state, mean, *batch)
            recent.append(float(sure))
            if number % 50 == 0:
                click.echo(f"{number} of {steps}: {np.mean(recent):.3f} sure, {time.monotonic() - began:.0f} s")
                recent = []
    return jax.tree.map(np.asarray, mean)


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--hold-writer", "without_writers", multiple=True, help="Writers of the pack who stay unread.")
@click.option(
    "--people",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Recordings of real people.",
)
@click.option("--noise", type=click.Path(exists=True, path_type=Path), help="A recording of a kitchen, 16 kHz.")
@click.option("--music", type=click.Path(exists=True, path_type=Path), help="A folder of recordings of music.")
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="A trained network to go on from.")
@click.option("--sentences", default=5000, show_default=True)
def main(
    model: Path,
    out: Path,
    without_writers: tuple[str, ...],
    folders: tuple[Path, ...],
    noise: Path | None,
    music: Path | None,
    start: Path | None,
    sentences: int,
) -> None:
    """Trains and writes."""
    ears, aligner = open_model(model)
    texts = sorted(
        {
            example.text
            for pack in bundled()
            for file in sorted((pack / "wordings").glob("*.toml"))
            if file.stem not in without_writers
            for example in read_wordings(file)
        }
    )
    engines = crowd.installed()
    made = spoken(ears, aligner, texts, engines, sentences)
    click.echo(f"{len(made)} sentences by {', '.join(engine.program for engine in engines)}")
    rng = np.random.default_rng(4)
    recordings = read_people(folders, rng)
    real = surely_said(ears, aligner, vosk.Model(str(model)), recordings)
    click.echo(f"{len(real)} of {len(recordings)} recordings of people have sure words")
    pieces_of_music = read_music(music)
    beds = talk(recordings, BEDS_OF_TALK, pieces_of_music, rng) if recordings else {}
    beds |= {"music": pieces_of_music, "kitchen": [soundfile.read(noise)[0]] if noise else []}
    around = surroundings(ROOMS, beds)
    bigram = Bigram((one.sounds for one in [*made, *real]), len(ears.silent))
    values = ears.parameters
    if start is not None:
        with np.load(start) as file:
            values = {name: file[name] for name in file.files}
    for number, now in enumerate(ROUNDS):
        said = batches(ears, made, real, around, now.batch, 2 * number + 3)
        there = people(ears, recordings, around, now.people, 2 * number + 2) if recordings else None
        values = train(ears, values, bigram, said, there, now)
    np.savez(out, allow_pickle=False, **values)


if __name__ == "__main__":
    main()
