"""What a check found: where, and why it matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from intents.pack import Fault

Level = Literal["error", "advice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report. Errors make the pack unfit for use, advice doesn't."""

    level: Level
    file: Path
    key: str
    """What in the file: an id, or `id.part`; empty for the whole file."""
    reason: str

    def __str__(self) -> str:
        return f"{self.level}: {Fault(self.file, self.key, self.reason)}"


def from_faults(faults: Iterable[Fault]) -> tuple[Finding, ...]:
    """Each fault as a finding of level error."""
    return tuple(Finding("error", fault.file, fault.key, fault.reason) for fault in faults)
