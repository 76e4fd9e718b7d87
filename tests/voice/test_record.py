"""Recording a volunteer: what the guide says, what is kept, and a whole session from a recorded microphone."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from intents.heard import Heard
from voice.audio import read_audio
from voice.commands.record import command, pack_prompts, remaining, watch_keys
from voice.errors import BacktalkError, InputError, VoiceError
from voice.frame import SAMPLE_RATE, Samples
from voice.mic import FileMicrophone
from voice.model import SpeechModel
from voice.record import (
    NOBODY,
    Booth,
    Control,
    Guide,
    Prompt,
    Silence,
    Step,
    Take,
    TakeListener,
    agrees,
    clipped_peaks,
    control_in,
    fault_of,
)
from voice.speech import Clip
from voice.stt import Recognizer
from voice.takes import Shelf, read_prompts
from voice.tts import Pyttsx3Voice
from voice.vad import SpeechDetector

SPEECH = Path(__file__).parent / "data" / "what_is_facet_hypertrophy.flac"
PROMPTS = [
    Prompt("definition_1", "what is facet hypertrophy", "definition", "question"),
    Prompt("stop_1", "stop", "stop", "command"),
    Prompt("cold_1", "i've got cold feet about the wedding", "out_of_scope", "oos", {"counter": True}),
]


@pytest.fixture(scope="module")
def speech() -> Samples:
    return read_audio(SPEECH)


def tone(dbfs: float, length_s: float = 1.0) -> Samples:
    wave = np.sin(2 * np.pi * 220 * np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.clip(wave * 32767 * 10 ** (dbfs / 20), -32768, 32767).astype(np.int16)


def take(text: str) -> Take:
    return Take(tone(-20), text)


def started(prompts: Sequence[Prompt] = PROMPTS) -> Guide:
    guide = Guide(prompts, consented=True)
    guide.begin()
    return guide


@pytest.mark.parametrize(
    ("said", "consent"),
    [
        ("i agree to be recorded", True),
        ("yes i agree", True),
        ("i do not agree", False),
        ("i don't agree", False),
        ("no", False),
        ("i agree no wait", False),
        ("yes", None),
        ("hello", None),
        ("", None),
    ],
)
def test_only_a_plain_yes_is_consent(said: str, consent: bool | None) -> None:
    assert agrees(said) is consent


@pytest.mark.parametrize(
    ("said", "prompt", "order"),
    [
        ("skip", "what is it", Control.SKIP),
        ("stop", "what is it", Control.STOP),
        ("stop", "stop", None),
        ("stop recording", "stop", Control.STOP),
        ("say it again", "say that again", Control.REPEAT),
        ("say that again", "Say that again.", None),
        ("what is it", "what is it", None),
    ],
)
def test_an_order_is_no_take_and_a_sentence_to_be_read_is_no_order(
    said: str, prompt: str, order: Control | None
) -> None:
    assert control_in(said, prompt) is order


def test_nothing_is_kept_before_consent() -> None:
    guide = Guide(PROMPTS)
    step = guide.begin()
    assert "agree" in step.say[-1]
    step = guide.hear(take("what is facet hypertrophy"))
    assert step.keep is None
    assert step.keep_consent is None
    agreed = take("i agree to be recorded")
    step = guide.hear(agreed)
    assert step.keep_consent is agreed
    assert step.say[-1] == PROMPTS[0].text


@pytest.mark.parametrize(
    "events", [[take("no")], [Control.STOP], [Silence()] * 3, [take("what")] * 3, [Control.SKIP] * 3]
)
def test_without_consent_it_ends_with_nothing_kept(events: list[Take | Control | Silence]) -> None:
    guide = Guide(PROMPTS)
    guide.begin()
    steps = [guide.hear(event) for event in events]
    assert [step.over for step in steps] == [False] * (len(steps) - 1) + [True]
    assert all(step.keep is None and step.keep_consent is None for step in steps)
    assert "othing" in " ".join(steps[-1].say)


def test_an_unusable_consent_is_asked_for_again() -> None:
    guide = Guide(PROMPTS)
    guide.begin()
    step = guide.hear(Take(tone(-70), "i agree"))
    assert step.keep_consent is None
    assert "too quiet" in step.say[0]
    assert guide.hear(take("i agree")).keep_consent is not None


def test_takes_are_kept_in_order_to_the_end() -> None:
    guide = started()
    kept = []
    step = Step(())
    for prompt in PROMPTS:
        step = guide.hear(take(prompt.text))
        kept.append(step.keep)
    assert [pair[0] for pair in kept if pair] == PROMPTS
    assert step.over
    assert "3 sentences" in step.say[-1]


def test_repeat_skip_and_stop_by_voice() -> None:
    guide = started()
    assert guide.hear(take("say it again")).say[-1] == PROMPTS[0].text
    skipped = guide.hear(take("skip this one"))
    assert skipped.keep is None
    assert skipped.say[-1] == PROMPTS[1].text
    stopped = guide.hear(take("stop recording"))
    assert stopped.over
    assert stopped.keep is None
    assert guide.kept == 0


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (tone(-60), "quiet"),
        (np.clip(tone(0).astype(np.int32) * 4, -32768, 32767).astype(np.int16), "loud"),
        (tone(-20, 0.1), "short"),
    ],
)
def test_an_unusable_take_is_asked_for_again_and_left_after_three(samples: Samples, word: str) -> None:
    guide = started()
    bad = Take(samples, PROMPTS[0].text)
    for _ in range(2):
        step = guide.hear(bad)
        assert word in step.say[0]
        assert step.say[-1] == PROMPTS[0].text
        assert step.keep is None
    step = guide.hear(bad)
    assert step.keep is None
    assert step.say[-1] == PROMPTS[1].text
    assert guide.hear(take("stop")).keep is not None, "three tries are counted for each sentence alone"


def test_other_words_are_doubted_once_and_then_kept() -> None:
    guide = started()
    odd = take("bring my grandmother some plums")
    assert guide.hear(odd).keep is None
    step = guide.hear(odd)
    assert step.keep == (PROMPTS[0], odd)
    assert step.doubted
    assert not guide.hear(take("stop")).doubted


def test_a_take_that_began_too_soon_is_too_short() -> None:
    """Half of the sentence was said while the prompt still sounded: what is left has too little time for its words."""
    late = Take(tone(-20, 1.5), "the", speech=round(0.2 * SAMPLE_RATE))
    assert "wait until I have finished" in (fault_of(late, "what is facet hypertrophy") or "")
    assert fault_of(late, "stop") is None


def test_a_cut_take_is_too_long() -> None:
    assert "long" in (fault_of(Take(tone(-20), "x", cut=True)) or "")


def test_good_levels_pass_and_one_full_sample_is_no_clipping() -> None:
    assert fault_of(take("x")) is None
    assert fault_of(Take(tone(-40), "x")) is None
    one = tone(-20)
    one[100] = 32767
    assert clipped_peaks(one) == 0
    one[100:103] = 32767
    assert clipped_peaks(one) == 1


class ScriptedEar:
    """Hears what the script says, one text an utterance."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)

    def accept(self, frame: Samples) -> None: ...

    def partial(self) -> str:
        return ""

    def finish(self) -> Heard:
        return Heard(next(self._texts))

    def reset(self) -> None: ...


class StillMouth:
    """Remembers what it should say, and is never heard."""

    def __init__(self, busy_frames: int = 0) -> None:
        self.said: list[str] = []
        self.stops = 0
        self._busy_frames, self._left = busy_frames, 0

    def say(self, sentences: Sequence[str], urgent_sentences: int = 0, name: str = "reply") -> None:
        self.said += sentences
        self._left = self._busy_frames

    def stop(self, force: bool = False) -> bool:
        self.stops += 1
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        return True

    @property
    def speaking(self) -> bool:
        self._left -= 1
        return self._left >= 0


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
