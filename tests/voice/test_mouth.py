"""Saying replies: what is heard, in which order, what can be silenced, and what is said when the voice fails."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice.cues import cue
from voice.errors import DeviceError, VoiceError
from voice.file_speaker import FileSpeaker
from voice.mouth import URGENT_PATIENCE_S, Mouth
from voice.settings import Settings
from voice.speaker import NoSpeaker
from voice.speech import Int16
from voice.tts import NO_VOICE, Pyttsx3Voice, SpokenWarnings, last_resort

WARNING = "Call 911 now."
NAMES = {
    cue("urgent").samples.tobytes(): "<urgent>",
    cue("error").samples.tobytes(): "<error>",
    cue("awake").samples.tobytes(): "<awake>",
    last_resort("emergency").samples.tobytes(): "<emergency>",
    last_resort("no_voice").samples.tobytes(): "<no voice>",
}


class Letters:
    """A voice that writes a sentence's letters as samples, so that a test can read what was played."""

    sample_rate = 22_050

    def __init__(self) -> None:
        self.rates: list[int] = []
        self.spoken: list[str] = []
        self.fails: Callable[[str], bool] = lambda sentence: False
        self.blocked = threading.Event()
        self.blocked.set()

    def speak(self, sentence: str, rate: int = 165) -> Int16:
        self.blocked.wait(30)
        if self.fails(sentence):
            raise VoiceError(NO_VOICE, "broken for a test")
        self.spoken.append(sentence)
        self.rates.append(rate)
        return np.array([ord(char) for char in sentence], dtype=np.int16)

    def close(self) -> None:
        pass


@dataclass
class Ear:
    """A loudspeaker whose sounds end when the test says so."""

    volume: float = 1.0
    playing: bool = False
    heard: list[str] = field(default_factory=list)
    volumes: list[tuple[float, bool]] = field(default_factory=list)
    losses: int = 0
    slow: bool = False

    def __post_init__(self) -> None:
        self._silent = threading.Event()
        self.started = threading.Semaphore(0)

    def begin(self, name: str) -> None: ...
    def show(self, text: str) -> None: ...
    def end(self) -> None: ...

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        name = NAMES.get(samples.tobytes()) or NAMES.get(np.trim_zeros(samples, "b").tobytes())
        for known, meaning in NAMES.items():
            name = name or (meaning if samples.tobytes().startswith(known) else None)
        self.heard.append(name or "".join(map(chr, samples[samples > 0])))
        self.volumes.append((self.volume, urgent))
        self._silent.clear()
        self.started.release()

    def wait(self, timeout_s: float | None = None) -> bool:
        if self.losses:
            self.losses -= 1
            raise DeviceError("lost", "lost for a test")
        return not self.slow or self._silent.wait(30)

    def stop(self) -> None:
        self._silent.set()

    finish = stop

    def until(self, sound: str) -> None:
        """Wait until `sound` has been started."""
        while not self.heard or self.heard[-1] != sound:
            assert self.started.acquire(timeout=30), self.heard

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def mouth(letters: Letters, ear: Ear) -> Iterator[Mouth]:
    warnings = SpokenWarnings(letters, [WARNING])
    assert warnings.wait(30)
    letters.spoken.clear()
    letters.rates.clear()
    with Mouth(letters, ear, warnings, Settings(rate=200, volume=60)) as mouth:
        yield mouth
        letters.blocked.set()


def test_sentences_are_said_in_order_at_the_listeners_rate(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    mouth.say(["One.", "Two.", "Three."])
    assert mouth.wait(30)
    assert ear.heard == ["One.", "Two.", "Three."]
    assert letters.rates == [200, 200, 200]
    assert ear.volumes == [(0.6, False)] * 3


def test_the_next_sentence_is_made_while_one_is_heard(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    ear.slow = True
    mouth.say(["One.", "Two.", "Three."])
    ear.until("One.")
    for _ in range(1_000):
        if letters.spoken == ["One.", "Two."]:
            break
        threading.Event().wait(0.005)
    assert letters.spoken == ["One.", "Two."]  # and no more than that: "slower" takes effect at the third
    assert mouth.saying == "One."
    mouth.stop()
    assert mouth.wait(30)


def test_what_is_prepared_is_made_and_not_heard_until_it_is_said(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    mouth.prepare(["One.", "Two."])
    mouth.prepare(["Your leg went numb."], urgent_sentences=1)
    mouth.prepare([])
    mouth.say(["One.", "Two."])
    assert mouth.wait(30)
    assert letters.spoken[:2] == ["One.", "Your leg went numb."]  # only what would be waited for
    assert letters.rates[:2] == [200, 140]
    assert ear.heard == ["One.", "Two."]


def test_what_was_prepared_with_a_broken_voice_is_told_when_it_is_said(
    mouth: Mouth, ear: Ear, letters: Letters
) -> None:
    letters.fails = lambda sentence: True
    mouth.prepare(["One."])
    assert ear.heard == []
    mouth.say(["One."])
    with pytest.raises(VoiceError):
        mouth.wait(30)
    assert ear.heard == ["<error>", "<no voice>"]


def test_a_warning_comes_slowly_after_its_cue_and_is_loud_enough(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    mouth.say([WARNING, "Your leg went numb.", "An answer."], urgent_sentences=2)
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", WARNING, "Your leg went numb.", "An answer."]
    assert letters.spoken == ["Your leg went numb.", "An answer."]  # the first one was kept
    assert letters.rates == [140, 200]
    assert [urgent for _, urgent in ear.volumes] == [True, True, True, False]


def test_stop_is_silence_at_once(mouth: Mouth, ear: Ear) -> None:
    ear.slow = True
    mouth.say(["One.", "Two."])
    ear.until("One.")
    assert mouth.stop()
    assert mouth.wait(30)
    assert ear.heard == ["One."]
    assert not mouth.speaking


def test_the_first_sentence_of_a_warning_can_not_be_stopped_the_second_can(mouth: Mouth, ear: Ear) -> None:
    ear.slow = True
    mouth.say([WARNING, "Your leg went numb.", "An answer."], urgent_sentences=2)
    ear.until(WARNING)
    assert mouth.stop() is False
    assert mouth.speaking
    ear.finish()
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", WARNING]


def test_stop_before_the_first_sound_of_a_warning_does_not_lose_it(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    letters.blocked.clear()
    mouth.say(["Your leg went numb.", "An answer."], urgent_sentences=1)
    assert mouth.stop() is False
    letters.blocked.set()
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", "Your leg went numb."]


def test_force_stops_even_a_warning(mouth: Mouth, ear: Ear) -> None:
    ear.slow = True
    mouth.say([WARNING, "Your leg went numb."], urgent_sentences=2)
    ear.until(WARNING)
    assert mouth.stop(force=True)
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", WARNING]


def test_a_new_reply_takes_the_place_of_an_answer_but_waits_for_a_warning(mouth: Mouth, ear: Ear) -> None:
    ear.slow = True
    mouth.say(["One.", "Two."])
    ear.until("One.")
    mouth.say([WARNING, "Your leg went numb.", "An answer."], urgent_sentences=2)
    ear.until(WARNING)
    mouth.say(["New."])
    for sound in ("Your leg went numb.", "New."):
        ear.finish()
        ear.until(sound)
    ear.finish()
    assert mouth.wait(30)
    assert ear.heard == ["One.", "<urgent>", WARNING, "Your leg went numb.", "New."]


def test_an_answer_without_a_voice_is_an_error_cue_and_a_recorded_sentence(
    mouth: Mouth, ear: Ear, letters: Letters
) -> None:
    letters.fails = lambda sentence: sentence == "Two."
    mouth.say(["One.", "Two.", "Three."])
    with pytest.raises(VoiceError):
        mouth.wait(30)
    assert ear.heard == ["One.", "<error>", "<no voice>"]
    assert mouth.wait(30)  # told once


def test_a_warning_without_a_voice_is_said_from_what_was_kept_or_recorded(
    mouth: Mouth, ear: Ear, letters: Letters
) -> None:
    letters.fails = lambda sentence: True
    mouth.say(["Your leg went numb.", WARNING, "It may be serious.", "An answer."], urgent_sentences=3)
    with pytest.raises(VoiceError):
        mouth.wait(30)
    assert ear.heard == ["<urgent>", "<emergency>", WARNING, "<error>", "<no voice>"]


def test_a_late_voice_does_not_hold_up_a_warning(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    letters.blocked.clear()
    mouth.say(["Your leg went numb."], urgent_sentences=1)
    ear.until("<emergency>")  # after URGENT_PATIENCE_S, with the voice still stuck
    assert URGENT_PATIENCE_S <= 2
    letters.blocked.set()
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", "<emergency>", "Your leg went numb."]


def test_a_kept_warning_needs_no_voice_at_all(mouth: Mouth, ear: Ear, letters: Letters) -> None:
    letters.blocked.clear()
    mouth.say([WARNING], urgent_sentences=1)
    assert mouth.wait(30)
    assert ear.heard == ["<urgent>", WARNING]


def test_a_sentence_cut_off_by_a_lost_loudspeaker_is_said_again_once(mouth: Mouth, ear: Ear) -> None:
    ear.losses = 1
    mouth.say(["One.", "Two."])
    assert mouth.wait(30)
    assert ear.heard == ["One.", "One.", "Two."]
    ear.losses = 2
    mouth.say(["Three."])
    with pytest.raises(DeviceError):
        mouth.wait(30)


def test_it_knows_when_its_first_sound_came_and_what_sounds_now(letters: Letters, ear: Ear) -> None:
    now = [100.0]
    mouth = Mouth(letters, ear, SpokenWarnings(letters), Settings(), clock=lambda: now[0])
    mouth.say(["One.", "Two."])
    mouth.wait(30)
    assert mouth.saying == ""
    assert mouth.first_audio_s == 0.0
    mouth.close()


def test_cues_are_sounds_words_or_nothing(mouth: Mouth, ear: Ear) -> None:
    mouth.cue("awake")
    mouth.settings = Settings(cues="words")
    mouth.cue("awake")
    mouth.wait(30)
    mouth.settings = Settings(cues="off")
    mouth.cue("awake")
    mouth.cue("urgent")
    assert ear.heard == ["<awake>", "Yes?", "<urgent>"]


def test_a_hundred_thousand_characters_are_said_piece_by_piece_and_can_be_stopped(mouth: Mouth, ear: Ear) -> None:
    mouth.say(["pain " * 20_000])
    assert mouth.wait(60)
    assert "".join(ear.heard).count("pain") == 20_000
    assert max(map(len, ear.heard)) <= 300
    ear.slow = True
    mouth.say(["pain " * 20_000])
    ear.until(ear.heard[0])
    assert mouth.stop()
    assert mouth.wait(30)


def test_a_reply_becomes_one_file_that_speech_recognition_understands(tmp_path: Path, model_dir: Path) -> None:
    vosk = pytest.importorskip("vosk")
    vosk.SetLogLevel(-1)
    with Pyttsx3Voice() as voice, FileSpeaker(tmp_path) as speaker:
        warnings = SpokenWarnings(voice, [WARNING])
        with Mouth(voice, speaker, warnings, Settings()) as mouth:
            mouth.say(["Call your doctor today.", "Your back needs rest.", "Ask again tomorrow."], 1, name="reply one")
            assert mouth.wait(60)
    assert [path.name for path in speaker.written] == ["reply_one.wav"]
    samples, rate = soundfile.read(speaker.written[0], dtype="int16")
    recognizer = vosk.KaldiRecognizer(vosk.Model(str(model_dir)), rate)
    recognizer.AcceptWaveform(samples.tobytes())
    heard = recognizer.FinalResult()
    assert heard.index("doctor today") < heard.index("rest") < heard.index("tomorrow")


def test_with_no_engine_and_no_loudspeaker_the_words_are_still_told() -> None:
    told: list[str] = []
    with Pyttsx3Voice(command=[sys.executable, "-c", "raise SystemExit(3)"]) as voice:
        warnings = SpokenWarnings(voice, [WARNING])
        with Mouth(voice, NoSpeaker(told.append), warnings, Settings()) as mouth:
            mouth.say([WARNING, "An answer."], 1)
            with pytest.raises(VoiceError):
                mouth.wait(60)
    assert told[0] == WARNING
