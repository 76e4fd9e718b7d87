"""Whole conversations in real time: recordings into a virtual microphone, and Vosk listens to a virtual loudspeaker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import vosk

from tests.e2e.conftest import RECORDINGS, Backtalk
from tests.e2e.sound import RATE, SoundSystem

pytestmark = [pytest.mark.e2e, pytest.mark.realtime]
Run = Callable[..., Backtalk]
READY = "I'm listening"


def test_a_first_conversation(sound: SoundSystem, run: Run, listener: vosk.Model) -> None:
    """Greeting, a question in one breath with the wake phrase, stop in the middle, a danger sign as a follow-up."""
    with sound.recording() as loudspeaker:
        program = run(sound)
        program.wait_for(READY)
        ready = loudspeaker.wait_until_quiet(loudspeaker.now)

        sound.say(RECORDINGS / "wake_symptoms.flac")
        asked = loudspeaker.now
        answered = loudspeaker.first_sound(asked)
        while loudspeaker.now < answered + 3 * RATE:
            loudspeaker.first_sound(answered)
        sound.say(RECORDINGS / "stop.flac")
        stopped = loudspeaker.wait_until_quiet(answered, quiet_s=1.0)
        assert stopped < answered + 9 * RATE, "stop did not stop it"  # it would have spoken for 14 s

        sound.say(RECORDINGS / "danger.flac")
        warned = loudspeaker.now
        loudspeaker.wait_until_quiet(warned)
    assert program.end() == 0
    assert "listening" in loudspeaker.words(listener, 0, ready)
    heard = loudspeaker.words(listener, answered, stopped)
    assert any(word in heard.split() for word in ("pain", "stiffness", "muscle")), heard
    heard = loudspeaker.words(listener, warned)
    assert "call" in heard
    assert "emergency" in heard
    assert heard.split().index("emergency") < 12, f"the warning comes first: {heard}"


def test_it_is_not_woken_by_the_television_and_waits_in_a_pause(
    sound: SoundSystem, run: Run, listener: vosk.Model
) -> None:
    with sound.recording() as loudspeaker:
        program = run(sound)
        program.wait_for(READY)
        quiet = loudspeaker.wait_until_quiet(loudspeaker.now)
        sound.say(RECORDINGS / "television.flac")
        assert not loudspeaker.sounds(quiet).any(), loudspeaker.words(listener, quiet)
        sound.say(RECORDINGS / "pause.flac")
        asked = loudspeaker.now
        loudspeaker.wait_until_quiet(asked)
        heard = loudspeaker.words(listener, asked)
        assert any(word in heard for word in ("joint", "joints", "spine")), heard


def test_without_a_microphone_it_answers_its_own_recordings(deaf_sound: SoundSystem, run: Run, tmp_path: Path) -> None:
    program = run(None)
    assert program.process.wait(60) in (0, 1)
    program.wait_for("can't find a microphone", 1)
    replies = sorted((tmp_path / "backtalk-replies").glob("*.wav"))
    assert len(replies) == 6
    assert all(any(reply.name in line for line in program.lines) for reply in replies)


def test_ask_without_a_loudspeaker_prints_the_reply_and_says_so(run: Run) -> None:
    program = run(None, "ask", "--text", "what is facet hypertrophy")
    assert program.process.wait(30) == 1
    program.wait_for("loudspeaker", 1)
    program.wait_for("joint", 1)


def test_ask_plays_the_answer(sound: SoundSystem, run: Run, listener: vosk.Model) -> None:
    with sound.recording() as loudspeaker:
        program = run(sound, "ask", "--json", "--text", "what is facet hypertrophy")
        assert program.process.wait(40) == 0
        loudspeaker.wait_until_quiet(0, quiet_s=0.5)
        heard = loudspeaker.words(listener, 0)
    line = json.loads(program.lines[-1])
    assert line["intent"] == "definition"
    assert any(word in heard for word in ("joint", "joints", "spine")), heard
