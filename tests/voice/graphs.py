"""Language-model graphs made byte by byte, independently of the code under test, from the layouts in OpenFst's headers."""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import struct
from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from voice.fst import ARC, Graph, Symbols, parse_graph, write_const

WORDS = {"<eps>": 0, "my": 3, "facet": 1, "joint": 5, "hurts": 2, "faucet": 4, "drips": 6, "#0": 7, "<s>": 8, "</s>": 8}
"""In no order, with marks, and with one label used twice: as in the published model."""


History = tuple[int, ...]
"""Oldest word first; 0 is the sentence's start."""


def text(value: str) -> bytes:
    return struct.pack("<i", len(value.encode())) + value.encode()


def table(words: Mapping[str, int]) -> bytes:
    rows = b"".join(text(word) + struct.pack("<q", label) for word, label in words.items())
    return (
        struct.pack("<i", 2125658996)
        + text("words.txt")
        + struct.pack("<qq", 1 + max(words.values()), len(words))
        + rows
    )


def header(kind: str, version: int, flags: int, start: int, states: int, arcs: int) -> bytes:
    fixed = struct.pack("<iiQqqq", version, flags, 0x5650001, start, states, arcs)
    return struct.pack("<i", 2125659606) + text(kind) + text("standard") + fixed


@dataclasses.dataclass(frozen=True)
class Ngrams:
    """A backoff model in plain Python: history → (cost of backing off, cost of the end, word → cost)."""

    rows: Mapping[History, tuple[float, float, Mapping[int, float]]]

    def numbered(self) -> dict[History, int]:
        """State numbers of an NGramFst: shorter histories first, then in the order of the words, newest first."""
        return {history: at for at, history in enumerate(sorted(self.rows, key=lambda one: (len(one), one[::-1])))}

    def target(self, history: History, word: int) -> History:
        longest = (*history, word)
        return next(longest[at:] for at in range(len(longest) + 1) if longest[at:] in self.rows)

    def graph(self) -> tuple[list[float], list[tuple[int, int, float, int]]]:
        """Cost of the end of each state; all arcs as source, word, cost, target, in order."""
        number = self.numbered()
        arcs = []
        for history, source in number.items():
            backoff, _, words = self.rows[history]
            if history:
                arcs.append((source, 0, backoff, number[history[1:]]))
            for word in sorted(words):
                arcs.append((source, word, words[word], number[self.target(history, word)]))
        return [self.rows[history][1] for history in number], arcs

    def file(self, symbols: Mapping[str, int] | None = None) -> bytes:
        """An NGramFst file: numbers; bitmaps of histories, arcs and ends; words and costs of each."""
        number = self.numbered()
        tree, shares, ends = [1, 0], [0], []
        for history in number:
            tree += [1] * sum(len(one) == len(history) + 1 and one[1:] == history for one in number) + [0]
            shares += [1] * len(self.rows[history][2]) + [0]
            ends.append(int(math.isfinite(self.rows[history][1])))
        words = [word for history in number for word in sorted(self.rows[history][2])]
        costs = [self.rows[history][2][word] for history in number for word in sorted(self.rows[history][2])]
        finals = [self.rows[history][1] for history in number if math.isfinite(self.rows[history][1])]
        backoffs = [self.rows[history][0] if history else math.inf for history in number]
        oldest = [-1, *(history[0] for history in number if history)]
        tables = table(symbols) * 2 if symbols else b""
        return b"".join([
            header("ngram", 4, 3 if symbols else 0, 1, len(number), 0), tables,
            struct.pack("<QQQ", len(number), len(words), len(finals)),
            bitmap(tree), bitmap(shares), bitmap(ends),
            np.array([*oldest, 0], "<i4").tobytes(), np.array(words, "<i4").tobytes(),
            np.array([*backoffs, 0], "<f4").tobytes(), np.array(finals, "<f4").tobytes(),
            np.array([*costs, 0], "<f4").tobytes(),
        ])  # fmt: skip


def bitmap(bits: Sequence[int]) -> bytes:
    return sum(bit << at for at, bit in enumerate(bits)).to_bytes((len(bits) + 63) // 64 * 8, "little")


def general() -> Ngrams:
    """ "my faucet drips" and "my joint hurts" are likely, a facet is hardly known; normalised."""
    singles = {1: 0.01, 2: 0.15, 3: 0.3, 4: 0.15, 5: 0.1, 6: 0.14}
    chances: dict[History, tuple[float, dict[int, float]]] = {
        (): (0.15, singles),
        (0,): (0.0, {3: 0.8}),
        (3,): (0.0, {4: 0.5, 5: 0.2}),
        (4,): (0.0, {6: 0.7}),
        (5,): (0.3, {2: 0.4}),
        (0, 3): (0.0, {4: 0.55, 5: 0.25}),
    }
    rows = {}
    for history, (end, words) in chances.items():
        shorter = chances[history[1:]]
        missed = 1.0 - sum(words.values()) - end
        if history in {(), (0, 3)}:  # (0, 3) backs off to (3,), which has the same words
            backoff = missed / (1.0 - sum(shorter[1][word] for word in words)) if history else 1.0
        else:
            backoff = missed / (1.0 - sum(singles[word] for word in words) - (0.15 if end else 0.0))
        costs = {word: -math.log(chance) for word, chance in words.items()}
        rows[history] = (-math.log(backoff), -math.log(end) if end else math.inf, costs)
    return Ngrams(rows)


@st.composite
def ngrams(draw: st.DrawFn) -> Ngrams:
    """Any backoff model: with a history, all its suffixes are there, and at least the start's is."""
    drawn = draw(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=3), max_size=8))
    at_start = draw(st.lists(st.lists(st.integers(1, 6), max_size=2), max_size=4))
    longest = [(0,), *map(tuple, drawn), *((0, *one) for one in at_start)]
    histories = {history[at:] for history in longest for at in range(len(history) + 1)}
    cost = st.floats(0, 30, width=32)
    rows = {}
    for history in sorted(histories):
        words = draw(st.dictionaries(st.integers(1, 6), cost, max_size=6))
        rows[history] = (draw(cost), draw(st.one_of(cost, st.just(math.inf))), words)
    return Ngrams(rows)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph, a transducer mostly."""
    states = draw(st.integers(1, 6))
    label = st.integers(0, 9)
    arc = st.tuples(label, label, st.floats(-5, 30, width=32), st.integers(0, states - 1))
    leaving = draw(st.lists(st.lists(arc, max_size=5), min_size=states, max_size=states))
    final = draw(st.lists(st.one_of(st.just(math.inf), st.floats(0, 9, width=32)), min_size=states, max_size=states))
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(one) for one in leaving], dtype=np.int64)])
    arcs = np.array(list(itertools.chain.from_iterable(leaving)), ARC)
    tables = [Symbols(table(WORDS), dict(WORDS)) if draw(st.booleans()) else None for _ in range(2)]
    return Graph(draw(st.integers(0, states - 1)), np.array(final, np.float32), first, arcs, *tables)


def rows_of(graph: Graph) -> list[tuple[int, int, float, int]]:
    arcs = graph.arcs
    found = zip(graph.sources(), arcs["ilabel"], arcs["weight"], arcs["next"], strict=True)
    return [(int(source), int(word), float(weight), int(target)) for source, word, weight, target in found]


def written(graph: Graph) -> bytes:
    stream = io.BytesIO()
    write_const(graph, stream)
    return stream.getvalue()


def same(one: Graph, other: Graph) -> bool:
    parts = ("final", "first", "arcs")
    return one.start == other.start and all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


FILES = {
    "ngram": general().file(WORDS),
    "const": written(parse_graph(general().file(WORDS))),
    "vector": header("vector", 2, 0, 0, 1, 1) + struct.pack("<fq", 0, 1) + struct.pack("<iifi", 1, 1, 0.5, 0),
}


def probabilities(graph: Graph) -> dict[History, dict[int, float]]:
    """Probability of each word, and of the end as -1, after each history of up to two words, by walking the graph."""
    leaving: dict[int, dict[int, tuple[float, int]]] = {state: {} for state in range(graph.states)}
    for source, word, cost, target in rows_of(graph):
        assert word not in leaving[source], "the graph must be deterministic: it is composed on the fly"
        leaving[source][word] = (cost, target)

    def step(state: int, word: int) -> tuple[float, int]:
        cost = 0.0
        while True:
            if word < 0 and math.isfinite(graph.final[state]):
                return math.exp(-cost - graph.final[state]), state
            if word in leaving[state]:
                return math.exp(-cost - leaving[state][word][0]), leaving[state][word][1]
            if 0 not in leaving[state]:
                return 0.0, state
            cost, state = cost + leaving[state][0][0], leaving[state][0][1]

    found = {}
    for history in [(), *((one,) for one in range(1, 7)), *itertools.product(range(1, 7), repeat=2)]:
        state = graph.start
        for word in history:
            _, state = step(state, word)
        found[history] = {word: step(state, word)[0] for word in (-1, 1, 2, 3, 4, 5, 6)}
    return found
