"""Keeping native libraries quiet: Vosk and ALSA write to standard error whatever they are told."""

from __future__ import annotations

import os
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
