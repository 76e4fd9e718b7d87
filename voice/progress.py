"""Telling how far a long job is: a bar on a terminal, plain lines elsewhere, which a screen reader reads once."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO

from tqdm import tqdm

_STEPS = 10
"""Lines in which a job is told off a terminal."""


class Progress(Protocol):
    """Told how far a job is; called again and again with the same words while they are true."""

    def __call__(self, doing: str, done: int = 0, total: int = 0) -> None:
        """`doing`: a plain phrase, such as "Fetching the speech model"; `done` of `total` bytes, 0 of 0 if unknown."""


def silent(doing: str, done: int = 0, total: int = 0) -> None:
    """A Progress that says nothing."""


class PlainProgress:
    """A line when a job begins and one at each further tenth: nothing moves the cursor."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._doing = ""
        self._told = 0

    def __call__(self, doing: str, done: int = 0, total: int = 0) -> None:
        if doing != self._doing:
            self._doing, self._told = doing, 0
            print(f"{doing} ...", file=self._stream, flush=True)
        step = _STEPS * done // total if total else 0
        if step > self._told:
            self._told = step
            print(f"{doing}: {100 * step // _STEPS} percent", file=self._stream, flush=True)


class BarProgress:
    """A tqdm bar; jobs whose length can't be known get a plain line. Close it before anything else is printed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._doing = ""
        self._bar: Any = None

    def __call__(self, doing: str, done: int = 0, total: int = 0) -> None:
        if doing != self._doing:
            self.close()
            self._doing = doing
            if not total:
                print(f"{doing} ...", file=self._stream, flush=True)
        if total and self._bar is None:
            self._bar = tqdm(desc=doing, total=total, unit="B", unit_scale=True, file=self._stream, leave=True)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Ends the present bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class ShownProgress:
    """Context manager: the right progress for a stream, tidied up at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown: PlainProgress | BarProgress = (
            BarProgress(self._stream) if self._stream.isatty() else PlainProgress(self._stream)
        )

    def __enter__(self) -> Progress:
        return self._shown

    def __exit__(self, *_: object) -> None:
        if isinstance(self._shown, BarProgress):
            self._shown.close()
