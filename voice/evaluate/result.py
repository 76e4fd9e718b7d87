"""What came out for one line of the manifest: the reply as `backtalk ask --json` gives it, and how good that was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from voice.evaluate.manifest import OUT_OF_SCOPE, PROVIDER_SOON, URGENT_PREFIX, Line

Outcome = Literal[
    "right",
    "clarified right",
    "clarified wrong",
    "wrong",
    "rejected",
    "warned",
    "found",
    "asked",
    "missed",
    "refused",
    "false accept",
    "unusable",
    "crashed",
]
"""What each means is in MEANING. Out of scope uses `wrong` for a command carried out and `clarified wrong` for asking
back.
"""

MEANING: dict[Outcome, str] = {
    "right": "answered or carried out what was meant",
    "clarified right": "asked back, and the right one was offered",
    "clarified wrong": "asked back, and the right one was not offered",
    "wrong": "answered or carried out something else",
    "rejected": "said that it can't help, though it could",
    "warned": "warned though there was no danger sign",
    "found": "found the danger sign",
    "asked": "asked back about the danger sign",
    "missed": "missed the danger sign",
    "refused": "rightly did not answer",
    "false accept": "answered what it must not answer",
    "unusable": "the input could not be used",
    "crashed": "the program failed",
}

GOODNESS: dict[Outcome, int] = {
    "right": 3,
    "found": 3,
    "refused": 3,
    "clarified right": 2,
    "asked": 2,
    "clarified wrong": 1,
    "rejected": 1,
    "wrong": 0,
    "warned": 0,
    "missed": 0,
    "false accept": 0,
    "unusable": 0,
    "crashed": 0,
}
"""0 does harm, 3 is what a good nurse would do."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line and its reply."""

    line: Line
    reply: Mapping[str, Any]
    """The fields of `ask --json`."""
    seconds: float = 0.0
    """Length of the recording; 0 for a text."""

    @property
    def urgent(self) -> tuple[str, ...]:
        """Ids of the danger signs found, gravest first."""
        return tuple(self.reply.get("urgent") or ())

    @property
    def danger(self) -> bool:
        """True when any `urgent_*` sign was found."""
        return any(one.startswith(URGENT_PREFIX) for one in self.urgent)

    @property
    def confidence(self) -> float:
        """0 to 1; 0 where the reply has none."""
        return float(self.reply.get("confidence") or 0.0)

    @property
    def error(self) -> str | None:
        """Why the input could not be used; None when it could."""
        return self.reply.get("error") or None

    @property
    def transcript(self) -> str:
        """What was heard; empty for a text that failed."""
        return str(self.reply.get("transcript") or "")

    @property
    def outcome(self) -> Outcome:
        """How good the reply is; see MEANING."""
        return outcome(self.line.kind, self.line.label, self.reply)

    @property
    def false_warning(self) -> bool:
        """True when a line without a danger sign was met with an `urgent_*` id or with a warning of any kind."""
        return self.line.kind != "urgent" and self.error is None and (self.danger or self.reply.get("action") == "warn")

    @property
    def asks_about_danger(self) -> bool:
        """True when the reply asks back whether there is a danger sign."""
        return self.reply.get("action") == "clarify" and names_danger(self.reply.get("choices") or ())

    @property
    def false_provider_soon(self) -> bool:
        """True when `provider_soon` was said to a line that is neither it nor more urgent."""
        return self.line.kind != "urgent" and self.error is None and PROVIDER_SOON in self.urgent


def names_danger(ids: Iterable[str]) -> bool:
    """True when any of `ids` is a sign of any urgency."""
    return any(one.startswith(URGENT_PREFIX) or one == PROVIDER_SOON for one in ids)


def outcome(kind: str, label: str, reply: Mapping[str, Any]) -> Outcome:
    """How good `reply` is for an utterance of this kind and label."""
    if reply.get("error"):
        return "unusable"
    if reply.get("crash"):
        return "crashed"
    action, intent = reply.get("action"), reply.get("intent")
    choices, urgent = reply.get("choices") or (), reply.get("urgent") or ()
    if kind == "urgent":
        return _urgent_outcome(label, action, choices, urgent)
    if action == "warn" or any(one.startswith(URGENT_PREFIX) for one in urgent):
        return "warned"
    if kind == "oos":
        by_action: dict[Any, Outcome] = {"answer": "false accept", "command": "wrong", "clarify": "clarified wrong"}
        return by_action.get(action, "refused")
    if action == "clarify":
        return "clarified right" if label in choices else "clarified wrong"
    if action in ("answer", "command"):
        return "right" if intent == label and (action == "command") == (kind == "command") else "wrong"
    return "rejected"


def _urgent_outcome(label: str, action: Any, choices: Any, urgent: Any) -> Outcome:
    def counts(one: str) -> bool:
        return one.startswith(URGENT_PREFIX) or (label == PROVIDER_SOON and one == PROVIDER_SOON)

    if any(counts(one) for one in urgent):
        return "found"
    # Asked back about some sign, be it another one: the person is stopped on the way to a wrong answer, and no more.
    return "asked" if action == "clarify" and names_danger(choices) else "missed"


def predicted(result: Result) -> str:
    """The id given: out_of_scope for a rejection; "(asked back)", "(unusable)" and "(crashed)" where there is none."""
    reply = result.reply
    if result.error:
        return "(unusable)"
    if reply.get("crash"):
        return "(crashed)"
    if result.urgent and (reply.get("action") == "warn" or result.danger or result.line.kind == "urgent"):
        # The right sign where it is among those found; else the gravest, which comes first.
        return (
            result.line.label
            if result.line.label in result.urgent
            else min(result.urgent, key=lambda one: not one.startswith(URGENT_PREFIX))
        )
    if reply.get("action") == "clarify":
        return "(asked back)"
    if reply.get("action") in ("answer", "command") and reply.get("intent"):
        return str(reply["intent"])
    return OUT_OF_SCOPE


def to_json(result: Result) -> dict[str, Any]:
    """One utterance of report.json."""
    line = result.line
    return {
        "line": line.number,
        "name": line.name,
        "audio": str(line.audio) if line.audio else None,
        "text": line.text,
        "label": line.label,
        "kind": line.kind,
        "extra": dict(line.extra),
        "outcome": result.outcome,
        "seconds": round(result.seconds, 3),
        "reply": dict(result.reply),
    }


def from_json(data: Mapping[str, Any]) -> Result:
    """The inverse of `to_json`. Raises KeyError or TypeError on another shape."""
    audio = Path(data["audio"]) if data["audio"] else None
    line = Line(data["line"], data["label"], data["kind"], data["text"], audio, data["extra"])
    return Result(line, data["reply"], float(data["seconds"]))
