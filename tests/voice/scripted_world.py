"""A world on scripted sound for the conversation's state machine: each frame is silence or (a part of) a word.

    hears("hey back talk", "what is it", 400)   two stretches of words spoken in one go, then 400 ms of silence

Everything real is replaced: recognizer, voice activity, phrase spotter, mind and mouth. Nothing here takes time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from intents.heard import Heard
from intents.reply import Reply
from voice.effects import Effect, Say
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.loop import Loop
from voice.settings import Settings
from voice.vad import Activity

WORD_FRAMES = 8
"""A quarter of a second a word."""
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)

ANSWER = Reply("answer", "definition", sentences=("It is worn joints.", "They grow thick."), confidence=0.9)
SHORT = Reply("answer", "outlook", sentences=("It lasts.",), confidence=0.9)
WARNING = Reply(
    "warn", None, urgent=("urgent_limb",), sentences=("Call for help now.", "It may be serious."), urgent_sentences=1
)
REJECT = Reply("reject", sentences=("I can't help with that.",), confidence=0.3)
KNOWN = {
    "what is it": ANSWER,
    "what is it and will it last": SHORT,
    "will it last": SHORT,
    "okay": Reply("command", "yes", sentences=("Yes to what?",)),
    "my legs are numb doctor": WARNING,
    "slower trains": REJECT,
    "which one is it": ANSWER,
    "what is it worth": SHORT,
    "what is um it": ANSWER,
    "my legs are numb": WARNING,
    "slower": Reply("command", "slower", sentences=("Slower.",)),
    "goodbye": Reply("command", "goodbye", sentences=("Goodbye.",), ends=True),
    "the trains are late": Reply("reject", sentences=("That wasn't meant for me.",), overheard=True),
    "stop": Reply("command", "stop"),
    "wait": Reply("command", "stop"),
    "which one": Reply("clarify", choices=("a", "b"), sentences=("This or that?",), expects_reply=True),
}


class World:
    """Words as sound, and a loop that hears it."""

    def __init__(self, *, always: bool = False, settings: Settings | None = None) -> None:
        self.words: list[str] = []
        self.mind = FakeMind()
        self.ear = FakeEar(self.words)
        self.detector = FakeDetector()
        self.spotter = FakeSpotter(self.words, ("hey back talk", "stop", "wait"))
        self.loop = Loop(self.ear, self.detector, self.mind, self.spotter, settings or Settings(), always=always)
        self.effects: list[Effect] = []

    def hears(self, *parts: str | int, echo_of: str = "") -> list[Effect]:
        """Speech, and silences in milliseconds; returns the effects of this stretch."""
        before = len(self.effects)
        for part in parts:
            frames = _silence(part) if isinstance(part, int) else self._speech(part)
            for frame in frames:
                self.effects += self.loop.feed(frame)
        return self.effects[before:]

    def _speech(self, text: str) -> list[Samples]:
        frames: list[Samples] = []
        for word in text.split():
            self.words.append(word)
            for place in range(WORD_FRAMES):
                frame = np.full(FRAME_SAMPLES, 1, np.int16)
                frame[0], frame[1] = len(self.words), place
                frames.append(frame)
        return frames

    def asked(self, *parts: str | int) -> list[Effect]:
        """Wakes it, asks, and waits until it has answered."""
        effects = self.hears("hey back talk", *parts, 2000)
        self.spoken()
        return effects

    def spoken(self) -> None:
        self.effects += self.loop.silent()

    def says(self) -> list[Reply]:
        return [effect.reply for effect in self.effects if isinstance(effect, Say)]


def _silence(ms: int) -> list[Samples]:
    return [SILENCE] * round(ms * SAMPLE_RATE / 1000 / FRAME_SAMPLES)


class FakeEar:
    def __init__(self, words: list[str]) -> None:
        self.table = words
        self.heard: list[str] = []
        self.rested = 0
        self.late = ""
        """A word that it tells only at the end."""
        self.as_one: dict[str, str] = {}
        """What it makes of words that it hears in one go."""

    def accept(self, frame: Samples) -> None:
        if frame.any() and frame[1] == WORD_FRAMES // 2:
            self.heard.append(self.table[frame[0] - 1])

    def partial(self) -> str:
        text = " ".join(word for word in self.heard if word != self.late)
        return self.as_one.get(text, text)

    def finish(self) -> Heard:
        text = " ".join(self.heard)
        self.heard = []
        return Heard(self.as_one.get(text, text))

    def reset(self) -> None:
        self.heard = []

    def rest(self) -> None:
        self.reset()
        self.rested += 1


class FakeDetector:
    """Speech is what isn't silent; the first three frames of it are only starting."""

    state = Activity.QUIET

    def __init__(self) -> None:
        self.run = 0
        self.deaf = 0
        """Frames of speech that it will take for noise."""

    def accept(self, frame: Samples) -> None:
        noise = frame.any() and self.deaf > 0
        self.deaf -= noise
        self.run = self.run + 1 if frame.any() and not noise else 0
        if not self.run:
            self.state = Activity.QUIET
        else:
            self.state = Activity.SPEAKING if self.run > 3 else Activity.STARTING


class FakeSpotter:
    """Finds a phrase at the end of its last word."""

    def __init__(self, words: list[str], phrases: tuple[str, ...]) -> None:
        self.table, self.phrases = words, phrases
        self.heard: list[str] = []

    def accept(self, frame: Samples, expected: Callable[[], bool] = lambda: True) -> tuple[str, int] | None:
        if not frame.any() or frame[1] != WORD_FRAMES - 1:
            return None
        self.heard.append(self.table[frame[0] - 1])
        text = " ".join(self.heard)
        for phrase in self.phrases:
            if text.endswith(phrase) and expected():
                self.heard = []
                return phrase, 0
        return None

    def reset(self) -> None:
        self.heard = []


class FakeMind:
    def __init__(self) -> None:
        self.log: list[str] = []

    def peek(self, heard: Heard) -> Reply:
        return KNOWN.get(heard.text, REJECT)

    def reply(self, heard: Heard) -> Reply:
        self.log.append(heard.text)
        return self.peek(heard)

    def undo(self) -> None:
        self.log.pop()

    def idle(self) -> Reply:
        return Reply("command", sentences=("Say hey back talk when you need me.",))


def kinds(effects: list[Effect]) -> list[Any]:
    return [type(effect) for effect in effects]


def greeted() -> World:
    """It has spoken without hearing itself, so that it knows that its own voice doesn't come back."""
    world = World()
    world.effects += world.loop.say(Reply("command", sentences=("I'm listening.",), ends=True))
    world.hears(3000)
    world.spoken()
    return world
