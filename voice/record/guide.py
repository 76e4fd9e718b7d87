"""From what a volunteer said to what to do next: consent, prompts, and takes that are asked for again.

A state machine without sound, clock or disk.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from rapidfuzz import fuzz

from voice.record.take import Prompt, Take, fault_of

UNLIKE = 45.0
"""Similarity (0 to 100) to the prompt below which something else may have been said; strangers have about 35."""
TRIES = 3
"""Unusable takes, or silences, after which a prompt is left for another time."""

CONSENT = (
    "This records your voice while you read sentences, so that Backtalk can be tested with real people.",
    "The recordings stay in a folder on this computer. Nothing is sent anywhere. You can delete the folder any time.",
    "Whoever you give the folder to can hear your voice and use it to test and improve Backtalk.",
)
ASK_CONSENT = "If you agree, say: I agree to be recorded. If you don't, say: no."
HOW = (
    "Thank you. I say a sentence, and you say it after me, in your own way.",
    "You can say: say it again, skip this one, or stop recording. Or press R, S or Q, and then Enter.",
)
WELCOME_BACK = "Welcome back. You agreed to be recorded, and I go on where we stopped."


class Control(Enum):
    """What a volunteer can ask for, by voice or key."""

    REPEAT = "r"
    SKIP = "s"
    STOP = "q"


LONG_FORMS = {
    "say it again": Control.REPEAT,
    "say that again": Control.REPEAT,
    "skip this one": Control.SKIP,
    "skip this": Control.SKIP,
    "stop recording": Control.STOP,
    "stop the recording": Control.STOP,
}
SHORT_FORMS = {
    "repeat": Control.REPEAT,
    "again": Control.REPEAT,
    "skip": Control.SKIP,
    "next": Control.SKIP,
    "stop": Control.STOP,
    "quit": Control.STOP,
}
"""These count only where they aren't the sentence to be read."""


class Silence:
    """Nobody spoke for as long as the booth waits."""


Event = Take | Control | Silence


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: keep something, say something, and then listen or end."""

    say: tuple[str, ...]
    keep_consent: Take | None = None
    keep: tuple[Prompt, Take] | None = None
    doubted: bool = False
    """True when the kept take was heard as something else, twice: somebody should listen to it."""
    over: bool = False


def normalised(text: str) -> str:
    """Words in lower case, without punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def control_in(text: str, prompt: str = "") -> Control | None:
    """The order in an utterance, unless it is just the sentence to be read."""
    said = normalised(text)
    if said == normalised(prompt):
        return None
    return LONG_FORMS.get(said) or SHORT_FORMS.get(said)


def agrees(text: str) -> bool | None:
    """True for consent, False for refusal, None for anything else. In doubt there is no consent."""
    words = normalised(text).split()
    if {"no", "not", "don't", "never", "disagree", "stop", "cannot", "can't", "won't"} & set(words):
        return False
    return True if {"agree", "agreed", "consent"} & set(words) else None


class Guide:
    """From what was heard to what to do next. Feed it events; it never waits."""

    def __init__(self, prompts: Sequence[Prompt], consented: bool = False) -> None:
        """`prompts`: what is still to be read; `consented`: consent is on the shelf from an earlier time."""
        self._left = deque(prompts)
        self._total = len(prompts)
        self._consented = consented
        self._tries = 0
        self.kept = 0
        """Takes kept this time."""

    def begin(self) -> Step:
        """The opening: asks for consent, or goes on."""
        if not self._left:
            return Step(("There is nothing left to read. Thank you.",), over=True)
        if self._consented:
            return Step((WELCOME_BACK, *HOW[1:], *self._ask()))
        return Step((*CONSENT, ASK_CONSENT))

    def hear(self, event: Event) -> Step:
        """The next step after an utterance, a key or a silence."""
        return self._hear_sentence(event) if self._consented else self._hear_consent(event)

    def _hear_consent(self, event: Event) -> Step:
        if event is Control.STOP:
            return self._refused()
        if event is Control.REPEAT:
            return Step((*CONSENT, ASK_CONSENT))
        if isinstance(event, Take):
            consent = agrees(event.text)
            if consent is False:
                return self._refused()
            fault = fault_of(event)
            if consent and fault is None:
                self._consented, self._tries = True, 0
                return Step((*HOW, *self._ask()), keep_consent=event)
            if consent:
                return self._consent_again(fault or "")
        return self._consent_again("I didn't hear that you agree.")

    def _consent_again(self, why: str) -> Step:
        self._tries += 1
        if self._tries >= TRIES:
            return Step((f"{why} So nothing is recorded. Please start me again when you like.",), over=True)
        return Step((why, ASK_CONSENT))

    def _refused(self) -> Step:
        return Step(("That's fine. Nothing was recorded. Goodbye.",), over=True)

    def _hear_sentence(self, event: Event) -> Step:
        prompt = self._left[0]
        if isinstance(event, Take):
            event = control_in(event.text, prompt.text) or event
        if event is Control.STOP:
            return self._end("All right, we stop here.")
        if event is Control.REPEAT:
            return Step(self._ask())
        if event is Control.SKIP:
            return self._next("Skipped.")
        if not isinstance(event, Take):
            return self._again("I heard nothing.")
        fault = fault_of(event, prompt.text)
        if fault is not None:
            return self._again(fault)
        doubted = fuzz.ratio(normalised(event.text), normalised(prompt.text)) < UNLIKE
        if doubted and self._tries == 0:
            # Asked only once: a voice that the recognizer can't follow is what we want to have on record.
            return self._again("That sounded like something else.")
        self.kept += 1
        return replace(self._next("Good.", keep=(prompt, event)), doubted=doubted)

    def _again(self, why: str) -> Step:
        self._tries += 1
        if self._tries >= TRIES:
            return self._next(f"{why} We leave that one for another time.")
        return Step((why, "Once more, please.", *self._ask()))

    def _next(self, word: str, keep: tuple[Prompt, Take] | None = None) -> Step:
        self._left.popleft()
        self._tries = 0
        if not self._left:
            return self._end(f"{word} That was the last one.", keep)
        return Step((word, *self._ask()), keep=keep)

    def _end(self, word: str, keep: tuple[Prompt, Take] | None = None) -> Step:
        noun = "sentence" if self.kept == 1 else "sentences"
        return Step((word, f"I kept {self.kept} {noun}. Thank you very much. Goodbye."), keep=keep, over=True)

    def _ask(self) -> tuple[str, ...]:
        number = self._total - len(self._left) + 1
        return (f"Number {number} of {self._total}. Please say:", self._left[0].text)
