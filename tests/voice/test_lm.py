"""Teaching the recognizer: OpenFst files byte by byte, the arithmetic of the mixed model, folders whole or absent.

The word error rates that the parameters were chosen by need an hour of decoding, and aren't measured here.
"""

from __future__ import annotations

import dataclasses
import errno
import io
import itertools
import json
import math
import os
import struct
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice import fst, lm
from voice.audio import frames, read_audio
from voice.errors import BacktalkError
from voice.fst import ARC, Graph, LanguageModelError, Symbols, parse_graph, read_graph, read_words, write_const
from voice.model import MANIFEST, check_model, load_model
from voice.ngram import graph_of, learn, mix, model_of, tokens
from voice.progress import silent
from voice.stt import Recognizer

DATA = Path(__file__).parent / "data"
WORDS = {"<eps>": 0, "my": 3, "facet": 1, "joint": 5, "hurts": 2, "faucet": 4, "drips": 6, "#0": 7, "<s>": 8, "</s>": 8}
"""In no order, with marks, and with one label used twice: as in the published model."""

History = tuple[int, ...]
"""Oldest word first; 0 is the sentence's start."""


# Files made here, independently of the code under test, from the layouts in OpenFst's headers


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


# Reading and writing


@given(ngrams())
def test_an_ngram_file_is_read_as_the_graph_it_stands_for(model: Ngrams) -> None:
    graph = parse_graph(model.file(WORDS))
    finals, arcs = model.graph()
    assert graph.start == 1
    assert graph.final.tolist() == np.array(finals, np.float32).tolist()
    assert rows_of(graph) == [(source, word, float(np.float32(cost)), to) for source, word, cost, to in arcs]
    assert np.array_equal(graph.arcs["ilabel"], graph.arcs["olabel"])
    assert graph.osymbols is not None
    assert graph.osymbols.ids == WORDS


@given(graphs())
def test_what_is_written_is_read_back(graph: Graph) -> None:
    data = written(graph)
    back = parse_graph(data)
    assert same(back, graph)
    assert [table and table.raw for table in (back.isymbols, back.osymbols)] == [
        table and table.raw for table in (graph.isymbols, graph.osymbols)
    ]
    assert written(back) == data


@given(graphs())
def test_the_aligned_const_and_the_vector_layout_are_read_too(graph: Graph) -> None:
    counts = np.diff(graph.first)
    head = header("const", 1, 0, graph.start, graph.states, len(graph.arcs))
    records = b""
    for at in range(graph.states):
        labels = [graph.arcs[label][graph.first[at] : graph.first[at + 1]] for label in ("ilabel", "olabel")]
        epsilons = [int((label == 0).sum()) for label in labels]
        records += struct.pack("<fIIII", graph.final[at], graph.first[at], counts[at], *epsilons)
    aligned = head + bytes(-len(head) % 16) + records
    aligned += bytes(-len(aligned) % 16) + graph.arcs.tobytes()
    assert same(parse_graph(aligned), graph)

    vector = header("vector", 2, 0, graph.start, graph.states, len(graph.arcs))
    for at in range(graph.states):
        vector += struct.pack("<fq", graph.final[at], counts[at])
        vector += graph.arcs[graph.first[at] : graph.first[at + 1]].tobytes()
    assert same(parse_graph(vector), graph)


def test_the_properties_that_composition_needs_are_told() -> None:
    data = written(parse_graph(general().file()))
    (properties,) = struct.unpack_from("<Q", data, data.index(b"standard") + 8 + 8)
    assert properties == 0x1 | 0x10000 | 0x40000 | 0x1000000 | 0x4000000 | 0x10000000 | 0x40000000
    unsorted = np.array([(2, 2, 0.0, 0), (1, 3, 0.0, 0)], ARC)
    data = written(Graph(0, np.zeros(1, np.float32), np.array([0, 2]), unsorted))
    (properties,) = struct.unpack_from("<Q", data, data.index(b"standard") + 8 + 8)
    assert properties == 0x1 | 0x20000 | 0x2000000 | 0x8000000 | 0x20000000 | 0x40000000


FILES = {
    "ngram": general().file(WORDS),
    "const": written(parse_graph(general().file(WORDS))),
    "vector": header("vector", 2, 0, 0, 1, 1) + struct.pack("<fq", 0, 1) + struct.pack("<iifi", 1, 1, 0.5, 0),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_short_or_drawn_out_is_damaged(kind: str) -> None:
    data = FILES[kind]
    for length in range(len(data)):
        with pytest.raises(LanguageModelError):
            parse_graph(data[:length])
    with pytest.raises(LanguageModelError, match="damaged"):
        parse_graph(data + b"\0")


@settings(max_examples=300)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_damage_is_an_error_or_a_sound_graph_but_never_a_crash(kind: str, data: st.DataObject) -> None:
    broken = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        graph = parse_graph(bytes(broken))
    except LanguageModelError:
        return
    assert 0 <= graph.start < graph.states
    assert ((graph.arcs["next"] >= 0) & (graph.arcs["next"] < graph.states)).all()
    assert np.isfinite(graph.arcs["weight"]).all()
    try:
        model_of(graph)
    except LanguageModelError:
        return


@given(st.binary(max_size=200))
def test_rubbish_is_no_graph(data: bytes) -> None:
    with pytest.raises(LanguageModelError):
        parse_graph(data)


@pytest.mark.parametrize(
    "data",
    [
        header("compact_string", 1, 0, 0, 0, 0),
        header("ngram", 9, 0, 0, 0, 0),
        header("const", 2, 0, 0, 0, 0).replace(b"standard", b"log\0\0\0\0\0"),
    ],
)
def test_an_unknown_kind_of_file_is_said_to_be_unknown(data: bytes) -> None:
    with pytest.raises(LanguageModelError, match="kind that I can't teach"):
        parse_graph(data)


def test_words_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "Gr.fst"
    file.write_bytes(FILES["ngram"])
    assert read_words(file) == WORDS
    file.write_bytes(general().file())
    assert read_words(file) is None
    with pytest.raises(LanguageModelError):
        read_words(tmp_path / "absent")


# The mixed model


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


def taught(sentences: Sequence[tuple[str, float]], keep: float = 0.3, boost: float = 1.0, order: int = 3) -> Graph:
    graph = parse_graph(general().file(WORDS))
    model = model_of(graph)
    return graph_of(*mix(model, learn(sentences, WORDS, model, order), keep, boost), graph.osymbols)


FACET = [("my facet joint hurts", 1.0), ("my facet hurts", 1.0), ("facet joint", 1.0)]


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("boost", [0.0, 1.0])
@pytest.mark.parametrize("keep", [0.01, 0.3, 0.9])
def test_after_every_history_the_probabilities_sum_to_one(keep: float, boost: float, order: int) -> None:
    for history, words in probabilities(taught(FACET, keep, boost, order)).items():
        assert sum(words.values()) == pytest.approx(1.0, abs=1e-4), history


def test_the_general_model_is_read_as_it_is_and_kept_when_all_of_it_is_to_be_kept() -> None:
    plain = probabilities(parse_graph(general().file(WORDS)))
    assert all(sum(words.values()) == pytest.approx(1.0, abs=1e-5) for words in plain.values())
    kept = probabilities(taught(FACET, keep=1 - 1e-9, boost=0.0))
    for history, words in plain.items():
        assert kept[history] == pytest.approx(words, rel=1e-4), history


def test_what_was_taught_becomes_likely_and_the_rest_stays_possible() -> None:
    plain, after = probabilities(parse_graph(general().file(WORDS))), probabilities(taught(FACET))
    assert after[(3,)][1] > 20 * plain[(3,)][1]  # my facet
    assert after[(1,)][5] > 2 * plain[(1,)][5]  # facet joint
    assert after[(3,)][4] > 0.2 * plain[(3,)][4]  # my faucet
    assert all(chance > 0 for words in after.values() for chance in words.values())


def test_the_familiar_gets_more_of_a_share_with_a_boost_and_the_unfamiliar_less() -> None:
    flat, boosted = probabilities(taught(FACET, boost=0.0)), probabilities(taught(FACET, boost=4.0))
    assert boosted[(3, 1)][5] > flat[(3, 1)][5]  # my facet joint
    assert boosted[(3, 4)][6] > flat[(3, 4)][6]  # my faucet drips


def test_a_sentence_counts_by_its_weight() -> None:
    def facet(sentences: Sequence[tuple[str, float]]) -> float:
        return probabilities(taught(sentences))[(3,)][1]

    drips = ("my faucet drips", 1.0)
    both = facet([("my facet hurts", 1.0), drips])
    assert facet([("my facet hurts", 0.1), drips]) < both < facet([("my facet hurts", 9.0), drips])
    assert same(taught([("my facet hurts", 0.0), drips]), taught([drips]))
    assert same(
        taught([("my facet hurts", 2.0), drips]), taught([("my facet hurts", 1.0), ("my facet hurts", 1.0), drips])
    )


def test_a_word_that_the_model_lacks_splits_its_sentence() -> None:
    whole = probabilities(taught([("my facet hurts", 1.0)]))
    split = probabilities(taught([("my spondylolisthesis hurts", 1.0), ("facet", 1.0)]))
    assert split[(3,)][2] < whole[(3, 1)][2]
    with pytest.raises(LanguageModelError, match="knows no word"):
        taught([("spondylolisthesis", 1.0)])


def test_any_numbering_of_states_is_the_same_model() -> None:
    """A const or vector graph needn't have the states in an n-gram file's order."""
    graph = parse_graph(general().file(WORDS))
    number = np.array([4, 2, 5, 0, 3, 1])
    back = np.argsort(number)
    pieces = [graph.arcs[graph.first[old] : graph.first[old + 1]].copy() for old in back]
    arcs = np.concatenate(pieces)
    arcs["next"] = number[arcs["next"]]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(piece) for piece in pieces])])
    shuffled = Graph(int(number[graph.start]), graph.final[back], first, arcs, graph.isymbols, graph.osymbols)
    one, other = model_of(graph), model_of(shuffled)
    learned = learn(FACET, WORDS, one, 3)
    assert same(
        graph_of(*mix(one, learned, 0.3, 1.0), graph.osymbols), graph_of(*mix(other, learned, 0.3, 1.0), graph.osymbols)
    )


def graph_like(arcs: Sequence[tuple[int, int, int]], states: int) -> Graph:
    rows = sorted(arcs)
    first = np.searchsorted([source for source, _, _ in rows], np.arange(states + 1))
    return Graph(0, np.zeros(states, np.float32), first, np.array([(word, word, 1.0, to) for _, word, to in rows], ARC))


@pytest.mark.parametrize(
    ("arcs", "states"),
    [
        ([(0, 1, 0)], 2),  # two states without a shorter history
        ([(0, 0, 1), (1, 0, 0), (2, 1, 2)], 3),  # a circle
        ([(0, 1, 1), (0, 1, 0), (1, 0, 0)], 2),  # a word twice
        ([(0, 0, 1), (1, 1, 1), (2, 0, 1)], 3),  # a history that nothing leads to
        ([(0, 0, 1)], 2),  # no words
    ],
)
def test_a_graph_that_is_no_backoff_model_cannot_be_taught(arcs: Sequence[tuple[int, int, int]], states: int) -> None:
    with pytest.raises(LanguageModelError, match="kind that I can't teach"):
        model_of(graph_like(arcs, states))


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("What's MY facet?", "what's my facet"),
        ("What\u2019s an x-ray, then", "what's an x ray then"),
        ("a follow-up", "a follow-up"),
        ("it 'urts me 'ead", "it urts me 'ead"),
        ("the joints' wear", "the joints wear"),
        ("L4 and l5 - or: \u201cboth\u201d...", "l4 and l5 or both"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_words_of_a_sentence(sentence: str, words: str) -> None:
    assert tokens(sentence, {"what's": 1, "follow-up": 2, "'ead": 3, "joints": 4}) == words.split()


# The folder


def make_model(folder: Path, graph: bytes | None = None) -> Path:
    """A folder that looks like a Vosk model to everything but Vosk."""
    for name, content in {
        "am/final.mdl": b"model",
        "conf/model.conf": b"--beam=10.0\n",
        "conf/mfcc.conf": b"--sample-frequency=16000\n",
        "graph/HCLr.fst": header("olabel_lookahead", 1, 0, 0, 0, 0),
        "graph/phones/word_boundary.int": b"1 nonword\n",
        "graph/Gr.fst": FILES["ngram"] if graph is None else graph,
    }.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "vosk")


SENTENCES = ["my facet joint hurts", "my facet hurts"]


def test_the_adapted_folder_is_a_whole_model_with_another_language_model(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "taught"
    assert lm.adapt(model, SENTENCES, out) == out
    check_model(out)
    assert {file.relative_to(out) for file in out.rglob("*") if file.is_file()} == {
        *(file.relative_to(model) for file in model.rglob("*") if file.is_file()),
        Path(MANIFEST),
    }
    assert (out / "am" / "final.mdl").samefile(model / "am" / "final.mdl")
    graph = read_graph(out / "graph" / "Gr.fst")
    assert graph.osymbols is not None
    assert graph.osymbols.raw == table(WORDS)
    assert (model / "graph" / "Gr.fst").read_bytes() == FILES["ngram"]
    assert [one.name for one in out.parent.iterdir()] == ["taught"]


def test_a_taught_model_trusts_its_language_model_more_and_keeps_every_other_option(
    model: Path, tmp_path: Path
) -> None:
    before = "--beam=10.0\n--acoustic-scale=1.0\n--lattice-beam=2.0"
    (model / "conf" / "model.conf").write_text(before, "utf-8")
    out = lm.adapt(lm.adapt(model, SENTENCES, tmp_path / "once"), SENTENCES, tmp_path / "twice")
    options = (out / "conf" / "model.conf").read_text("utf-8").splitlines()
    assert sorted(options) == ["--acoustic-scale=0.85", "--beam=10.0", "--lattice-beam=2.0"]
    assert (model / "conf" / "model.conf").read_text("utf-8") == before


def test_a_taught_model_can_be_taught_again(model: Path, tmp_path: Path) -> None:
    once = lm.adapt(model, SENTENCES, tmp_path / "once")
    twice = lm.adapt(once, ["facet drips"], tmp_path / "twice")
    check_model(twice)
    assert probabilities(read_graph(twice / "graph" / "Gr.fst"))[(1,)][6] > 0.2


def test_files_are_copied_where_links_are_impossible(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    out = lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert (out / "am" / "final.mdl").read_bytes() == b"model"
    assert not (out / "am" / "final.mdl").samefile(model / "am" / "final.mdl")


def test_an_old_folder_is_replaced(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "taught"
    out.mkdir()
    (out / "old").write_text("old")
    lm.adapt(model, SENTENCES, out)
    assert not (out / "old").exists()
    check_model(out)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["taught", "vosk"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "full"), "disk is too full"),
        (OSError(errno.EROFS, "read-only"), "can't be written"),
        (MemoryError(), "too little memory"),
    ],
)
def test_nothing_half_made_is_left(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(lm, "write_const", fail)
    with pytest.raises(LanguageModelError, match=sentence) as caught:
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert str(caught.value).endswith(".")
    assert str(tmp_path) not in str(caught.value), "what is spoken holds no paths"
    assert [one.name for one in tmp_path.iterdir()] == ["vosk"]


def test_an_interruption_leaves_nothing_either(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lm, "write_const", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert [one.name for one in tmp_path.iterdir()] == ["vosk"]


@pytest.mark.parametrize("graph", [b"", b"rubbish", FILES["ngram"][:-1], header("compact", 1, 0, 0, 0, 0)])
def test_a_model_that_cannot_be_taught_is_said_in_one_plain_sentence(tmp_path: Path, graph: bytes) -> None:
    model = make_model(tmp_path / "vosk", graph)
    for call, place in ((lm.adapt, "taught"), (lm.ensure_adapted, "cache")):
        with pytest.raises(LanguageModelError) as caught:
            call(model, SENTENCES, tmp_path / place)
        assert isinstance(caught.value, BacktalkError)
        assert caught.value.reason
    assert not (tmp_path / "taught").exists()
    assert not list((tmp_path / "cache").iterdir())


def test_a_model_with_a_fixed_graph_or_none_cannot_be_taught(model: Path, tmp_path: Path) -> None:
    (model / "graph" / "HCLG.fst").write_bytes(b"fixed")
    with pytest.raises(LanguageModelError, match="can't teach"):
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    with pytest.raises(LanguageModelError):
        lm.ensure_adapted(tmp_path / "absent", SENTENCES, tmp_path / "cache")


@pytest.mark.parametrize("bad", [{"keep": 0.0}, {"keep": 1.0}, {"order": 1}, {"order": 9}, {"boost": math.nan}])
def test_parameters_out_of_range_are_refused(model: Path, tmp_path: Path, bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        lm.adapt(model, SENTENCES, tmp_path / "taught", **bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="weight"):
        lm.adapt(model, [("facet", math.nan)], tmp_path / "taught")


def test_words_beside_a_graph_without_a_table(tmp_path: Path) -> None:
    model = make_model(tmp_path / "vosk", general().file())
    with pytest.raises(LanguageModelError):
        lm.vocabulary(model)
    (model / "graph" / "words.txt").write_text("".join(f"{word} {label}\n" for word, label in WORDS.items()))
    assert lm.vocabulary(model) == {"my", "facet", "joint", "hurts", "faucet", "drips"}
    plain, after = read_graph(model / "graph" / "Gr.fst"), lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert probabilities(read_graph(after / "graph" / "Gr.fst"))[(3,)][1] > probabilities(plain)[(3,)][1]


def test_progress_is_told_in_either_form(model: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    lm.adapt(model, SENTENCES, tmp_path / "one", progress=lambda doing, done: told.append((doing, done)))
    assert len({doing for doing, _ in told}) == 1
    assert [done for _, done in told] == sorted({done for _, done in told})
    assert told[0][1] == 0.0
    assert told[-1][1] == 1.0
    lm.ensure_adapted(model, SENTENCES, tmp_path / "cache", silent)


# The cache


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were really made."""
    folders: list[Path] = []
    real = lm.adapt

    def adapt(model: Path, sentences: lm.Sentences, out: Path, **options: object) -> Path:
        folders.append(out)
        return real(model, sentences, out, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(lm, "adapt", adapt)
    return folders


def test_the_same_is_made_once(model: Path, tmp_path: Path, made: list[Path]) -> None:
    cache = tmp_path / "cache"
    first = lm.ensure_adapted(model, iter(SENTENCES), cache)
    assert lm.ensure_adapted(model, tuple(SENTENCES), cache) == first
    assert lm.ensure_adapted(model, [(one, 1.0) for one in SENTENCES], cache) == first
    assert first == lm.adapted_path(model, lm.cache_key(model, SENTENCES), cache)
    assert made == [first]


def test_anything_else_is_another_folder(model: Path, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other")
    (other / "am" / "final.mdl").write_bytes(b"another size")
    graph = make_model(tmp_path / "graph", FILES["const"])
    keys = [
        lm.cache_key(model, SENTENCES),
        lm.cache_key(model, SENTENCES[:1]),
        lm.cache_key(model, [(one, 0.5) for one in SENTENCES]),
        lm.cache_key(model, SENTENCES, keep=0.5),
        lm.cache_key(model, SENTENCES, boost=0.5),
        lm.cache_key(model, SENTENCES, order=2),
        lm.cache_key(other, SENTENCES),
        lm.cache_key(graph, SENTENCES),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ["graph/Gr.fst", "am/final.mdl", MANIFEST])
def test_a_damaged_cache_is_made_again(model: Path, tmp_path: Path, made: list[Path], name: str) -> None:
    path = lm.ensure_adapted(model, SENTENCES, tmp_path / "cache")
    (path / name).unlink()
    (path / name).write_bytes(b"{}" if name == MANIFEST else b"cut short")
    assert lm.ensure_adapted(model, SENTENCES, tmp_path / "cache") == path
    assert made == [path, path]
    check_model(path)


def test_two_at_once_both_get_a_whole_folder(model: Path, tmp_path: Path) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(lm.ensure_adapted(model, SENTENCES, tmp_path / "cache")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    check_model(found[0])
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [found[0].name]


def test_what_is_long_unused_is_cleared_away(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    paths = [lm.ensure_adapted(model, [sentence], cache) for sentence in ("my", "facet", "joint", "hurts", "drips")]
    assert all(path.exists() for path in paths), "what is young stays: somebody may be about to load it"
    (cache / f".{paths[0].name}-left").mkdir()
    (cache / "somebody-else's").mkdir()
    for age, path in enumerate([*paths, *cache.glob(".*"), cache / "somebody-else's"]):
        os.utime(path, (age, age))
    newest = lm.ensure_adapted(model, ["faucet"], cache)
    assert {one.name for one in cache.iterdir()} == {newest.name, *(one.name for one in paths[2:]), "somebody-else's"}


def test_writers_can_be_evened_out() -> None:
    assert lm.evened({"a": ["x", "y"], "b": ["z"], "c": []}, 1) == [("x", 0.5), ("y", 0.5), ("z", 1.0)]


# The real model


@pytest.mark.model
def test_the_published_model_taught(model_dir: Path, tmp_path: Path) -> None:
    sentences = ["what is facet hypertrophy", "my bladder has gone numb", "is spondylolisthesis the same"]
    out = lm.adapt(model_dir, sentences, tmp_path / "taught")
    before, after = (read_graph(folder / "graph" / "Gr.fst") for folder in (model_dir, out))
    assert before.osymbols is not None
    assert after.osymbols is not None
    assert after.osymbols.raw == before.osymbols.raw
    assert np.isfinite(after.arcs["weight"]).all()
    assert before.states <= after.states <= before.states + 100
    assert {"facet", "bladder", "hypertrophy"} <= lm.vocabulary(model_dir)
    assert not {"<s>", "#0", "[unk]", "!SIL", "osteophytes"} & lm.vocabulary(model_dir)

    recognizer = Recognizer(load_model(out))
    for frame in frames(read_audio(DATA / "what_is_facet_hypertrophy.flac"), tail_s=0):
        recognizer.accept(frame)
    assert recognizer.finish().text == "what is facet hypertrophy"
    json.loads((out / MANIFEST).read_text("utf-8"))


@pytest.mark.model
def test_the_published_model_is_the_same_when_written_back(model_dir: Path) -> None:
    graph = read_graph(model_dir / "graph" / "Gr.fst")
    assert same(parse_graph(written(graph)), graph)
    assert fst.read_words(model_dir / "graph" / "Gr.fst") == (graph.osymbols and graph.osymbols.ids)
