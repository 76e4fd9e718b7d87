"""A room in which sound is scripted: the real loop, mind, conversation and rules; nothing here takes time.

Each frame is silence or (a part of) a word, so a test says to the sample what is spoken when. What was learned from
wordings is replaced by `Table`, so that no test of a safety property hangs on weights that are trained anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from intents.clauses import clauses
from intents.conversation import Conversation, ConversationSettings
from intents.heard import Heard
from intents.pack import Pack, bundled, load_packs
from intents.reply import Reply
from intents.understand import Danger, Meaning, Part, Understanding
from intents.urgent import UrgentRules
from voice.effects import Effect, Hush, Say
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.loop import Loop
from voice.mind import Mind
from voice.settings import Settings
from voice.vad import Activity

WAKE = "hey back talk"
WORD_FRAMES = 8
"""A quarter of a second a word."""
LOUD = 9_000
"""Loud enough to be left alone by an automatic gain."""
NUMB = "i can't feel my legs"
FAINT = "my legs are mumble"
"""Words that are too likely to be a danger sign to ignore, and not likely enough to warn of."""
QUESTION, OTHER_QUESTION = "what is facet hypertrophy", "how is it treated"
TALK = "pass me the salt please"
KNOWN = {
    QUESTION: "definition", OTHER_QUESTION: "treatment", "which signs need help right away": "emergency_signs",
    "stop": "stop", "wait": "stop", "louder": "louder", "more": "more", "yes": "yes", "no": "no", "goodbye": "goodbye",
    f"and {OTHER_QUESTION}": "treatment",
}  # fmt: skip


class Table:
    """Stands for the understander: danger by the packs' rules over all readings, everything else by a table."""

    def __init__(self, packs: Sequence[Pack] = ()) -> None:
        self.packs = tuple(packs or load_packs(bundled()[:1]))
        self.rules = UrgentRules.load([pack.folder for pack in self.packs])
        self.known: dict[Heard, Understanding] = {}

    def understand(self, heard: Heard) -> Understanding:
        if heard not in self.known:
            self.known[heard] = self._understand(heard)
        return self.known[heard]

    def _understand(self, heard: Heard) -> Understanding:
        signs = [sign for text in heard.readings for sign in self.rules.find(text)]
        ids = tuple(dict.fromkeys(sign.id for sign in signs))
        maybe = ("urgent_limb",) if not ids and "mumble" in heard.text else ()
        kind = "self_harm" if any(sign.rule.startswith("self_harm") for sign in signs) else ""
        danger = Danger(ids, tuple(sign.said for sign in signs), kind, maybe)
        parts = tuple(
            Part(text, tuple(self._table(text) for _ in self.packs), bool(self.rules.find(text)))
            for text in clauses(heard.text)
        )
        meanings = tuple(Meaning(pack.id, self._table(heard.text), False) for pack in self.packs)
        return Understanding(heard.text, meanings, danger, parts) if heard.text else Understanding()

    def _table(self, text: str) -> Mapping[str, float]:
        found = [label for words, label in KNOWN.items() if text == words or text.startswith(f"{words} ")]
        return {found[0]: 0.95} if found else {"oos:talk": 0.9}


def conversation(packs: Sequence[Pack] = ()) -> Conversation:
    settings = ConversationSettings(emergency_number="999", crisis_line="116 123")
    return Conversation(Table(packs), settings)  # type: ignore[arg-type]


class Ear:
    """Hears word by word; `finals` says where the final readings differ from the words so far."""

    def __init__(self, table: list[str], finals: dict[str, Heard]) -> None:
        self.table, self.finals = table, finals
        self.heard: list[str] = []

    def accept(self, frame: Samples) -> None:
        if frame.any() and frame[1] == WORD_FRAMES // 2:
            self.heard.append(self.table[frame[0]])

    def partial(self) -> str:
        return " ".join(self.heard)

    def finish(self) -> Heard:
        text, self.heard = self.partial(), []
        return self.finals.get(text, Heard(text))

    def reset(self) -> None:
        self.heard = []

    def rest(self) -> None:
        self.reset()


class Detector:
    """Speech is what isn't silent; the first three frames of it are only starting."""

    state = Activity.QUIET
    run = 0

    def accept(self, frame: Samples) -> None:
        self.run = self.run + 1 if frame.any() else 0
        self.state = Activity.QUIET if not self.run else Activity.SPEAKING if self.run > 3 else Activity.STARTING


class Spotter:
    """Finds a phrase at the end of its last word."""

    def __init__(self, table: list[str]) -> None:
        self.table = table
        self.heard = ""

    def accept(self, frame: Samples, expected: Callable[[], bool] = lambda: True) -> tuple[str, int] | None:
        if not frame.any() or frame[1] != WORD_FRAMES - 1:
            return None
        self.heard += f" {self.table[frame[0]]}"
        for phrase in (WAKE, "stop", "wait"):
            if self.heard.endswith(f" {phrase}") and (phrase != WAKE or expected()):
                self.heard = ""
                return phrase, 0
        return None

    def reset(self) -> None:
        self.heard = ""


@dataclass
class Room:
    """One listener, and a mouth that goes on until the test says that it is done."""

    always: bool = False
    settings: Settings = field(default_factory=Settings)
    packs: Sequence[Pack] = ()
    finals: dict[str, Heard] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.words: list[str] = []
        self.talk = conversation(self.packs)
        shared: Any = self.talk._understander
        self.mind = Mind(self.talk, (shared, *shared.packs))
        ear, spotter = Ear(self.words, self.finals), Spotter(self.words)
        self.loop = Loop(ear, Detector(), self.mind, spotter, self.settings, always=self.always)

    def hears(self, *parts: str | int) -> list[Reply]:
        """Speech, and silences in milliseconds. The replies that it begins to say in that time."""
        before = len(self.effects)
        for part in parts:
            for frame in self._silence(part) if isinstance(part, int) else self._speech(part):
                self.effects += self.loop.feed(frame)
        return said(self.effects[before:])

    def has_spoken(self) -> None:
        """The mouth is done."""
        self.effects += self.loop.silent()

    def speaks(self, sentence: str) -> None:
        """The mouth begins this sentence."""
        self.loop.saying(sentence)

    def asked(self, *parts: str | int) -> list[Reply]:
        """Wakes it, asks, and waits until the mouth is done."""
        replies = self.hears(WAKE, *parts, 2000)
        self.has_spoken()
        return replies

    @property
    def hushed(self) -> bool:
        return any(isinstance(effect, Hush) for effect in self.effects)

    def _silence(self, ms: int) -> list[Samples]:
        return [np.zeros(FRAME_SAMPLES, np.int16)] * round(ms * SAMPLE_RATE / 1000 / FRAME_SAMPLES)

    def _speech(self, text: str) -> list[Samples]:
        frames: list[Samples] = []
        for word in text.split():
            self.words.append(word)
            for place in range(WORD_FRAMES):
                frame = np.full(FRAME_SAMPLES, LOUD, np.int16)
                frame[0], frame[1] = len(self.words) - 1, place
                frames.append(frame)
        return frames


def said(effects: Sequence[Effect]) -> list[Reply]:
    return [effect.reply for effect in effects if isinstance(effect, Say)]


def warned(replies: Sequence[Reply]) -> bool:
    """Whether the last thing said is an urgent warning with the number first."""
    return bool(replies) and replies[-1].urgent_sentences > 0 and "9 9 9" in replies[-1].sentences[0]


def without(pack: Pack, *names: str) -> Pack:
    """The pack with these answers missing; with none named, all of them."""
    kept = {name: answer for name, answer in pack.answers.items() if names and name not in names}
    return replace(pack, answers=kept)
