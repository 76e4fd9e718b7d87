"""The words that wake it or break in: a few phrases, spotted at a fraction of the cost of recognition."""

from __future__ import annotations

import json
from typing import Any, Protocol

from voice.errors import BacktalkError
from voice.frame import SAMPLE_RATE, Samples

DEFAULT_PHRASE = "hey back talk"
LEAST_WORDS = 2
LEAST_LETTERS = 7
"""Shorter phrases turn up in other speech: "hello" all day long."""
CONFIRM = round(0.25 * SAMPLE_RATE)
"""Samples from the moment when a phrase shows up until it counts: by then it is over."""
HOLD_S = -0.05
"""Seconds from the end of the phrase to the cut: later costs the first sound of the question, earlier leaves a word."""


class PhraseModel(Protocol):
    """See voice.model.SpeechModel."""

    def knows(self, word: str) -> bool: ...
    def recognizer(self, grammar: list[str] | None = None) -> Any: ...


class PhraseError(BacktalkError):
    """A wake phrase that can't work."""


def check_phrase(model: PhraseModel, phrase: str) -> tuple[str, ...]:
    """The words of a wake phrase. Raises PhraseError when the model can't hear one, or the phrase is too short."""
    words = tuple(phrase.lower().split())
    if len(words) < LEAST_WORDS or len("".join(words)) < LEAST_LETTERS:
        raise PhraseError(
            f"The wake phrase {phrase!r} is too short, I would wake by mistake: please choose two or three words."
        )
    unknown = [word for word in words if not model.knows(word)]
    if unknown:
        raise PhraseError(
            f"I don't know the word {unknown[0]!r} of the wake phrase {phrase!r}: please choose common words."
        )
    return words


class PhraseSpotter:
    """Fed with the frames of speech, tells which of its phrases was just said, and how long ago it ended."""

    def __init__(self, model: PhraseModel, phrases: tuple[str, ...], instant: tuple[str, ...] = ()) -> None:
        """`instant`: further phrases, for which a hasty hit does less harm than a late one: unconfirmed."""
        self._phrases = tuple(sorted((*phrases, *instant), key=len, reverse=True))
        self._instant = frozenset(instant)
        self._recognizer = model.recognizer([*self._phrases, "[unk]"])
        self._recognizer.SetWords(True)
        self._fed = 0
        """Samples in its life: Vosk counts the times of words from there, whatever was reset in between."""
        self._fresh = True
        self._confirm_at: int | None = None

    def accept(self, frame: Samples) -> tuple[str, int] | None:
        """A phrase and the samples since its end, when one has been heard; it then starts anew.

        Vosk shows a word as it is spoken, even before its end, but knows only later where it ended, and may change its
        mind. So a phrase that shows up is confirmed a moment later, with its end.
        """
        self._fed += len(frame)
        self._fresh = False
        if self._recognizer.AcceptWaveform(frame.tobytes()):
            return self._confirmed(self._recognizer.Result())
        if self._confirm_at is not None:
            return self._confirmed(self._recognizer.FinalResult()) if self._fed >= self._confirm_at else None
        partial = f" {json.loads(self._recognizer.PartialResult()).get('partial', '')} "
        phrase = next((phrase for phrase in self._phrases if f" {phrase} " in partial), None)
        if phrase in self._instant:
            self.reset()
            return phrase, 0
        if phrase is not None:
            self._confirm_at = self._fed + CONFIRM
        return None

    def reset(self) -> None:
        """For the next stretch of speech."""
        if self._fresh:
            return
        self._recognizer.Reset()
        self._fresh, self._confirm_at = True, None

    def _confirmed(self, result: str) -> tuple[str, int] | None:
        """The decoder has begun anew with this result."""
        self._confirm_at = None
        found = self._find(json.loads(result).get("result", []))
        if found is None:
            return None
        phrase, end_s = found
        return phrase, max(0, self._fed - round((end_s + HOLD_S) * SAMPLE_RATE))

    def _find(self, words: list[dict[str, Any]]) -> tuple[str, float] | None:
        heard = [str(word["word"]) for word in words]
        for phrase in self._phrases:
            wanted = phrase.split()
            for first in range(len(heard) - len(wanted) + 1):
                if heard[first : first + len(wanted)] == wanted:
                    return phrase, float(words[first + len(wanted) - 1]["end"])
        return None


class WakeDetector:
    """Says when the wake phrase was heard. Feed it only with speech and a little before it: it is not for silence."""

    def __init__(self, model: PhraseModel, phrase: str = DEFAULT_PHRASE) -> None:
        """Raises PhraseError when the phrase can't work with this model."""
        self.phrase = " ".join(check_phrase(model, phrase))
        self._spotter = PhraseSpotter(model, (self.phrase,))

    def accept(self, frame: Samples) -> int | None:
        """Samples since the phrase ended, when it was just heard; else None."""
        found = self._spotter.accept(frame)
        return None if found is None else found[1]

    def reset(self) -> None:
        """For the next stretch of speech."""
        self._spotter.reset()
