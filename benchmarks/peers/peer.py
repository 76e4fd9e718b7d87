"""What a peer is: something that learns from labelled sentences and then gives each sentence a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

Pair = tuple[str, str]
"""(text, label): text as `intents.text.normalise` leaves it; label a question, urgent or command id, or out_of_scope."""
Guess = tuple[str | None, float]
"""(label, score): None when the peer has no answer. Scores compare only within one peer; higher is surer."""


class Peer(Protocol):
    """One program. Made untrained; trained once."""

    def train(self, pairs: Sequence[Pair]) -> None:
        """Learns from the pairs."""

    def predict(self, text: str) -> Guess:
        """What it takes the text for."""


class Missing(Exception):
    """A peer that can't run here; its text says why and what to install."""


@dataclass(frozen=True, slots=True)
class About:
    """What a reader must know of a peer to judge its row."""

    how: str
    """How it was trained and asked."""
    tuned: bool = True
    """True where its threshold is set on a held-out writer; False where it has a decision of its own."""
    most: int | None = None
    """At most so many training wordings, an even sample over the labels, because more takes absurdly long."""
    readings: bool = False
    """True where it is given every reading of a recording, not only the best."""


def need(module: str, install: str) -> ModuleType:
    """The module. Raises Missing that says what to install."""
    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        raise Missing(f"not installed ({error}); {install}") from error
