"""Replies already got, one JSON object a line, so that a stopped run goes on where it was. Each is kept under what it
depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from voice.errors import BacktalkError
from voice.evaluate.manifest import Line

NAME = "replies.jsonl"


def key(line: Line, fingerprint: str) -> str:
    """Changes when the text, the recording, the code, a pack or the model does; not with labels, which don't bear on
    the reply.
    """
    heard: list[Any] = [fingerprint, line.text]
    if line.audio is not None:
        stat = line.audio.stat()
        heard = [fingerprint, str(line.audio), stat.st_size, stat.st_mtime_ns]
    return hashlib.sha256(json.dumps(heard).encode()).hexdigest()[:24]


class Journal:
    """Context manager. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder else None
        self._known: dict[str, tuple[Mapping[str, Any], float]] = {}
        self._file: TextIO | None = None

    def __enter__(self) -> Journal:
        if self._path is None:
            return self
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._read(self._path)
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise BacktalkError(
                f"The folder {self._path.parent} can't be written to: please name another one.", str(error)
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            # A run that was killed left half a line: cut it off, or the next one would be glued to it.
            with path.open("r+b") as file:
                file.truncate(end)
        for row in whole[:end].decode("utf-8", "replace").split("\n"):
            try:
                data = json.loads(row)
                self._known[data["key"]] = (data["reply"], float(data["seconds"]))
            except (ValueError, KeyError, TypeError):
                continue  # a damaged line is a line that is not known: it is answered again

    def known(self, key: str) -> tuple[Mapping[str, Any], float] | None:
        """The reply and the length in seconds that an earlier run found for this key, None when it found none."""
        return self._known.get(key)

    def keep(self, key: str, reply: Mapping[str, Any], seconds: float) -> None:
        """Written at once: a run may be stopped at any line."""
        self._known[key] = (reply, seconds)
        if self._file is not None:
            self._file.write(json.dumps({"key": key, "reply": dict(reply), "seconds": seconds}) + "\n")
            self._file.flush()
