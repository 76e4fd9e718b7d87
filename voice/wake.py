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
HOLD_S = 0.06
"""Seconds after the phrase that are taken for its last sound: what comes later belongs to the question."""


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

    def __init__(self, model: PhraseModel, phrases: tuple[str, ...]) -> None:
        self._phrases = sorted((tuple(phrase.split()) for phrase in phrases), key=len, reverse=True)
        self._recognizer = model.recognizer([*phrases, "[unk]"])
        self._recognizer.SetWords(True)
        self._recognizer.SetPartialWords(True)
        self._fed = 0

    def accept(self, frame: Samples) -> tuple[str, int] | None:
        """A phrase and the samples since its end, when one has been heard; it then starts anew."""
        self._fed += len(frame)
        if self._recognizer.AcceptWaveform(frame.tobytes()):
            found = self._find(json.loads(self._recognizer.Result()).get("result", []))
        else:
            found = self._find(json.loads(self._recognizer.PartialResult()).get("partial_result", []))
        if found is None:
            return None
        phrase, end_s = found
        since = max(0, self._fed - round((end_s + HOLD_S) * SAMPLE_RATE))
        self.reset()
        return phrase, since

    def reset(self) -> None:
        """For the next stretch of speech."""
        if self._fed:
            self._recognizer.Reset()
        self._fed = 0

    def _find(self, words: list[dict[str, Any]]) -> tuple[str, float] | None:
        heard = [str(word["word"]) for word in words]
        for phrase in self._phrases:
            for first in range(len(heard) - len(phrase) + 1):
                if tuple(heard[first : first + len(phrase)]) == phrase:
                    return " ".join(phrase), float(words[first + len(phrase) - 1]["end"])
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
