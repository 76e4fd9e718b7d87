"""Backtalk itself, through its only door, on the same sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.peer import Pair
from intents.conversation import Conversation
from intents.heard import Heard
from intents.reply import Reply
from intents.schema import COMMANDS
from intents.understand import Understander
from voice.evaluate.manifest import OUT_OF_SCOPE, PROVIDER_SOON, URGENT_PREFIX


class Product:
    """Each sentence is the first of a conversation of its own. It was trained when its pack was compiled, so `train` does nothing."""

    def __init__(self, understander: Understander) -> None:
        self._understander = understander

    def train(self, pairs: Sequence[Pair]) -> None:
        """Its encoder and head are in the package."""

    def reply(self, heard: Heard) -> Mapping[str, Any]:
        """Fields as `backtalk ask --json` has them."""
        return fields(Conversation(self._understander).reply(heard), heard.text)


def fields(reply: Reply, transcript: str) -> dict[str, Any]:
    """What the evaluation looks at."""
    return {
        "transcript": transcript,
        "action": reply.action,
        "intent": reply.intent,
        "choices": list(reply.choices),
        "urgent": list(reply.urgent),
        "confidence": reply.confidence,
    }


def acted(label: str | None, score: float, transcript: str) -> dict[str, Any]:
    """What a program would do that acts on a peer's label: warn, carry out, answer, or turn away where there is none."""
    urgent = label is not None and (label.startswith(URGENT_PREFIX) or label == PROVIDER_SOON)
    action = "warn" if urgent else "command" if label in COMMANDS else "answer"
    if label is None or label == OUT_OF_SCOPE:
        action = "reject"
    return {
        "transcript": transcript,
        "action": action,
        "intent": label if action in ("answer", "command") else None,
        "choices": [],
        "urgent": [label] if urgent else [],
        "confidence": score,
    }
