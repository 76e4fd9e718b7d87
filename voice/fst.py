"""OpenFst files in numpy: enough to read the language model of a Vosk model folder, `graph/Gr.fst`, and to write one.

Read are the types "ngram", "const" and "vector" over standard arcs (tropical weights, 32-bit floats); written is
"const". Layouts are those of OpenFst 1.6 to 1.8, little-endian: the header of fst/fst.h, the symbol table of
fst/symbol-table.h, fst/const-fst.h, fst/vector-fst.h, and fst/extensions/ngram/ngram-fst.h, which is the LOUDS tree of
Sorensen and Allauzen, "Unary Data Structures for Language Models" (Interspeech 2011).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from voice.errors import BacktalkError

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

ARC = np.dtype([("ilabel", "<i4"), ("olabel", "<i4"), ("weight", "<f4"), ("next", "<i4")])
"""One arc as ConstFst stores it: labels of the symbol tables (0 is epsilon), cost in nats, state that it leads to."""

_STATE = np.dtype([("final", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("ieps", "<u4"), ("oeps", "<u4")])
_FST_MAGIC, _SYMBOLS_MAGIC = 2125659606, 2125658996
_HAS_ISYMBOLS, _HAS_OSYMBOLS, _IS_ALIGNED = 1, 2, 4
_ALIGNMENT = 16
_CONST_ALIGNED, _CONST_UNALIGNED = 1, 2
_VERSIONS = {"ngram": (4, 4), "const": (_CONST_ALIGNED, _CONST_UNALIGNED), "vector": (2, 2)}
_DAMAGED = "The language model of the speech model is damaged: please fetch the speech model again."
UNKNOWN = "The language model of this speech model is of a kind that I can't teach."

# Property bits of fst/properties.h. A bit that isn't set is unknown, and OpenFst finds it out when it must.
_EXPANDED, _ACCEPTOR, _NOT_ACCEPTOR = 0x1, 0x10000, 0x20000
_I_DETERMINISTIC, _NOT_I_DETERMINISTIC = 0x40000, 0x80000
_I_EPSILONS, _NO_I_EPSILONS, _O_EPSILONS, _NO_O_EPSILONS = 0x1000000, 0x2000000, 0x4000000, 0x8000000
_I_SORTED, _NOT_I_SORTED, _O_SORTED, _NOT_O_SORTED = 0x10000000, 0x20000000, 0x40000000, 0x80000000


class LanguageModelError(BacktalkError):
    """The recognizer can't be taught (unknown or damaged language model, full disk). The plain model still works."""


def damaged(reason: str) -> LanguageModelError:
    """The error for a file that breaks off or contradicts itself; `reason` is for the log."""
    return LanguageModelError(_DAMAGED, reason)


@dataclass(frozen=True, eq=False)
class Symbols:
    """A symbol table: `raw` is its part of the file, byte for byte; `ids` maps words to labels.

    Two words may have one label (Vosk's small English model gives <s> and </s> the same).
    """

    raw: bytes
    ids: dict[str, int]


@dataclass(frozen=True, eq=False)
class Graph:
    """A weighted acceptor or transducer. Costs are in nats: the lower, the likelier."""

    start: int
    """Index of the first state."""
    final: Floats
    """Shape (states,): the cost of stopping in a state, infinite where one can't."""
    first: Longs
    """Shape (states + 1,): arcs[first[s]:first[s + 1]] leave state s."""
    arcs: npt.NDArray[Any]
    """Shape (arcs,), of type ARC."""
    isymbols: Symbols | None = None
    osymbols: Symbols | None = None

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.final)

    def sources(self) -> npt.NDArray[np.int32]:
        """Shape (arcs,): the state that each arc leaves."""
        return np.repeat(np.arange(self.states, dtype=np.int32), np.diff(self.first))


class _Reader:
    """A cursor over the bytes of a file; reading past the end raises LanguageModelError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> int:
        """Steps over `count` bytes and returns where they begin."""
        begin = self.position
        if not 0 <= count <= len(self.data) - begin:
            raise damaged(f"{count} bytes wanted at {begin} of {len(self.data)}")
        self.position = begin + count
        return begin

    def numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack_from(layout, self.data, self.take(struct.calcsize(layout)))

    def array(self, kind: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
        """A read-only view, shape (count,)."""
        dtype = np.dtype(kind)
        return np.frombuffer(self.data, dtype, count, self.take(count * dtype.itemsize))

    def bits(self, count: int) -> Bits:
        """A bitmap of `count` bits in 64-bit words, least significant bit first; shape (count,)."""
        words = self.array("<u8", (count + 63) // 64)
        return np.unpackbits(words.view(np.uint8), count=count, bitorder="little").view(np.bool_)

    def text(self) -> str:
        (size,) = self.numbers("<i")
        begin = self.take(size)
        return self.data[begin : begin + size].decode("utf-8", "replace")

    def align(self) -> None:
        self.take(-self.position % _ALIGNMENT)


@dataclass(frozen=True)
class _Header:
    kind: str
    version: int
    flags: int
    start: int
    states: int
    arcs: int


def read_graph(path: Path) -> Graph:
    """Reads an OpenFst file of type ngram, const or vector. Raises LanguageModelError."""
    return parse_graph(_bytes_of(path))


def read_words(path: Path) -> dict[str, int] | None:
    """The words of an OpenFst file with their labels, from its output, else input symbol table; None without either.

    Raises LanguageModelError.
    """
    reader = _Reader(_bytes_of(path))
    isymbols, osymbols = _read_tables(reader, _read_header(reader))
    table = osymbols or isymbols
    return table.ids if table else None


def parse_graph(data: bytes) -> Graph:
    """The graph in the bytes of an OpenFst file. Raises LanguageModelError on whatever isn't one, or isn't whole."""
    reader = _Reader(data)
    header = _read_header(reader)
    isymbols, osymbols = _read_tables(reader, header)
    read = {"ngram": _read_ngram, "const": _read_const, "vector": _read_vector}[header.kind]
    final, first, arcs = read(reader, header)
    if reader.position != len(data):
        raise damaged(f"{len(data) - reader.position} bytes too many")
    if not 0 <= header.start < len(final):
        raise damaged(f"start state {header.start} of {len(final)}")
    if len(arcs) and (int(arcs["next"].min()) < 0 or int(arcs["next"].max()) >= len(final)):
        raise damaged("an arc leads out of the graph")
    if len(arcs) and min(int(arcs["ilabel"].min()), int(arcs["olabel"].min())) < 0:
        raise damaged("a label is negative")
    if not np.isfinite(arcs["weight"]).all() or not (np.isfinite(final) | np.isposinf(final)).all():
        raise damaged("a weight is not a number")
    return Graph(header.start, final, first, arcs, isymbols, osymbols)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LanguageModelError(
            "The language model of the speech model can't be read: please fetch the speech model again.", str(error)
        ) from error


def _read_header(reader: _Reader) -> _Header:
    if reader.numbers("<i") != (_FST_MAGIC,):
        raise damaged("not an OpenFst file")
    kind, arc_type = reader.text(), reader.text()
    version, flags, _properties, start, states, arcs = reader.numbers("<iiQqqq")
    low, high = _VERSIONS.get(kind, (1, 0))
    if arc_type != "standard" or not low <= version <= high:
        raise LanguageModelError(UNKNOWN, f"OpenFst type {kind!r} version {version} over {arc_type!r} arcs")
    return _Header(kind, version, flags, start, states, arcs)


def _read_tables(reader: _Reader, header: _Header) -> tuple[Symbols | None, Symbols | None]:
    isymbols = _read_symbols(reader) if header.flags & _HAS_ISYMBOLS else None
    if not header.flags & _HAS_OSYMBOLS:
        return isymbols, None
    # Both tables are mostly the same: to compare is faster than to decode 150,000 words again.
    if isymbols is not None and reader.data.startswith(isymbols.raw, reader.position):
        reader.take(len(isymbols.raw))
        return isymbols, isymbols
    return isymbols, _read_symbols(reader)


def _read_symbols(reader: _Reader) -> Symbols:
    begin = reader.position
    if reader.numbers("<i") != (_SYMBOLS_MAGIC,):
        raise damaged("no symbol table where one should be")
    reader.text()  # the table's name
    _next_free, count = reader.numbers("<qq")
    if not 0 <= count <= len(reader.data) // 12:
        raise damaged(f"a symbol table of {count} words")
    ids: dict[str, int] = {}
    for _ in range(count):
        word = reader.text()
        (ids[word],) = reader.numbers("<q")
    return Symbols(reader.data[begin : reader.position], ids)


def _starts(counts: npt.NDArray[Any]) -> Longs:
    """Counts, shape (n,) → where each begins and the last ends, shape (n + 1,)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _read_const(reader: _Reader, header: _Header) -> tuple[Floats, Longs, npt.NDArray[Any]]:
    aligned = header.version == _CONST_ALIGNED or bool(header.flags & _IS_ALIGNED)
    if aligned:
        reader.align()
    states = reader.array(_STATE, header.states)
    if aligned:
        reader.align()
    arcs = reader.array(ARC, header.arcs)
    first = _starts(states["arcs"])
    if int(first[-1]) != header.arcs or not np.array_equal(first[:-1], states["first"]):
        raise damaged("the states don't share out the arcs")
    return states["final"].copy(), first, arcs


def _read_vector(reader: _Reader, header: _Header) -> tuple[Floats, Longs, npt.NDArray[Any]]:
    if not 0 <= header.states <= len(reader.data) // 12:
        raise damaged(f"{header.states} states")
    final = np.empty(header.states, np.float32)
    counts = np.empty(header.states, np.int64)
    pieces = []
    for state in range(header.states):
        final[state], counts[state] = reader.numbers("<fq")
        pieces.append(reader.array(ARC, int(counts[state])))
    arcs = np.concatenate(pieces) if pieces else np.empty(0, ARC)
    return final, _starts(counts), arcs


def _read_ngram(reader: _Reader, _header: _Header) -> tuple[Floats, Longs, npt.NDArray[Any]]:
    """A state is a word history, a node in a tree. Its parent lacks its oldest word, and is what it backs off to.

    State 0 is the empty history, state 1 that of the sentence's start, and children follow in the order of parent and
    label. Bitmaps tell in unary how many children (contexts) and arcs (futures) each has. Where an arc leads isn't
    stored: see `targets`.
    """
    states, futures, finals = reader.numbers("<QQQ")
    tree = reader.bits(2 * states + 1)
    shares = reader.bits(futures + states + 1)
    is_final = reader.bits(states)
    oldest = reader.array("<i4", states + 1)[:states].astype(np.int64)
    words = reader.array("<i4", futures)
    backoff = reader.array("<f4", states + 1)[:states]
    final_costs = reader.array("<f4", finals)
    costs = reader.array("<f4", futures + 1)[:futures]
    if states < 2 or tree[:2].tolist() != [True, False] or shares[0]:
        raise damaged("no tree of histories")
    if (int(tree.sum()), int(shares.sum()), int(is_final.sum())) != (states, futures, finals):
        raise damaged("the bitmaps don't fit the numbers of states, arcs and final states")
    children = np.diff(np.flatnonzero(~tree)) - 1
    counts = np.diff(np.flatnonzero(~shares)) - 1
    if futures and int(words.min()) <= 0:
        raise damaged("an arc without a word")

    first = _starts(counts + 1)
    first[1:] -= 1  # the empty history alone has no backoff arc
    source = np.repeat(np.arange(states), counts)
    parent, target = targets(children, oldest, source, words)
    arcs = np.zeros(futures + states - 1, ARC)
    back = first[1:-1]
    arcs["next"][back], arcs["weight"][back] = parent[1:], backoff[1:]
    forth = np.arange(futures) + source
    arcs["ilabel"][forth] = arcs["olabel"][forth] = words
    arcs["weight"][forth], arcs["next"][forth] = costs, target
    final = np.full(states, np.inf, np.float32)
    final[is_final] = final_costs
    return final, first, arcs


def targets(children: Longs, oldest: Longs, source: Longs, words: npt.NDArray[Any]) -> tuple[Longs, Longs]:
    """Where the arcs of a backoff model lead: to the longest suffix of history and word that is a state.

    `children`, shape (states,): how many histories each state has that are longer by one older word; they follow in the
    order of parent and word. `oldest`, shape (states,): that word. `source`, `words`, shape (arcs,): the state and the
    word of each arc. Returns the parent of each state, shape (states,), and the target of each arc, shape (arcs,).
    Raises LanguageModelError when the states are no such tree.
    """
    states = len(children)
    parent = np.concatenate([np.zeros(1, np.int64), np.repeat(np.arange(states), children)])
    if len(parent) != states or (parent[1:] >= np.arange(1, states)).any():
        raise damaged("the histories are not a tree")
    if int(oldest[1:].min()) < 0:
        raise damaged("a history with a negative word")
    base = int(max(oldest.max(), words.max() if len(words) else 0)) + 1
    keys = parent[1:] * base + oldest[1:]
    if (np.diff(keys) <= 0).any():
        raise damaged("the histories are not in order")

    def child(of: Longs, word: Longs) -> Longs:
        """The state of history `word` + `of`, 0 where there is none."""
        wanted = of * base + word
        place = np.minimum(np.searchsorted(keys, wanted), states - 2)
        return np.where(keys[place] == wanted, place + 1, 0)

    target = child(np.zeros(len(words), np.int64), words.astype(np.int64))
    longer = np.flatnonzero(target)  # arcs whose target may have a longer history still
    history: list[Longs] = []  # the words of each state's history, newest first; -1 past its end
    level = np.arange(1, 1 + int(children[0]))
    while len(level):
        # A level of the tree: histories longer by a word. That word is their own, the newer ones are their parent's.
        for word in history:
            word[level] = word[parent[level]]
        history.append(np.full(states, -1, np.int64))
        history[-1][level] = oldest[level]
        level = np.arange(level[-1] + 1, level[-1] + 1 + int(children[level].sum()))
    for word in history:
        older = word[source[longer]]
        longer, older = longer[older >= 0], older[older >= 0]
        found = child(target[longer], older)
        longer, found = longer[found > 0], found[found > 0]
        target[longer] = found
    return parent, target


def write_const(graph: Graph, file: BinaryIO) -> None:
    """Writes a "const" FST that OpenFst and Vosk load: version 2, which has no padding anywhere. Raises OSError."""
    arcs, counts = graph.arcs, np.diff(graph.first)
    source = graph.sources()
    states = np.zeros(graph.states, _STATE)
    states["final"], states["first"], states["arcs"] = graph.final, graph.first[:-1], counts
    for field, label in (("ieps", "ilabel"), ("oeps", "olabel")):
        states[field] = np.bincount(source[arcs[label] == 0], minlength=graph.states)
    flags = (_HAS_ISYMBOLS if graph.isymbols else 0) | (_HAS_OSYMBOLS if graph.osymbols else 0)
    file.write(struct.pack("<i", _FST_MAGIC))
    for name in (b"const", b"standard"):
        file.write(struct.pack("<i", len(name)) + name)
    properties = _properties(graph, source)
    file.write(struct.pack("<iiQqqq", _CONST_UNALIGNED, flags, properties, graph.start, graph.states, len(arcs)))
    for table in (graph.isymbols, graph.osymbols):
        if table is not None:
            file.write(table.raw)
    file.write(states.view(np.uint8).data)
    file.write(np.ascontiguousarray(arcs).view(np.uint8).data)


def _properties(graph: Graph, source: npt.NDArray[np.int32]) -> int:
    """The property bits that are cheap to know and that composition asks for."""
    same = source[1:] == source[:-1]
    istep, ostep = (np.diff(graph.arcs[label])[same] for label in ("ilabel", "olabel"))
    isorted, osorted = not (istep < 0).any(), not (ostep < 0).any()
    bits = _EXPANDED
    bits |= _ACCEPTOR if np.array_equal(graph.arcs["ilabel"], graph.arcs["olabel"]) else _NOT_ACCEPTOR
    bits |= _I_SORTED if isorted else _NOT_I_SORTED
    bits |= _O_SORTED if osorted else _NOT_O_SORTED
    bits |= _NO_I_EPSILONS if graph.arcs["ilabel"].all() else _I_EPSILONS
    bits |= _NO_O_EPSILONS if graph.arcs["olabel"].all() else _O_EPSILONS
    if isorted:
        bits |= _NOT_I_DETERMINISTIC if (istep == 0).any() else _I_DETERMINISTIC
    return bits
