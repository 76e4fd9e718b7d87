"""The words that wake it or break in: a few phrases, spotted at a fraction of the cost of recognition."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from voice.effects import Spotter
from voice.errors import BacktalkError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.second_look import PhraseModel, SecondLook

DEFAULT_PHRASE = "hey back talk"
LEAST_WORDS = 2
LEAST_LETTERS = 7
"""Shorter phrases turn up in other speech: "hello" all day long."""
LONG_WORD = 4
"""Letters of a word that is a part by itself."""
LOOKS = tuple(round(after_s * SAMPLE_RATE) for after_s in (0.4, 0.6, 0.8))
"""Samples after a part of the phrase shows up at which what was said is looked at again: by then it may be over."""
BEFORE = round(1.5 * SAMPLE_RATE)
"""Samples before that moment in which the phrase has begun."""
CONTEXT = round(0.5 * SAMPLE_RATE)
"""Samples before those which tell what the noise is like."""
HOLD_S = -0.05
"""Seconds from the end of the phrase to the cut: later costs the first sound of the question, earlier leaves a word."""


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


class Look(Protocol):
    """See voice.second_look.SecondLook."""

    def end(self, sound: Samples, context: int = 0) -> int | None: ...


def parts(phrase: str) -> tuple[str, ...]:
    """What is enough of a phrase to take a second look: all but its first or its last word, and each word of some length;
    of two words the longer.

    In noise one word is often all that shows. In 42 minutes of television single words made seven times as many second
    looks, and none that was taken for the phrase.
    """
    words = phrase.split()
    if len(words) < 3:
        return (max(words, key=len),)
    return " ".join(words[:-1]), " ".join(words[1:]), *(word for word in words if len(word) >= LONG_WORD)


class PhraseSpotter:
    """Fed with the frames of speech, tells which of its phrases was just said, and how long ago it ended.

    A decoder that costs little shows words as they are spoken, often too many, and in noise too few. So parts of a phrase
    are enough for it, and the sound around them is looked at again.
    """

    def __init__(
        self,
        model: PhraseModel,
        phrases: tuple[str, ...],
        instant: tuple[str, ...] = (),
        look: Callable[[PhraseModel, str], Look] = SecondLook,
    ) -> None:
        """`instant`: further phrases, for which a hasty hit does less harm than a late one: without a second look."""
        self._looks = {phrase: look(model, phrase) for phrase in phrases}
        self._parts = {part: phrase for phrase in phrases for part in parts(phrase)}
        self._instant = tuple(sorted(instant, key=len, reverse=True))
        self._decoder = partial(model.recognizer, [*phrases, *instant, "[unk]"])
        self._recognizer = self._decoder()
        self._recent: deque[Samples] = deque(maxlen=(CONTEXT + BEFORE + 2 * max(LOOKS)) // FRAME_SAMPLES)
        self._fed = 0
        """Samples since the stretch of speech began."""
        self._shown = ""
        self._due: list[tuple[int, str, int]] = []
        """When to look: samples fed, at which phrase, and from which sample on."""

    def accept(self, frame: Samples, expected: Callable[[], bool] = lambda: True) -> tuple[str, int] | None:
        """A phrase and the samples since its end, when one has been heard; it then starts anew.

        expected: asked before a second look, which holds up what is being heard (0.2 s on two cores of a server).
        """
        self._fed += len(frame)
        self._recent.append(frame)
        if self._recognizer.AcceptWaveform(frame.tobytes()):
            shown = str(json.loads(self._recognizer.Result()).get("text", ""))
        else:
            shown = str(json.loads(self._recognizer.PartialResult()).get("partial", ""))
        if shown != self._shown:
            self._shown = shown
            said = next((phrase for phrase in self._instant if f" {phrase} " in f" {shown} "), None)
            if said is not None:
                self.reset()
                return said, 0
            self._expect(shown)
        if not self._due or self._fed < self._due[0][0]:
            return None
        due = self._due.pop(0)
        return self._look(*due[1:]) if expected() else None

    def reset(self) -> None:
        """For the next stretch of speech.

        With a new decoder, which takes 0.4 ms: the graph that one makes as it hears, it never gives back (11 MB an hour).
        """
        if not self._fed:
            return
        self._recognizer = self._decoder()
        self._fed, self._shown, self._due = 0, "", []

    def _expect(self, shown: str) -> None:
        """Looks are due after a part of a phrase among the last words that are shown."""
        for part, phrase in self._parts.items():
            last = shown.split()[-len(part.split()) - 1 :]
            if f" {part} " not in f" {' '.join(last)} ":
                continue
            begin = max(0, self._fed - BEFORE)
            after = max((at for at, _, _ in self._due), default=0) + FRAME_SAMPLES
            self._due += [(self._fed + wait, phrase, begin) for wait in LOOKS if self._fed + wait > after]
            return

    def _look(self, phrase: str, begin: int) -> tuple[str, int] | None:
        sound = np.concatenate(list(self._recent))
        context = max(0, len(sound) - (self._fed - begin))
        end = self._looks[phrase].end(sound, context)
        if end is None:
            return None
        self.reset()
        return phrase, max(0, len(sound) - end - round(HOLD_S * SAMPLE_RATE))


def found_in(frames: Sequence[Samples], spotter: Spotter, expected: Callable[[], bool]) -> tuple[str, int] | None:
    """The first phrase in these frames, the last of which is now, and how many samples ago it ended; see PhraseSpotter.accept."""
    for later, frame in zip(reversed(range(len(frames))), frames, strict=True):
        found = spotter.accept(frame, expected)
        if found is not None:
            return found[0], found[1] + later * FRAME_SAMPLES
    return None
