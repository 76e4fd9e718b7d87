"""The voice: real pyttsx3 in a real child process, also when that process hangs, dies or never starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import InputError, VoiceError
from voice.frame import SAMPLE_RATE
from voice.model import SpeechModel
from voice.speech import (
    PEAK_DBFS,
    PIECE_CHARS,
    SPEECH_DBFS,
    Clip,
    level,
    loudness_dbfs,
    pieces,
    speakable,
    spell_telephone,
    trim,
)
from voice.tts import MAX_CHARS, Pyttsx3Voice, SpokenWarnings, last_resort, urgent_rate

SENTENCE = "Facet joints are the small joints at the back of your spine."

FAULTY_ENGINE = """
import os, sys, time
from pathlib import Path
from voice import tts_worker

fault, marker = sys.argv[1], Path(sys.argv[2])
speak = tts_worker.Engine.speak

def faulty(self, text, rate, voice):
    if "facet" in text.lower() and (fault.endswith("always") or not marker.exists()):
        marker.touch()
        if fault.startswith("hang"):
            time.sleep(3600)
        if fault.startswith("die"):
            os._exit(9)
        if fault.startswith("mute"):
            return b"", 22050
        if fault.startswith("raise"):
            raise OSError("no space left on device")
    return speak(self, text, rate, voice)

tts_worker.Engine.speak = faulty
tts_worker.main(sys.argv[3:])
"""


@pytest.fixture(scope="module")
def voice() -> Iterator[Pyttsx3Voice]:
    with Pyttsx3Voice() as voice:
        yield voice


def faulty(fault: str, tmp_path: Path, sentence_timeout_s: float = 20.0) -> Pyttsx3Voice:
    """The real worker, in which the first sentence about facets (or each, with `-always`) meets a fault."""
    script = tmp_path / "faulty_engine.py"
    script.write_text(FAULTY_ENGINE)
    command = [sys.executable, str(script), fault, str(tmp_path / "met")]
    return Pyttsx3Voice(command=command, sentence_timeout_s=sentence_timeout_s)


def test_a_sentence_becomes_samples_at_the_common_loudness(voice: Pyttsx3Voice) -> None:
    samples = voice.speak(SENTENCE)
    assert samples.dtype == np.int16
    assert 2.5 < len(samples) / voice.sample_rate < 6
    assert loudness_dbfs(samples, voice.sample_rate) == pytest.approx(SPEECH_DBFS, abs=1.0)


def understood(voice: Pyttsx3Voice, sentence: str, rate: int, model: SpeechModel) -> str:
    """What the plain recognizer makes of a spoken sentence, as its JSON."""
    recognizer = model.recognizer()
    clip = Clip(voice.speak(sentence, rate), voice.sample_rate).at(SAMPLE_RATE)
    recognizer.AcceptWaveform(clip.samples.tobytes())
    return str(recognizer.FinalResult())


def test_speech_recognition_understands_it(voice: Pyttsx3Voice, speech_model: SpeechModel) -> None:
    heard = understood(voice, "Call the doctor today. Your legs are weak.", 140, speech_model)
    assert "doctor today" in heard
    assert "legs" in heard


def test_many_sentences_are_all_whole(voice: Pyttsx3Voice) -> None:
    """pyttsx3 used to return one in some hundred sentences empty, or at another one's rate."""
    lengths: dict[str, set[int]] = {}
    for turn in range(40):
        for text, rate in (("Call your doctor", 165), ("Rest for a while", 140), ("It is common", 240)):
            lengths.setdefault(text, set()).add(len(voice.speak(text + "." * (turn + 1), rate)))
    for text, seen in lengths.items():
        assert min(seen) > 0.95 * max(seen) > 0, (text, seen)


def test_rate_is_kept_between_its_bounds(voice: Pyttsx3Voice) -> None:
    slowest, slow, usual, fast, fastest = (len(voice.speak(SENTENCE, rate)) for rate in (1, 100, 165, 300, 9_999))
    assert slow > 1.3 * usual > 1.3 * 1.3 * fast
    assert abs(slowest - slow) < 0.02 * slow
    assert abs(fastest - fast) < 0.02 * fast
    assert urgent_rate(300) == 140
    assert urgent_rate(110) == 110


@pytest.mark.parametrize("text", ["", "   ", "...", "\x00\x07\x1b", "\ud800", "🙂", "!?"])
def test_nothing_to_say_is_no_sound_and_no_failure(voice: Pyttsx3Voice, text: str) -> None:
    assert len(voice.speak(text)) == 0


@pytest.mark.parametrize(
    "text", ["你好世界", "боль в спине", "آلام الظهر", "a\x00b\x07c", "[[x]] <b>5</b> & 3", "e\u0301" * 40]
)
def test_odd_text_is_said_without_a_restart(voice: Pyttsx3Voice, text: str) -> None:
    before = voice.restarts
    assert len(voice.speak(text)) > 1_000
    assert voice.restarts == before


def test_a_nul_does_not_cut_the_sentence_off(voice: Pyttsx3Voice) -> None:
    assert len(voice.speak("One\x00two three four five six seven.")) > 2 * len(voice.speak("One."))


def test_a_hundred_thousand_characters_are_refused_in_one_sentence(voice: Pyttsx3Voice) -> None:
    with pytest.raises(InputError, match=str(MAX_CHARS)):
        voice.speak("back pain " * 10_000)


def test_voices_are_listed_and_chosen_by_id_name_or_last_part(voice: Pyttsx3Voice) -> None:
    listed = voice.voices()
    assert len(listed) > 20
    scottish = next(info for info in listed if info.id.endswith("en-gb-scotland"))
    usual = voice.speak(SENTENCE)
    for name in (scottish.id, scottish.name, "en-gb-scotland", "EN-US+f3"):
        with Pyttsx3Voice(name) as other:
            said = other.speak(SENTENCE)
        assert len(said) > 10_000
        assert len(said) != len(usual) or not np.array_equal(said, usual)


def test_an_unknown_voice_is_a_voice_error_with_its_name_in_the_log(tmp_path: Path) -> None:
    with Pyttsx3Voice("Nobody") as nobody, pytest.raises(VoiceError) as failure:
        nobody.speak(SENTENCE)
    assert "Nobody" in failure.value.reason


@pytest.mark.parametrize("fault", ["die", "mute", "raise"])
def test_a_failing_engine_is_replaced_and_the_sentence_spoken_again(fault: str, tmp_path: Path) -> None:
    with faulty(fault, tmp_path) as voice:
        assert len(voice.speak("Hello there.")) > 1_000
        first = voice.pid
        assert len(voice.speak(SENTENCE)) > 10_000
        assert voice.pid != first
        assert voice.restarts == 1


def test_a_hung_engine_is_killed_and_the_sentence_spoken_again(tmp_path: Path) -> None:
    with faulty("hang", tmp_path, sentence_timeout_s=1.0) as voice:
        assert len(voice.speak("Hello there.")) > 1_000
        hung = voice.pid
        assert hung is not None
        assert len(voice.speak(SENTENCE)) > 10_000
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)


@pytest.mark.parametrize("fault", ["hang-always", "die-always", "raise-always", "mute-always"])
def test_an_engine_that_fails_twice_is_a_voice_error_and_the_next_sentence_works(fault: str, tmp_path: Path) -> None:
    with faulty(fault, tmp_path, sentence_timeout_s=1.0) as voice:
        voice.speak("Hello there.")
        with pytest.raises(VoiceError, match="espeak-ng"):
            voice.speak(SENTENCE)
        assert len(voice.speak("Goodbye.")) > 1_000


def test_a_child_killed_from_outside_is_replaced(tmp_path: Path) -> None:
    with Pyttsx3Voice() as voice:
        voice.speak("Hello there.")
        pid = voice.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert len(voice.speak(SENTENCE)) > 10_000


def test_a_child_killed_in_the_middle_of_a_sentence_is_replaced(tmp_path: Path) -> None:
    with faulty("hang", tmp_path) as voice:
        voice.speak("Hello there.")
        pid = voice.pid
        assert pid is not None
        said: list[int] = []
        speaking = threading.Thread(target=lambda: said.append(len(voice.speak(SENTENCE))))
        speaking.start()
        while not (tmp_path / "met").exists():
            speaking.join(0.01)
        os.kill(pid, signal.SIGKILL)
        speaking.join(30)
        assert said
        assert said[0] > 10_000


@pytest.mark.parametrize("command", [["/nowhere/python"], [sys.executable, "-c", "print('not an answer')"]])
def test_an_engine_that_never_starts_is_one_plain_sentence(command: list[str]) -> None:
    with Pyttsx3Voice(command=command, start_timeout_s=10) as voice, pytest.raises(VoiceError) as failure:
        voice.speak(SENTENCE)
    assert "\n" not in str(failure.value)
    assert failure.value.reason != str(failure.value)


def test_the_bundled_espeak_speaks_too() -> None:
    pytest.importorskip("espeakng_loader")
    with Pyttsx3Voice(command=[sys.executable, "-c", BUNDLED]) as voice:
        assert len(voice.speak(SENTENCE)) > 10_000
        maps = Path(f"/proc/{voice.pid}/maps")
        if maps.exists():
            libraries = {line.split()[-1] for line in maps.read_text().splitlines() if "libespeak" in line}
            assert libraries
            assert all("espeakng_loader" in library for library in libraries)


BUNDLED = "import sys; from voice.tts_worker import main; main([sys.argv[-1], '--bundled'])"


def test_nothing_of_the_child_reaches_our_output_and_its_folder_goes_with_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from voice.tts import Pyttsx3Voice; v = Pyttsx3Voice(); v.speak('Hello there.');"
        "sys.stdout.write(str(v._child._folder)); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    folder = Path(run.stdout)
    assert folder.name.startswith("backtalk-voice-")
    assert run.stderr == ""
    for _ in range(500):
        if not folder.exists():
            break
        threading.Event().wait(0.01)
    assert not folder.exists()


def test_closing_removes_the_folder_and_refuses_to_speak() -> None:
    voice = Pyttsx3Voice()
    voice.speak("Hello there.")
    assert voice._child is not None
    folder = voice._child._folder
    assert folder.exists()
    assert not list(folder.iterdir())  # no sentence stays on a disk
    voice.close()
    assert not folder.exists()
    with pytest.raises(VoiceError):
        voice.speak("Hello again.")


def test_warnings_are_kept_and_outlive_the_engine() -> None:
    voice = Pyttsx3Voice()
    warnings = SpokenWarnings(voice, ["Call 911 now.", "Don't drive yourself."], rate=300)
    assert warnings.wait(30)
    usual = len(voice.speak("Call 911 now.", 300))
    voice.close()
    kept = warnings.get(" Call  911 now. ")
    assert kept is not None
    assert len(kept.samples) > 1.3 * usual  # slower than the listener's own rate
    assert warnings.get("Another sentence.") is None


def test_warnings_without_an_engine_say_so_and_leave_the_recorded_ones() -> None:
    with Pyttsx3Voice(command=["/nowhere/python"]) as voice:
        warnings = SpokenWarnings(voice, ["Call 911 now."])
        assert not warnings.wait(30)
    assert warnings.failure is not None
    for name in ("emergency", "no_voice"):
        clip = last_resort(name)
        assert 3 < clip.seconds < 10
        assert loudness_dbfs(clip.samples, clip.rate) == pytest.approx(SPEECH_DBFS, abs=1.0)


@given(st.text(max_size=2_000), st.integers(5, PIECE_CHARS))
def test_pieces_keep_every_word_and_their_limit(text: str, limit: int) -> None:
    parts = list(pieces(text, limit))
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(speakable(text).split())


@given(st.lists(st.integers(-32_768, 32_767), max_size=3_000), st.sampled_from([8_000, 16_000, 22_050]))
def test_trimming_and_levelling_never_clip_or_lengthen(values: list[int], rate: int) -> None:
    samples = np.array(values, dtype=np.int16)
    result = level(trim(samples, rate), rate)
    assert result.dtype == np.int16
    assert len(result) <= len(samples)
    limit = 10 ** (PEAK_DBFS / 20) * 32_768 + 1
    assert np.max(np.abs(result.astype(np.int32)), initial=0) <= limit


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call 911 now.", "Call nine one one now."),
        ("Call or text 988.", "Call or text nine eight eight."),
        (
            "Please dial +44 20 79460123.",
            "Please dial plus, four four, two zero, seven nine four six zero one two three.",
        ),
        ("Ring 111, then rest.", "Ring one one one, then rest."),
        ("About 30 percent, 1,911 people, in 1999, at 911.5", "About 30 percent, 1,911 people, in 1999, at 911.5"),
        ("Call in 2 weeks", "Call in 2 weeks"),
    ],
)
def test_telephone_numbers_are_said_digit_by_digit(text: str, said: str) -> None:
    assert spell_telephone(text) == said


def test_the_emergency_number_is_understood(voice: Pyttsx3Voice, speech_model: SpeechModel) -> None:
    """espeak-ng by itself says "nine hundred eleven"."""
    assert "nine one one" in understood(voice, "Please call 911 now.", 165, speech_model)
