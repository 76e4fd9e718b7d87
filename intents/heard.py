"""What was heard: the value that crosses from `voice` to `intents`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One recognized word."""

    text: str
    start: float
    """Seconds from the first sample of the utterance."""
    end: float
    """Seconds from the first sample of the utterance."""
    confidence: float
    """0 to 1, as the recognizer states it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Every reading of one utterance, best first. Empty `text` means that no words were recognized."""

    text: str
    alternatives: tuple[str, ...] = ()
    """Other readings, best first, without `text`."""
    words: tuple[Word, ...] = ()
    """The words of `text`; empty when the text was typed."""
    typed: bool = False
    """True when nothing was misheard because nothing was heard."""

    @property
    def readings(self) -> tuple[str, ...]:
        """All different, non-empty readings, best first."""
        return tuple(dict.fromkeys(text for text in (self.text, *self.alternatives) if text.strip()))

    @property
    def confidence(self) -> float:
        """Mean word confidence of the best reading, 1.0 where there is none to tell."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 1.0

    @classmethod
    def from_text(cls, text: str) -> Heard:
        """What was typed: one reading, and nothing misheard."""
        return cls(text, typed=True)
