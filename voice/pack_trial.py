"""Talking to a pack under work: what it replies, and why it understood what it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from intents.compile import examples_for
from intents.conversation import Conversation
from intents.explain import Explanation, explain
from intents.heard import Heard
from intents.lint_danger import rule_folders
from intents.pack import PackError
from intents.understand import Understander
from intents.urgent import UrgentRules
from intents.urgent_schema import UrgentRulesError
from voice.errors import InputError

if TYPE_CHECKING:
    from intents.reply import Reply
    from voice.stt import Recognizer

PAUSE_MS = 900
"""Silence that ends a sentence that is tried by microphone."""
SMALLEST = 0.02
"""Changes of probability below this say nothing about a word."""


class Trial:
    """One conversation with one pack."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError when the pack can't be used yet."""
        try:
            self._understander = Understander.load([folder])
            self._examples = [examples_for(pack) for pack in self._understander.packs]
            self._rules = UrgentRules.load(rule_folders(self._understander.packs[0]))
        except (PackError, UrgentRulesError) as error:
            raise InputError(f"The pack can't be tried yet:\n{error}") from error
        self._conversation = Conversation(self._understander)

    @property
    def sentences(self) -> Sequence[str]:
        """What hearing is taught of the pack."""
        return self._understander.sentences

    def lines(self, heard: Heard) -> Iterator[str]:
        """The reply to one sentence, and the reasons, as lines for a person."""
        reply = self._conversation.reply(heard)
        yield f"Heard: {heard.text or 'no words'}"
        yield f"Reply: {reply.speech or 'nothing'}"
        yield f"This was: {_outcome(reply)}"
        for found in explain(self._understander, self._rules, self._examples, heard.text):
            yield from reasons(found)


def _outcome(reply: Reply) -> str:
    parts = [
        reply.action,
        *filter(None, [reply.intent]),
        *reply.urgent,
        *(f"offered {choice}" for choice in reply.choices),
    ]
    return f"{', '.join(parts)} (confidence {reply.confidence:.2f})"


def reasons(found: Explanation) -> Iterator[str]:
    """An explanation in plain lines."""
    yield "Scores: " + ", ".join(f"{label} {score:.2f}" for label, score in found.scores)
    telling = [(word, change) for word, change in found.words if abs(change) >= SMALLEST]
    if telling:
        label = found.scores[0][0]
        yield f"Words that mattered for {label}: " + ", ".join(f"{word} {change:+.2f}" for word, change in telling)
    yield f"The condition was {'' if found.named else 'not '}named."
    for sign in found.signs:
        state = f"taken back: {sign.reason}" if sign.reason else f"certainty {sign.certainty:.2f}"
        yield f'Danger rule {sign.rule} ({sign.id}): "{sign.said}", {state}'
    for near in found.nearest:
        yield f'Near wording: "{near.example.text}" ({near.example.label}, by {near.example.writer}, {near.score:.0f} of 100 alike)'


def typed(lines: Iterable[str]) -> Iterator[Heard]:
    """One sentence a line; empty lines are left out."""
    return (Heard.from_text(line.strip()) for line in lines if line.strip())


def recorded(paths: Sequence[Path], sentences: Sequence[str], model: Path | None) -> Iterator[Heard]:
    """What is heard in recordings. Raises InputError and ModelError."""
    from voice.audio import frames, read_audio
    from voice.recording import hear
    from voice.vad import SpeechDetector

    ear = _recognizer(sentences, model)
    for path in paths:
        for one in hear(frames(read_audio(path)), ear, SpeechDetector(), time.perf_counter):
            yield one.utterance.heard


def said(sentences: Sequence[str], model: Path | None, ready: Callable[[], None]) -> Iterator[Heard]:
    """What is said into the microphone, sentence by sentence, until it is lost. Raises DeviceError and ModelError."""
    from voice.mic import SystemMicrophone
    from voice.turn import Turn
    from voice.vad import SpeechDetector

    turn = Turn(_recognizer(sentences, model), lambda _heard: PAUSE_MS)
    detector = SpeechDetector()
    with SystemMicrophone() as microphone:
        ready()
        while True:
            frame = microphone.read()
            detector.accept(frame)
            if turn.feed(frame, detector.state):
                yield turn.finish().heard


def _recognizer(sentences: Sequence[str], model: Path | None) -> Recognizer:
    from voice.model import load_model
    from voice.prepare import taught_model
    from voice.progress import ShownProgress
    from voice.stt import Recognizer

    with ShownProgress() as progress:
        return Recognizer(load_model(taught_model(model, sentences, progress)))
