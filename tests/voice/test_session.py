"""The loop at work: devices that come and go, replies that are carried out, news of the mouth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from intents.reply import Reply
from voice import session as module
from voice.effects import Cue, Effect, Hush, Keep, OtherVoice, Say
from voice.errors import BacktalkError, DeviceError
from voice.frame import FRAME_SAMPLES, Samples
from voice.session import BACK, LOST, Session
from voice.settings import Settings
from voice.tts import VoiceInfo

FRAME = np.zeros(FRAME_SAMPLES, np.int16)
REPLY = Reply("answer", "definition", sentences=("One.", "Two."))


@dataclass
class FakeMouth:
    """Speaks for as long as `left` says."""

    settings: Settings = field(default_factory=Settings)
    log: list[Any] = field(default_factory=list)
    saying: str = ""
    speaking: bool = False
    failure: BacktalkError | None = None

    def prepare(self, sentences: tuple[str, ...], urgent_sentences: int = 0) -> None:
        self.log.append(("prepare", tuple(sentences), urgent_sentences))

    def say(self, sentences: tuple[str, ...], urgent_sentences: int = 0) -> None:
        self.log.append((tuple(sentences), urgent_sentences))
        self.speaking = True

    def stop(self) -> bool:
        self.log.append("stop")
        return True

    def cue(self, name: str) -> None:
        self.log.append(name)

    def wait(self, timeout_s: float | None = None) -> bool:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return True


@dataclass
class FakeLoop:
    """Gives the effects that are laid out for each frame."""

    script: list[list[Effect]] = field(default_factory=list)
    log: list[Any] = field(default_factory=list)
    behind: int = 0
    """Of the last news that the mouth is silent."""
    likely: Reply | None = None

    def feed(self, frame: Samples) -> list[Effect]:
        self.log.append("frame")
        return self.script.pop(0) if self.script else []

    def say(self, reply: Reply) -> list[Effect]:
        return [Say(reply)]

    def saying(self, sentence: str, behind: int = 0) -> None:
        self.log.append(sentence)

    def silent(self, behind: int = 0) -> list[Effect]:
        self.log.append("silent")
        self.behind = behind
        return []

    def wake(self) -> list[Effect]:
        return [Cue("awake")]

    def apply(self, settings: Settings) -> None:
        self.log.append(settings)


class Room:
    """A session with everything around it replaced; `opens` says what happens each time the microphone is opened."""

    def __init__(self, opens: list[list[Any]], loop: FakeLoop | None = None) -> None:
        self.opens = opens
        self.loop, self.mouth = loop or FakeLoop(), FakeMouth()
        self.kept: list[Settings] = []
        self.told: list[str] = []
        self.session = Session(
            self.loop,  # type: ignore[arg-type]
            self.mouth,  # type: ignore[arg-type]
            self._microphone,
            Settings(),
            keep=self.kept.append,
            tell=self.told.append,
            voices=lambda: (VoiceInfo("en-us", "A"), VoiceInfo("en-gb", "B")),
        )

    @contextmanager
    def _microphone(self) -> Iterator[Any]:
        script = self.opens.pop(0)
        if isinstance(script[0], DeviceError):
            raise script[0]
        yield _Script(script)


class _Script:
    def __init__(self, script: list[Any]) -> None:
        self.script = script

    @property
    def waiting(self) -> int:
        return len(self.script) * FRAME_SAMPLES

    def read(self) -> Samples:
        if not self.script:
            raise EOFError
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step()
        return FRAME


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)


def test_what_will_likely_be_said_is_made_once_while_the_pause_is_waited_for() -> None:
    loop = FakeLoop([[], [], [Say(REPLY)]], likely=REPLY)
    room = Room([[FRAME, FRAME, FRAME]], loop)
    room.session.run()
    said = (tuple(REPLY.sentences), REPLY.urgent_sentences)
    assert room.mouth.log == [("prepare", *said), said]


def test_effects_reach_the_mouth_in_order() -> None:
    loop = FakeLoop([[Cue("awake")], [Say(REPLY)], [Hush()]])
    room = Room([[FRAME] * 3], loop)
    room.session.run()
    assert room.mouth.log == ["awake", (REPLY.sentences, 0), "stop"]


def test_the_loop_hears_what_the_mouth_does() -> None:
    room = Room([[]], FakeLoop([[Say(REPLY)]]))

    def sounds(text: str) -> Any:
        return lambda: (setattr(room.mouth, "saying", text), setattr(room.mouth, "speaking", bool(text)))

    room.opens = [[FRAME, sounds("One."), FRAME, sounds("Two."), sounds(""), FRAME]]
    room.session.run()
    assert [entry for entry in room.loop.log if entry != "frame"] == ["One.", "Two.", "silent"]


def test_the_mouth_s_news_tells_how_far_the_loop_is_behind_the_microphone() -> None:
    """On a busy machine sound waits to be heard: what is told of the mouth now belongs after it."""
    room = Room([[]], FakeLoop([[Say(REPLY)]]))
    room.opens = [[FRAME, lambda: setattr(room.mouth, "speaking", False), FRAME, FRAME, FRAME]]
    room.session.run()
    assert room.loop.behind == 4 * FRAME_SAMPLES


def test_a_microphone_that_is_lost_is_told_once_and_taken_again_when_it_is_back() -> None:
    lost = DeviceError("Gone.")
    room = Room([[FRAME, lost], [DeviceError("None.")], [DeviceError("None.")], [FRAME, FRAME]])
    room.session.run()
    spoken = [entry[0][0] for entry in room.mouth.log if isinstance(entry, tuple)]
    assert spoken == [LOST, BACK]
    assert len(room.told) == 2
    assert room.loop.log.count("frame") == 3  # the conversation goes on where it was


def test_what_is_said_at_the_start_waits_for_the_microphone() -> None:
    room = Room([[DeviceError("None.")], [FRAME]])
    room.session.run(REPLY)
    assert (REPLY.sentences, 0) in room.mouth.log


def test_settings_made_by_voice_are_used_at_once_and_kept() -> None:
    slower = Settings().slower()
    room = Room([[FRAME]], FakeLoop([[Keep(slower)]]))
    room.session.run()
    assert room.mouth.settings == slower
    assert room.kept == [slower]
    assert slower in room.loop.log


def test_the_other_voice_goes_round() -> None:
    room = Room([[FRAME] * 3], FakeLoop([[OtherVoice()], [OtherVoice()], [OtherVoice()]]))
    room.session.run()
    assert [settings.voice for settings in room.kept] == ["en-us", "en-gb", "en-us"]


def test_a_reply_that_could_not_be_heard_is_told_and_the_session_goes_on() -> None:
    room = Room([[]], FakeLoop([[Say(REPLY)]]))

    def fails() -> None:
        room.mouth.speaking, room.mouth.failure = False, DeviceError("No loudspeaker.")

    room.opens = [[FRAME, FRAME, fails, FRAME]]
    room.session.run()
    assert room.told == ["No loudspeaker."]
    assert "silent" in room.loop.log


def test_a_key_wakes_it() -> None:
    room = Room([[FRAME]])
    room.session.press()
    room.session.run()
    assert room.mouth.log == ["awake"]


def test_stop_ends_it() -> None:
    room = Room([[FRAME] * 5])
    room.opens[0][2] = room.session.stop
    room.session.run()
    assert room.loop.log.count("frame") == 3
