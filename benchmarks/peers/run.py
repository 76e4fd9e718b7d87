"""One run: all peers, the same wordings to learn from, the same sentences to answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.corpus import lines_of, pair_key, pairs, sample
from benchmarks.peers.hearing import Transcript
from benchmarks.peers.nearest import LinearVector, NearestVector
from benchmarks.peers.peer import About, Guess, Missing, Peer
from benchmarks.peers.product import Product
from benchmarks.peers.roster import BACKTALK, PEERS, Encoders
from benchmarks.peers.score import best_threshold, decided, figures
from intents.heard import Heard
from intents.pack import Example
from intents.text import normalise
from intents.understand import Understander
from voice.evaluate.figures import Rate
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result

TIMED = 50
"""Sentences to time a peer on."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tried:
    """A set of sentences: what was said, and the text that every peer is given."""

    name: str
    lines: tuple[Line, ...]
    texts: tuple[str, ...]
    readings: tuple[Heard, ...] = ()
    """For recordings: all that was heard; used only by Backtalk's second row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One peer."""

    name: str
    about: About
    trained_on: int
    training_s: float
    """Without vectors that another row or the cache had already."""
    threshold: float | None
    sentence_ms: float
    """Mean time for one sentence."""
    figures: Mapping[str, Mapping[str, Rate]]
    """Set → figure → rate."""


def tried_texts(name: str, lines: Sequence[Line]) -> Tried:
    """The lines' true texts."""
    return Tried(name, tuple(lines), tuple(normalise(line.text or "") for line in lines))


def tried_recordings(name: str, lines: Sequence[Line], heard: Sequence[Transcript]) -> Tried:
    """What a recognizer made of the lines' recordings."""
    return Tried(name, tuple(lines), tuple(normalise(one.text) for one in heard), tuple(one.heard for one in heard))


def peer_row(
    name: str, examples: Sequence[Example], held_out: str, sets: Sequence[Tried], encoders: Encoders, most: int | None
) -> Row:
    """Trains twice: without the held-out writer to find the threshold, then with all. Raises Missing."""
    about, make = PEERS[name]
    limit = min((one for one in (about.most, most) if one is not None), default=None)
    threshold = None
    if about.tuned:
        threshold = _threshold(make(encoders), examples, held_out, limit)
    peer = make(encoders)
    everything = sample(pairs(examples), limit, pair_key)
    begun = time.perf_counter()
    peer.train(everything)
    training_s = time.perf_counter() - begun
    answered = [(one, _guesses(peer, one.texts)) for one in sets]
    sentence_ms = _sentence_ms(peer, sets)
    rates = {one.name: figures(decided(one.lines, guesses, one.texts, threshold)) for one, guesses in answered}
    return Row(name, about, len(everything), training_s, threshold, sentence_ms, rates)


def _threshold(peer: Peer, examples: Sequence[Example], held_out: str, limit: int | None) -> float | None:
    peer.train(sample(pairs(one for one in examples if one.writer != held_out), limit, pair_key))
    lines = lines_of(one for one in examples if one.writer == held_out)
    return best_threshold(lines, _guesses(peer, [line.text or "" for line in lines]))


def _guesses(peer: Peer, texts: Sequence[str]) -> list[Guess]:
    return [peer.predict(text) if text else (None, 0.0) for text in texts]


def _sentence_ms(peer: Peer, sets: Sequence[Tried]) -> float:
    """Mean over some sentences, vectors included where there are any."""
    texts = [text for one in sets for text in one.texts if text][:TIMED]
    if isinstance(peer, NearestVector | LinearVector):
        peer.forget(texts)
    begun = time.perf_counter()
    _guesses(peer, texts)
    return 1000 * (time.perf_counter() - begun) / max(1, len(texts))


def product_rows(understander: Understander, examples: Sequence[Example], sets: Sequence[Tried]) -> list[Row]:
    """Backtalk with the same text as the others; and, for recordings, with all that it hears."""
    rows = [_product_row("Backtalk", understander, examples, sets, readings=False)]
    spoken = [one for one in sets if any(heard.alternatives for heard in one.readings)]
    if spoken:
        rows.append(_product_row("Backtalk, all readings", understander, examples, spoken, readings=True))
    return rows


def _product_row(
    name: str, understander: Understander, examples: Sequence[Example], sets: Sequence[Tried], readings: bool
) -> Row:
    product = Product(understander)
    rates = {}
    begun = time.perf_counter()
    for one in sets:
        heard = one.readings if readings else tuple(Heard(text) for text in one.texts)
        rates[one.name] = figures(
            [Result(line, product.reply(what)) for line, what in zip(one.lines, heard, strict=True)]
        )
    about = About("as above, given every reading of a recording", tuned=False, readings=True) if readings else BACKTALK
    return Row(name, about, len(pairs(examples)), 0.0, None, _mean_ms(begun, sets), rates)


def _mean_ms(begun: float, sets: Sequence[Tried]) -> float:
    return 1000 * (time.perf_counter() - begun) / max(1, sum(len(one.texts) for one in sets))


def all_rows(
    names: Sequence[str],
    understander: Understander,
    examples: Sequence[Example],
    held_out: str,
    sets: Sequence[Tried],
    encoders: Encoders,
    most: int | None,
    say: Say,
) -> tuple[list[Row], dict[str, str]]:
    """A row for each peer that runs here, Backtalk's last; and for each other the reason why not."""
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for name in names:
        say(f"{name} ...")
        try:
            rows.append(peer_row(name, examples, held_out, sets, encoders, most))
        except Missing as error:
            missing[name] = str(error)
            say(f"{name}: {error}")
    say("Backtalk ...")
    return rows + product_rows(understander, examples, sets), missing
