"""What native libraries need: Vosk and ALSA write to standard error whatever they are told, and memory is given back only when asked for."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def native_errors() -> Iterator[Callable[[], list[str]]]:
    """While it is open, what anyone writes to file descriptor 2 is kept; gives a function that tells the lines so far.

    Process-wide: for short calls at start-up, not for code that runs beside other threads' output.
    """
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(2)
        os.dup2(kept.fileno(), 2)

        def messages() -> list[str]:
            kept.seek(0)
            return kept.read().decode("utf-8", "replace").splitlines()

        try:
            yield messages
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def give_back() -> None:
    """Returns free memory to the system. glibc keeps it otherwise, and hours of talk leave it full of holes; other libraries don't."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
