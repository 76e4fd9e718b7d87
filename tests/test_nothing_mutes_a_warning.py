"""Every way that we know in which the mouth could keep a warning back, and that it doesn't. docs/safety.md refers to these by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from scripted_room import NUMB, conversation

from intents.heard import Heard
from intents.warning import Contacts, fixed_sentences
from voice.cues import cue
from voice.errors import VoiceError
from voice.mouth import Mouth
from voice.settings import Settings
from voice.speaker import gain
from voice.speech import Int16
from voice.tts import NO_VOICE, SpokenWarnings, last_resort

NUMBER = "Warning. This may be an emergency. Call 9 9 9 now."


@dataclass
class Stuck:
    """A voice that never comes back until the test lets it, or that is dead."""

    sample_rate: int = 22_050
    dead: bool = False
    go: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def speak(self, sentence: str, rate: int = 165) -> Int16:
        self.asked.set()
        if self.dead:
            raise VoiceError(NO_VOICE, "dead for a test")
        self.go.wait(30)
        return np.array([ord(char) for char in sentence], dtype=np.int16)

    def close(self) -> None: ...


@dataclass
class Speaker:
    """Writes down what is played, how loud."""

    volume: float = 1.0
    playing: bool = False
    heard: list[tuple[bytes, float]] = field(default_factory=list)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        self.heard.append((samples.tobytes(), gain(self.volume, urgent)))
        self.started.release()

    def begin(self, name: str) -> None: ...
    def show(self, text: str) -> None: ...
    def stop(self) -> None: ...
    def end(self) -> None: ...
    def wait(self, timeout_s: float | None = None) -> bool:
        return True

    def position(self, samples: Int16) -> int:
        """The place of this sound among what was played."""
        return next(place for place, (heard, _) in enumerate(self.heard) if heard.startswith(samples.tobytes()))

    def until(self, samples: Int16) -> None:
        """Wait until this sound has been started."""
        while not any(heard.startswith(samples.tobytes()) for heard, _ in self.heard):
            assert self.started.acquire(timeout=30), "it was not played"

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def voice() -> Iterator[Stuck]:
    voice = Stuck()
    yield voice
    voice.go.set()


def letters(text: str) -> Int16:
    return np.array([ord(char) for char in text], dtype=np.int16)


def kept(voice: Stuck) -> SpokenWarnings:
    """The fixed sentences, made before the voice gets stuck."""
    voice.go.set()
    warnings = SpokenWarnings(voice, fixed_sentences(Contacts("999", "116 123")))
    assert warnings.wait(30)
    voice.go.clear()
    voice.asked.clear()
    return warnings


@pytest.mark.parametrize("text", [NUMB, "i can't pee", "i have crushing chest pain", "i want to kill myself"])
def test_every_first_sentence_is_said_with_the_engine_dead(voice: Stuck, text: str) -> None:
    warnings, speaker = kept(voice), Speaker()
    voice.dead = True
    reply = conversation().reply(Heard(text))
    with Mouth(voice, speaker, warnings, Settings()) as mouth:
        mouth.say(reply.sentences, reply.urgent_sentences)
        with pytest.raises(VoiceError):
            mouth.wait(30)
    assert speaker.position(cue("urgent").samples) == 0
    assert speaker.position(letters(reply.sentences[0])) == 1


def test_an_answer_whose_voice_hangs_does_not_hold_up_a_warning(voice: Stuck) -> None:
    warnings, speaker = kept(voice), Speaker()
    with Mouth(voice, speaker, warnings, Settings()) as mouth:
        mouth.say(["An answer that never comes."])
        assert voice.asked.wait(30)
        mouth.say([NUMBER], urgent_sentences=1)
        assert mouth.wait(10)  # the voice is still stuck
    assert speaker.position(letters(NUMBER)) == 1


def test_within_the_first_second_before_any_warning_was_made(voice: Stuck) -> None:
    speaker = Speaker()
    warnings = SpokenWarnings(voice, [NUMBER])  # not made yet: the voice is stuck
    with Mouth(voice, speaker, warnings, Settings()) as mouth:
        mouth.say([NUMBER], urgent_sentences=1)
        speaker.until(last_resort("emergency").samples)  # with the voice still stuck
        assert len(speaker.heard) == 2
        voice.go.set()
        assert mouth.wait(30)
    assert speaker.position(letters(NUMBER)) == 2


def test_volume_at_zero_is_raised_for_the_cue_and_the_warning_only(voice: Stuck) -> None:
    warnings, speaker = kept(voice), Speaker()
    voice.go.set()
    with Mouth(voice, speaker, warnings, Settings(volume=0, cues="off")) as mouth:
        mouth.say([NUMBER, "An answer."], urgent_sentences=1)
        assert mouth.wait(30)
    assert [loudness > 0.2 for _, loudness in speaker.heard] == [True, True, False]
