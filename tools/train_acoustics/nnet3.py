"""Kaldi's binary acoustic models (`final.mdl`): where the numbers of a chain network are, and which sound each transition stands for.

Layouts are those of Kaldi 5.5: hmm/transition-model.cc and hmm/hmm-topology.cc, nnet3/nnet-nnet.cc and the Write() of each
component in nnet3, matrix/kaldi-vector.cc and kaldi-matrix.cc. Compressed matrices are not read: published models have none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MATRICES = ("LinearParams", "BiasParams", "Params", "StatsMean", "StatsVar")
_NUMBERS = ("Epsilon", "TargetRms")


class FormatError(ValueError):
    """Not a binary model of Kaldi's nnet3, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A matrix or vector in the file."""

    values: Array
    offset: int
    """Byte at which its numbers begin."""


@dataclass(frozen=True, slots=True)
class Component:
    """A layer."""

    kind: str
    arrays: dict[str, Place]
    """By the name of Kaldi's token: LinearParams, BiasParams, Params, StatsMean, StatsVar; empty ones are left out."""
    numbers: dict[str, float] = field(default_factory=dict)
    offsets: tuple[int, ...] = ()
    """TdnnComponent: the frames that are put side by side."""


class Cursor:
    """A place in the bytes of a file."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def token(self) -> str:
        end = self.data.find(b" ", self.position, self.position + 200)
        if end < 0:
            raise FormatError(f"no token at {self.position}")
        text = self.data[self.position : end].decode("ascii", "replace")
        self.position = end + 1
        return text

    def expect(self, *tokens: str) -> str:
        """The next token, which must be one of these."""
        begin, token = self.position, self.token()
        if token not in tokens:
            raise FormatError(f"{token!r} instead of {' or '.join(tokens)} at {begin}")
        return token

    def integer(self) -> int:
        return int(self._number({4: "<i"}))

    def real(self) -> float:
        return float(self._number({4: "<f", 8: "<d"}))

    def _number(self, layouts: dict[int, str]) -> Any:
        try:
            size = self.data[self.position]
            value = struct.unpack_from(layouts[size], self.data, self.position + 1)[0]
        except (IndexError, KeyError, struct.error) as error:
            raise FormatError(f"no number at {self.position}") from error
        self.position += 1 + size
        return value

    def integers(self) -> tuple[int, ...]:
        """A std::vector<int32>."""
        count = self.integer()
        return tuple(int(number) for number in self._take("<i4", count))

    def array(self) -> Place:
        """A vector, shape (n,), a matrix, shape (rows, columns), or a symmetric matrix as its full self, shape (n, n)."""
        kind = self.expect("FV", "DV", "FM", "DM", "FP", "DP")
        number = "<f4" if kind[0] == "F" else "<f8"
        rows = self.integer()
        if kind[1] == "V":
            begin = self.position
            return Place(self._take(number, rows), begin)
        if kind[1] == "M":
            columns = self.integer()
            begin = self.position
            return Place(self._take(number, rows * columns).reshape(rows, columns), begin)
        begin = self.position
        full = np.zeros((rows, rows))
        full[np.tril_indices(rows)] = self._take(number, rows * (rows + 1) // 2)
        return Place(full + np.tril(full, -1).T, begin)

    def _take(self, number: str, count: int) -> Array:
        if not 0 <= count <= (len(self.data) - self.position) // np.dtype(number).itemsize:
            raise FormatError(f"{count} numbers wanted at {self.position} of {len(self.data)}")
        values = np.frombuffer(self.data, number, count, self.position)
        self.position += values.nbytes
        return values


def read_components(data: bytes) -> dict[str, Component]:
    """The layers of the network in a model file, in its order. Raises FormatError."""
    network = data.find(b"<Nnet3> ")
    begin = data.find(b"<NumComponents> ", max(network, 0))
    if network < 0 or begin < 0:
        raise FormatError("no network")
    cursor = Cursor(data, begin)
    cursor.token()
    components: dict[str, Component] = {}
    for _ in range(cursor.integer()):
        cursor.expect("<ComponentName>")
        name, kind = cursor.token(), cursor.token()
        closing = f"</{kind[1:]}".encode()
        end = data.find(closing, cursor.position)
        if end < 0:
            raise FormatError(f"{name} has no end")
        components[name] = _component(data, kind[1:-1], cursor.position, end)
        cursor.position = end + len(closing)
        while data[cursor.position : cursor.position + 1] in (b" ", b"\n"):
            cursor.position += 1
    return components


def _component(data: bytes, kind: str, begin: int, end: int) -> Component:
    def after(token: str) -> Cursor | None:
        at = data.find(f"<{token}> ".encode(), begin, end)
        return None if at < 0 else Cursor(data, at + len(token) + 3)

    arrays = {name: cursor.array() for name in _MATRICES if (cursor := after(name))}
    numbers = {name: cursor.real() for name in _NUMBERS if (cursor := after(name))}
    frames = after("TimeOffsets")
    return Component(
        kind,
        {name: place for name, place in arrays.items() if place.values.size},
        numbers,
        frames.integers() if frames else (),
    )


@dataclass(frozen=True, slots=True)
class Transitions:
    """What each transition id stands for; number 0 is none."""

    pdf: Array
    """Shape (ids + 1,): the network's output."""
    phone: Array


def read_transitions(data: bytes) -> Transitions:
    """The transition model at the beginning of a model file. Raises FormatError."""
    if data[:2] != b"\0B":
        raise FormatError("not a binary file of Kaldi")
    cursor = Cursor(data, 2)
    cursor.expect("<TransitionModel>")
    cursor.expect("<Topology>")
    cursor.integers()
    index = cursor.integers()
    entries = cursor.integer()
    two_pdfs = entries == -1
    if two_pdfs:
        entries = cursor.integer()
    topology = [_entry(cursor, two_pdfs) for _ in range(entries)]
    cursor.expect("</Topology>")
    tuples = cursor.expect("<Triples>", "<Tuples>") == "<Tuples>"
    pdfs, phones = [0], [0]
    for _ in range(cursor.integer()):
        phone, state, forward = cursor.integer(), cursor.integer(), cursor.integer()
        again = cursor.integer() if tuples else forward
        for target in topology[index[phone]][state]:
            pdfs.append(again if target == state else forward)
            phones.append(phone)
    return Transitions(np.array(pdfs), np.array(phones))


def _entry(cursor: Cursor, two_pdfs: bool) -> list[list[int]]:
    """One phone's states: where each leads."""
    states = []
    for _ in range(cursor.integer()):
        cursor.integer()
        if two_pdfs:
            cursor.integer()
        targets = []
        for _ in range(cursor.integer()):
            targets.append(cursor.integer())
            cursor.real()
        states.append(targets)
    return states


def replaced(data: bytes, values: dict[int, Array]) -> bytes:
    """The file with other numbers at these offsets. Raises FormatError when they don't fit in."""
    result = bytearray(data)
    for offset, array in values.items():
        raw = np.ascontiguousarray(array, "<f4").tobytes()
        if not 0 <= offset <= len(result) - len(raw):
            raise FormatError(f"{len(raw)} bytes at {offset} of {len(result)}")
        result[offset : offset + len(raw)] = raw
    return bytes(result)
