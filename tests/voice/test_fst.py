"""OpenFst files byte by byte: read, written, damaged, unknown."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from graphs import FILES, WORDS, Ngrams, general, graphs, header, ngrams, rows_of, same, written
from hypothesis import given, settings
from hypothesis import strategies as st

from voice import fst
from voice.fst import ARC, Graph, LanguageModelError, parse_graph, read_graph, read_words
from voice.ngram import model_of


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


@pytest.mark.model
def test_the_published_model_is_the_same_when_written_back(model_dir: Path) -> None:
    graph = read_graph(model_dir / "graph" / "Gr.fst")
    assert same(parse_graph(written(graph)), graph)
    assert fst.read_words(model_dir / "graph" / "Gr.fst") == (graph.osymbols and graph.osymbols.ids)
