"""A whole recording session from a recorded microphone, the folder it leaves, and the command's own parts."""

from __future__ import annotations

import json
import queue
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from volunteer import PROMPTS, ScriptedEar, StillMouth, take

from voice.audio import read_audio
from voice.commands.record import command, pack_prompts, remaining, watch_keys
from voice.errors import BacktalkError, InputError, VoiceError
from voice.frame import SAMPLE_RATE, Samples
from voice.mic import FileMicrophone
from voice.model import SpeechModel
from voice.record.booth import NOBODY, Booth, TakeListener
from voice.record.guide import Control, Guide
from voice.record.shelf import Shelf, read_prompts
from voice.record.take import Prompt
from voice.speech import Clip
from voice.stt import Recognizer
from voice.tts import Pyttsx3Voice
from voice.vad import SpeechDetector

SPEECH = Path(__file__).parent / "data" / "what_is_facet_hypertrophy.flac"


@pytest.fixture(scope="module")
def speech() -> Samples:
    return read_audio(SPEECH)


def session(
    folder: Path,
    sound: Samples,
    ear: ScriptedEar | Recognizer,
    keys: Sequence[Control] = (),
    mouth: StillMouth | None = None,
) -> tuple[StillMouth, Shelf]:
    shelf = Shelf(folder, "anna", "2026-01-31")
    mouth = mouth or StillMouth()
    pressed: queue.SimpleQueue[Control] = queue.SimpleQueue()
    for key in keys:
        pressed.put(key)
    guide = Guide(remaining(PROMPTS, shelf.done, len(PROMPTS)), shelf.consented)
    with FileMicrophone(sound) as microphone:
        Booth(guide, microphone, mouth, TakeListener(ear, SpeechDetector()), shelf, pressed, lambda line: None).run()
    return mouth, shelf


def with_gaps(*sounds: Samples, gap_s: float = 2.0) -> Samples:
    gap = np.zeros(round(gap_s * SAMPLE_RATE), np.int16)
    return np.concatenate([part for sound in sounds for part in (gap, sound)] + [gap])


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_a_session_stopped_in_the_middle_goes_on_the_next_time(tmp_path: Path, speech: Samples) -> None:
    folder = tmp_path / "anna"
    ear = ScriptedEar(["i agree", PROMPTS[0].text, "stop recording"])
    mouth, _ = session(folder, with_gaps(speech, speech, speech), ear)
    assert mouth.said[-1].startswith("I kept 1 sentence.")
    consent = json.loads((folder / "consent.jsonl").read_text())
    assert consent["speaker"] == "anna"
    assert "recordings stay in a folder" in consent["asked"]
    assert len(read_audio(folder / "consent.flac")) >= len(speech) * 0.8

    mouth, _ = session(folder, with_gaps(speech, speech), ScriptedEar(["stop", PROMPTS[2].text]))
    assert mouth.said[0].startswith("Welcome back")
    lines = manifest(folder)
    assert [line["id"] for line in lines] == [prompt.id for prompt in PROMPTS]
    assert lines[0]["text"] == PROMPTS[0].text
    assert lines[0]["label"] == "definition"
    assert lines[2]["counter"] is True
    assert lines[0]["engine"] == "human"
    assert lines[0]["doubted"] is False
    for line in lines:
        kept = read_audio(folder / str(line["audio"]))
        assert len(kept) / SAMPLE_RATE == pytest.approx(line["seconds"], abs=0.001)
        assert len(kept) <= len(speech) + 1.1 * SAMPLE_RATE, "half a second of silence at each end is enough"

    mouth, _ = session(folder, with_gaps(speech), ScriptedEar([]))
    assert mouth.said == ["There is nothing left to read. Thank you."]


def test_a_refusal_leaves_no_folder(tmp_path: Path, speech: Samples) -> None:
    session(tmp_path / "anna", with_gaps(speech), ScriptedEar(["no i don't want that"]))
    assert not (tmp_path / "anna").exists()


def test_the_end_of_the_sound_ends_the_session(tmp_path: Path, speech: Samples) -> None:
    mouth, _ = session(tmp_path / "anna", with_gaps(speech), ScriptedEar(["i agree"]))
    assert mouth.said[-1].endswith("Goodbye.")
    assert Shelf(tmp_path / "anna", "x", "2026-02-01").consented


def test_keys_work_and_silence_the_mouth(tmp_path: Path, speech: Samples) -> None:
    mouth, _ = session(tmp_path / "a", with_gaps(speech), ScriptedEar([]), keys=[Control.REPEAT, Control.STOP])
    assert mouth.stops == 2
    assert mouth.said[-1].endswith("Goodbye.")
    assert not (tmp_path / "a").exists()


def test_its_own_voice_is_no_take(tmp_path: Path, speech: Samples) -> None:
    """The microphone hears the prompt while the mouth speaks; only what comes after counts."""
    frames = (len(speech) + 2 * SAMPLE_RATE) // 512
    sound = with_gaps(speech, speech)
    mouth, _ = session(tmp_path / "a", sound, ScriptedEar(["no"]), mouth=StillMouth(busy_frames=frames))
    assert mouth.said[-1] == "That's fine. Nothing was recorded. Goodbye."


def test_silence_is_told_and_not_waited_for_without_end(tmp_path: Path) -> None:
    quiet = np.zeros(4 * NOBODY, np.int16)
    mouth, _ = session(tmp_path / "a", quiet, ScriptedEar([]))
    assert mouth.said[-1].startswith("I didn't hear that you agree. So nothing is recorded.")


@pytest.mark.model
def test_a_whole_session_with_the_real_recognizer(tmp_path: Path, speech: Samples, speech_model: SpeechModel) -> None:
    try:
        with Pyttsx3Voice() as voice:
            spoken = [Clip(voice.speak(text, 140), voice.sample_rate) for text in ("I agree to be recorded", "stop")]
    except VoiceError as error:
        pytest.skip(f"no voice to be the volunteer: {error}")
    agreed, stop = (clip.at(SAMPLE_RATE).samples for clip in spoken)
    mouth, _ = session(tmp_path / "a", with_gaps(agreed, speech, stop), Recognizer(speech_model))
    assert [line["label"] for line in manifest(tmp_path / "a")] == ["definition", "stop"], mouth.said
    assert "hypertrophy" in str(manifest(tmp_path / "a")[0]["heard"])


def test_no_take_without_consent_even_by_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="consent"):
        Shelf(tmp_path, "x", "2026-01-31").keep(PROMPTS[0], take("x"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(BacktalkError, match="another folder"):
        Shelf(blocked / "below", "x", "2026-01-31").keep_consent(take("i agree"), ["?"])


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"id": "a"}\n{"id": ')
    with pytest.raises(InputError, match=r"manifest\.jsonl"):
        Shelf(tmp_path, "x", "2026-01-31")


def test_prompts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"text": "how long", "label": "outlook", "kind": "question", "counter": true}\n\n')
    assert read_prompts(path) == [Prompt("mine-1", "how long", "outlook", "question", {"counter": True})]
    path.write_text('{"text": "how long"}\n')
    result = CliRunner().invoke(command, [str(tmp_path / "out"), "--prompts", str(path)])
    assert result.exit_code == 1
    assert "Line 1 of mine.jsonl" in result.output
    assert not (tmp_path / "out").exists()


def test_the_packs_prompts_take_turns_over_all_ids() -> None:
    prompts = pack_prompts()
    assert len({prompt.label for prompt in prompts[:60]}) >= 30
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    assert remaining(prompts, frozenset({prompts[0].id}), 3) == prompts[1:3]


def test_keys_are_letters_and_anything_else_is_ignored() -> None:
    keys: queue.SimpleQueue[Control] = queue.SimpleQueue()
    watch_keys(["R\n", "\n", "x\n", "q\n"], keys)
    assert [keys.get_nowait(), keys.get_nowait()] == [Control.REPEAT, Control.STOP]
    assert keys.empty()
