"""Which sound is said when, if the words are known: the best way through the model's own dictionary graph (`graph/HCLr.fst`).

The graph turns transition ids into words. Only those of its paths are kept that say the sentence, and of them the likeliest is
found (Viterbi). Its "disambiguation" ids (`graph/disambig_tid.int`) take no time.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.train_acoustics.nnet3 import Transitions
from voice.fst import Graph, parse_graph, read_words

Longs = npt.NDArray[np.int64]
_OPENFST = struct.pack("<i", 2125659606)


def read_dictionary(path: Path) -> Graph:
    """The constant FST inside a file of type olabel_lookahead, without its look-ahead tables. Raises LanguageModelError."""
    data = path.read_bytes()
    begin = data.index(_OPENFST, 4)
    states, arcs = struct.unpack_from("<qq", data, begin + 4 + 9 + 12 + 8 + 8 + 8)
    end = begin + 4 + 9 + 12 + 8 + 8 + 8 + 16 + 20 * states + 16 * arcs
    return parse_graph(data[begin:end])


@dataclass(frozen=True, eq=False)
class Lattice:
    """All ways to say a sentence. Its nodes are numbered from 0, the start."""

    arcs: list[tuple[int, int, int, float]]
    """From, to, transition id, cost."""
    final: dict[int, float]
    """Cost of ending in a node."""
    nodes: int


class Aligner:
    """Holds the dictionary graph in the orders that the search needs. Keeps what it found out about words."""

    def __init__(self, model: Path, transitions: Transitions) -> None:
        """model: a Vosk model folder. Raises LanguageModelError and OSError."""
        self.graph = read_dictionary(model / "graph" / "HCLr.fst")
        self.labels = read_words(model / "graph" / "Gr.fst") or {}
        self.silent_ids = {int(number) for number in (model / "graph" / "disambig_tid.int").read_text().split()} | {0}
        self.pdf = transitions.pdf
        arcs, sources = self.graph.arcs, self.graph.sources()
        wordless = np.flatnonzero((arcs["olabel"] == 0) & (sources != arcs["next"]))
        begins, ends = sources[wordless].astype(np.int64), arcs["next"][wordless].astype(np.int64)
        self.forth = _adjacency(begins, ends, self.graph.states)
        self.back = _adjacency(ends, begins, self.graph.states)
        worded = np.flatnonzero(arcs["olabel"])
        worded = worded[np.argsort(arcs["olabel"][worded], kind="stable")]
        labels, first = np.unique(arcs["olabel"][worded], return_index=True)
        self.saying: dict[int, Longs] = dict(zip(labels.tolist(), np.split(worded, first[1:]), strict=True))
        self.sources = sources
        self._leading = lru_cache(maxsize=3000)(self._leading_to)

    def labels_of(self, sentence: str) -> list[int] | None:
        """The words' labels; None when one is not in the dictionary."""
        words = re.findall(r"[a-z0-9']+", sentence.lower().replace("’", "'"))
        labels = [self.labels.get(word, 0) for word in words]
        return labels if labels and all(label in self.saying for label in labels) else None

    def lattice(self, labels: list[int]) -> Lattice | None:
        """All ways to say these words; None when there is none."""
        arcs, graph = self.graph.arcs, self.graph
        number: dict[tuple[int, int], int] = {(graph.start, 0): 0}
        found: list[tuple[int, int, int, float]] = []
        begin: Longs = np.array([graph.start])
        states: Longs = begin
        for place in range(len(labels) + 1):
            word = labels[place] if place < len(labels) else 0
            useful = np.unpackbits(self._leading(word), count=graph.states).view(np.bool_)
            reached = _closure(begin, self.forth, graph.states, useful)
            states = np.flatnonzero(reached)
            for state in states.tolist():
                node = number.setdefault((state, place), len(number))
                for arc in arcs[graph.first[state] : graph.first[state + 1]].tolist():
                    transition, label, cost, target = arc
                    if label == 0 and reached[target]:
                        to = number.setdefault((target, place), len(number))
                    elif label and label == word:
                        to = number.setdefault((target, place + 1), len(number))
                    else:
                        continue
                    found.append((node, to, transition, cost))
            if word:
                saying = self.saying[word]
                begin = np.unique(arcs["next"][saying[reached[self.sources[saying]]]]).astype(np.int64)
        final = {
            number[state, len(labels)]: float(graph.final[state])
            for state in states.tolist()
            if np.isfinite(graph.final[state])
        }
        return Lattice(found, final, len(number)) if final else None

    def align(self, scores: npt.NDArray[Any], lattice: Lattice) -> tuple[float, Longs] | None:
        """Scores of the network, shape (outputs, sounds) → mean score on the best way, and the sound at each output, shape (outputs,).

        None when the sentence doesn't fit into the time.
        """
        begins, ends, ids, costs, final = self._timed(lattice)
        if not len(ends):
            return None
        targets, first = np.unique(ends, return_index=True)
        counts, numbers = np.diff([*first, len(ends)]), np.arange(len(ends))
        sounds = self.pdf[ids]
        cost = np.full(lattice.nodes, np.inf)
        cost[0] = 0.0
        best: list[Longs] = []
        for row in scores:
            through = cost[begins] + costs - row[sounds]
            least = np.minimum.reduceat(through, first)
            chosen = np.where(through == np.repeat(least, counts), numbers, len(ends))
            cost, arc = np.full(lattice.nodes, np.inf), np.full(lattice.nodes, -1)
            cost[targets], arc[targets] = least, np.minimum.reduceat(chosen, first)
            best.append(arc)
        node = int((cost + final).argmin())
        total = (cost + final)[node]
        if not np.isfinite(total):
            return None
        said = np.zeros(len(scores), np.int64)
        for time in range(len(scores) - 1, -1, -1):
            arc_taken = best[time][node]
            said[time], node = sounds[arc_taken], begins[arc_taken]
        return float(-total / len(scores)), said

    def _timed(self, lattice: Lattice) -> tuple[Any, Any, Any, Any, Any]:
        """The arcs that take time, ordered by where they lead, with those that take none walked in advance; the cost of ending."""
        instant: dict[int, list[tuple[int, float]]] = {}
        timed: dict[int, list[tuple[int, int, float]]] = {}
        for begin, end, transition, cost in lattice.arcs:
            if transition in self.silent_ids:
                instant.setdefault(begin, []).append((end, cost))
            else:
                timed.setdefault(begin, []).append((end, transition, cost))
        final = np.full(lattice.nodes, np.inf)
        rows = []
        for begin in range(lattice.nodes):
            near = {begin: 0.0}
            walk = [begin]
            while walk:
                here = walk.pop()
                for end, cost in instant.get(here, ()):
                    if near[here] + cost < near.get(end, np.inf):
                        near[end] = near[here] + cost
                        walk.append(end)
            for here, so_far in near.items():
                rows += [(begin, end, transition, cost + so_far) for end, transition, cost in timed.get(here, ())]
                final[begin] = min(final[begin], so_far + lattice.final.get(here, np.inf))
        rows.sort(key=lambda row: row[1])
        begins, ends, ids = (np.array([row[column] for row in rows], np.int64) for column in range(3))
        return begins, ends, ids, np.array([row[3] for row in rows]), final

    def _leading_to(self, word: int) -> npt.NDArray[np.uint8]:
        """The states from which the word, or with 0 the end, can be reached without another; as bits."""
        seed = self.sources[self.saying[word]] if word else np.flatnonzero(np.isfinite(self.graph.final))
        return np.packbits(_closure(seed.astype(np.int64), self.back, self.graph.states))


def _adjacency(begins: Longs, ends: Longs, states: int) -> tuple[Longs, Longs]:
    """Where each state's neighbours begin, shape (states + 1,), and the neighbours."""
    order = np.argsort(begins, kind="stable")
    return np.searchsorted(begins[order], np.arange(states + 1)), ends[order]


def _closure(
    seed: Longs, adjacency: tuple[Longs, Longs], states: int, within: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """What can be reached from the seed, itself included, shape (states,)."""
    first, neighbours = adjacency
    reached = np.zeros(states, np.bool_)
    edge = np.unique(seed)
    while True:
        edge = edge[~reached[edge]]
        if within is not None:
            edge = edge[within[edge]]
        if not len(edge):
            return reached
        reached[edge] = True
        counts = first[edge + 1] - first[edge]
        starts = np.repeat(first[edge] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        edge = np.unique(neighbours[starts + np.arange(counts.sum())])
