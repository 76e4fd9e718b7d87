"""A stand-in for the product: it hears what the manifest says and understands a handful of words.

Importable by worker processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.errors import BacktalkError
from voice.evaluate.answer import Answer
from voice.evaluate.manifest import Line


def reply(action: str, intent: str | None = None, **more: Any) -> dict[str, Any]:
    """One line of `ask --json` with everything that isn't said left as it mostly is."""
    fields: dict[str, Any] = {
        "transcript": "what was heard",
        "action": action,
        "intent": intent,
        "choices": [],
        "urgent": [],
        "speech": "Some words.",
        "confidence": 0.9,
        "timing_ms": {"recognize": 100.0, "understand": 2.0, "first_audio": 20.0},
    }
    return fields | more


RULES = {
    "numb": reply("warn", urgent=["urgent_limb"], confidence=0.99),
    "symptoms": reply("answer", "symptoms"),
    "diabetes": reply("reject", confidence=0.6),
    "louder": reply("command", "louder"),
    "which": reply("clarify", choices=["causes", "treatment"], confidence=0.5),
}


def understand(text: str) -> dict[str, Any]:
    for word, found in RULES.items():
        if word in text:
            return found | {"transcript": text}
    return reply("answer", "definition", transcript=text, confidence=0.4)


@dataclass(frozen=True)
class Fake:
    """Makes the stand-in."""

    log: Path | None = None
    """Gets every text that was answered, after the process that did it."""
    dies_at: str = ""
    """A text at which everything ends as on Ctrl-C."""
    no_model: bool = False
    version: str = "1"

    def __call__(self) -> Answer:
        if self.no_model:
            raise BacktalkError("The speech model isn't there yet: please run backtalk setup first.")
        return self.answer

    def answer(self, line: Line) -> Mapping[str, Any]:
        text = line.text or ""
        if self.dies_at and self.dies_at in text:
            raise KeyboardInterrupt
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{os.getpid()} {text}\n")
        if "crash" in text:
            raise IndexError("list index out of range")
        if "unreadable" in text:
            return reply("", transcript=None, error="This recording can't be read.", timing_ms=None)
        return understand(text)

    def fingerprint(self) -> str:
        return self.version
