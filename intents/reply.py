"""What to say and do: the value that crosses from `intents` to `voice`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["answer", "warn", "command", "clarify", "reject"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn's outcome. Sentences are spoken one at a time, in order; `urgent_sentences` of them, at the start, are the warning."""

    action: Action
    intent: str | None = None
    """The id that was answered or carried out (`definition`, `repeat`, ...)."""
    choices: tuple[str, ...] = ()
    """With `clarify`: the ids offered, best first, at most two."""
    urgent: tuple[str, ...] = ()
    """Every `urgent_*` and `provider_soon` id found."""
    sentences: tuple[str, ...] = ()
    """What to say, one sentence each. Empty: stay quiet and ready."""
    urgent_sentences: int = 0
    """How many of `sentences`, from the first, are an urgent warning: slower, after the urgent cue, hard to interrupt."""
    confidence: float = 1.0
    """0 to 1, calibrated: of replies with 0.8, about four in five are right."""
    pack: str | None = None
    """Id of the pack that answered."""
    also: tuple[str, ...] = ()
    """Further ids answered in the same breath, in the order in which they were asked."""
    overheard: bool = False
    """True when the words were probably not meant for Backtalk: where no wake phrase was said, stay silent."""
    expects_reply: bool = False
    """True after a question back to the person: listen again without a wake phrase."""
    ends: bool = False
    """True after goodbye: the conversation is over."""

    @property
    def doubts(self) -> bool:
        """True when it asks whether a danger sign was said."""
        return self.action == "clarify" and any(choice.startswith("urgent_") for choice in self.choices)

    @property
    def speech(self) -> str:
        """Everything that is said, as one text."""
        return " ".join(self.sentences)
