"""A set of labelled utterances: one JSON object a line, as docs/evaluate.md has it. A fault in one line leaves the others
usable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voice.errors import InputError

KINDS = ("question", "urgent", "command", "oos")
OUT_OF_SCOPE = "out_of_scope"
PROVIDER_SOON = "provider_soon"
URGENT_PREFIX = "urgent_"
NOISE_LEVEL = "noise level"
"""A key that every recording has: its noise and how loud that is, in words."""
_OWN_KEYS = ("audio", "text", "label", "kind")


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled utterance."""

    number: int
    """Line number in the manifest, from 1."""
    label: str
    """The right id."""
    kind: str
    """One of KINDS."""
    text: str | None = None
    """What was said; None where nobody wrote it down."""
    audio: Path | None = None
    """The recording, an existing file; None for a text."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Every further key (voice, noise, writer, ...), to group by."""

    @property
    def name(self) -> str:
        """What a person or another report knows this line by: its `id` where it has one, else what it holds."""
        if "id" in self.extra:
            return str(self.extra["id"])
        return self.audio.name if self.audio else str(self.text)

    @property
    def counter(self) -> bool:
        """True for danger words without danger, marked by `counter` (or `group` counter)."""
        return self.extra.get("counter") is True or self.extra.get("group") == "counter"

    @property
    def topic(self) -> str | None:
        """What an out-of-scope line is about (other_illness, not_covered, device, talk, ...), from `topic` (or
        `group`).
        """
        topic = self.extra.get("topic", self.extra.get("group"))
        return topic if isinstance(topic, str) else None

    def values(self, key: str) -> tuple[str, ...]:
        """The groups that this line belongs to by `key`; several keys joined by a comma make one group; a list makes it
        a member of each.
        """
        if "," in key:
            parts = [self.values(part.strip()) for part in key.split(",")]
            return (", ".join("+".join(part) for part in parts),) if all(parts) else ()
        if key in ("label", "kind"):
            return (str(getattr(self, key)),)
        if key == "input":
            return ("recording" if self.audio else "text",)
        if key == NOISE_LEVEL:
            return (noise_level(self.extra),) if self.audio else ("text",)
        if key not in self.extra:
            return ()
        value = self.extra[key]
        if isinstance(value, list):
            return tuple(dict.fromkeys(_words(item) for item in value)) or ("none",)
        return (_words(value),)


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that can't be evaluated, and why."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file held, in its order."""

    path: Path
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


def _words(value: Any) -> str:
    return "none" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value)


def noise_level(extra: Mapping[str, Any]) -> str:
    """Noise and its level in words: "kitchen at 12 dB", "no noise"."""
    noise, level = _words(extra.get("noise")), _words(extra.get("snr_db"))
    if noise in ("none", "clean", "quiet"):
        return "no noise"
    return noise if level == "none" else f"{noise} at {level} dB"


def read_manifest(path: Path) -> Manifest:
    """Every usable line, and a fault for every other. Raises InputError when the file itself can't be read or holds
    nothing.
    """
    try:
        raw = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The manifest {path} can't be read: please check its name.", str(error)) from error
    lines: list[Line] = []
    faults: list[Fault] = []
    # Not splitlines(): a JSON string may hold a line separator that it would split at.
    for number, row in enumerate(raw.split("\n"), start=1):
        if not row.strip():
            continue
        try:
            lines.append(parse_line(number, row, path.parent))
        except ValueError as error:
            faults.append(Fault(number, str(error)))
    if not lines and not faults:
        raise InputError(f"The manifest {path} is empty: there is nothing to evaluate.")
    return Manifest(path, tuple(lines), tuple(faults))


def parse_line(number: int, row: str, folder: Path) -> Line:
    """One line; `audio` is relative to `folder`. Raises ValueError that says what is wrong with it."""
    try:
        data = json.loads(row)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    kind, label = data.get("kind"), data.get("label")
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, it must be one of {', '.join(KINDS)}")
    if not isinstance(label, str) or not label:
        raise ValueError("label is missing: it must be the id that is right")
    if (kind == "oos") != (label == OUT_OF_SCOPE):
        raise ValueError(f"kind {kind} with label {label}: kind oos and label {OUT_OF_SCOPE} belong together")
    if (kind == "urgent") != (label == PROVIDER_SOON or label.startswith(URGENT_PREFIX)):
        raise ValueError(
            f"kind {kind} with label {label}: kind urgent belongs to labels {URGENT_PREFIX}... and {PROVIDER_SOON}"
        )
    text, audio = data.get("text"), data.get("audio")
    if text is not None and not isinstance(text, str):
        raise ValueError("text is not a string")
    if audio is not None and not isinstance(audio, str):
        raise ValueError("audio is not a file name")
    if not audio and not (text or "").strip():
        raise ValueError("it has neither audio nor text")
    extra = {key: value for key, value in data.items() if key not in _OWN_KEYS}
    return Line(number, label, kind, text, _existing(folder, audio) if audio else None, extra)


def _existing(folder: Path, audio: str) -> Path:
    if "\0" in audio:
        raise ValueError("audio is not a file name")
    path = folder / audio
    try:
        found = path.is_file()
    except OSError as error:
        raise ValueError(f"the recording {audio!r} can't be looked up: {error.strerror}") from error
    if not found:
        raise ValueError(f"the recording {audio} is not there")
    return path


def keep(lines: Sequence[Line], filters: Sequence[str], limit: int | None = None) -> tuple[Line, ...]:
    """The lines that meet every filter `key=value`, the first `limit` of them. Several filters of one key mean any of
    these values.

    Raises InputError on a filter without a key and on one that no line has.
    """
    wanted: dict[str, set[str]] = {}
    for one in filters:
        key, equals, value = one.partition("=")
        if not key or not equals:
            raise InputError(f"A filter is a key, an equals sign and a value, as in split=test, but this is {one!r}.")
        wanted.setdefault(key, set()).add(value)
    kept = tuple(line for line in lines if all(wanted[key].intersection(line.values(key)) for key in wanted))
    if not kept and lines:
        raise InputError(f"No line of the manifest has {' and '.join(filters)}: there is nothing to evaluate.")
    return kept[:limit]
