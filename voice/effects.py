"""What the loop wants done, and what it is told by: the words between voice.loop and voice.session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from intents.heard import Heard
from intents.reply import Reply
from voice.cues import CueName
from voice.frame import Samples
from voice.settings import Settings
from voice.turn import Utterance


class State(Enum):
    """Where a conversation stands."""

    ASLEEP = "asleep"
    """Only the wake phrase counts."""
    LISTENING = "listening"
    """Awake; nobody speaks."""
    HEARING = "hearing"
    """Somebody speaks, pauses included."""
    SPEAKING = "speaking"


class Mind(Protocol):
    """A conversation with one listener; see voice.mind."""

    def reply(self, heard: Heard) -> Reply:
        """The reply to what was heard; the conversation goes on from it."""

    def peek(self, heard: Heard) -> Reply:
        """What it would reply; it stays as it is."""
        ...

    def undo(self) -> None:
        """Takes the last reply back."""
        ...

    def idle(self) -> Reply:
        """What to say when nobody says any more."""
        ...


class Spotter(Protocol):
    """See voice.wake.PhraseSpotter."""

    def accept(self, frame: Samples, expected: Callable[[], bool] = lambda: True) -> tuple[str, int] | None:
        """One frame; a phrase and the samples since its end, when one has been heard. expected: tells whether one may be said now."""

    def reset(self) -> None:
        """Forgets what was heard."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this reply, then tell `Loop.silent`; tell `Loop.saying` as each sentence begins."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop speaking at once (an urgent warning finishes its first sentence)."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Play this short sound."""

    name: CueName


@dataclass(frozen=True, slots=True)
class Keep:
    """Use these settings from now on and keep them for the next start."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Told:
    """A person said this, and this is the answer: for a screen, where one is wanted. Never for a log."""

    utterance: Utterance
    reply: Reply


@dataclass(frozen=True, slots=True)
class OtherVoice:
    """Use the next voice that there is."""


Effect = Say | Hush | Cue | Keep | Told | OtherVoice
