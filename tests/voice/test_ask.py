"""`backtalk ask` as other programs see it: lines of JSON, and an exit status."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from intents.heard import Heard
from intents.reply import Reply
from voice.commands import ask
from voice.commands.ask import TEXT_LIMIT, typed, typed_lines
from voice.errors import ModelError, VoiceError
from voice.mind import Mind

KEYS = ["input", "transcript", "action", "intent", "choices", "urgent", "speech", "confidence", "timing_ms"]
RATE = 22_050


class FakeConversation:
    """Answers every text; counts its turns."""

    def __init__(self) -> None:
        self.turn = 0

    def reply(self, heard: Heard) -> Reply:
        self.turn += 1
        if not heard.text:
            return Reply("reject", sentences=("I didn't hear anything.",))
        if "numb" in heard.text:
            return Reply("warn", urgent=("urgent_limb",), sentences=("Call now.", "Don't wait."), urgent_sentences=1)
        return Reply("answer", "definition", sentences=(f"Turn {self.turn}.",), confidence=0.9)


class FakeEngine:
    """No model, no pack: recordings are heard as the number of their samples."""

    model_error: ModelError | None = None

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def mind(self) -> Mind:
        return Mind(FakeConversation())  # type: ignore[arg-type]

    def recognizer(self) -> Any:
        if self.model_error is not None:
            raise self.model_error
        return FakeEar()

    def close(self) -> None: ...


class FakeEar:
    fed = 0

    def accept(self, frame: Any) -> None:
        self.fed += len(frame)

    def partial(self) -> str:
        return "some words" if self.fed else ""

    def finish(self) -> Heard:
        return Heard(self.partial())

    def reset(self) -> None:
        self.fed = 0


class FakeVoice:
    sample_rate = RATE
    broken = False

    def __init__(self, *_: Any) -> None: ...
    def __enter__(self) -> FakeVoice:
        return self

    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None: ...

    def speak(self, sentence: str, rate: int = 165) -> Any:
        if self.broken:
            raise VoiceError("No voice.")
        return np.full(RATE // 10, 1000, np.int16)


Ask = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(ask, "Engine", FakeEngine)
    monkeypatch.setattr("voice.tts.Pyttsx3Voice", FakeVoice)
    monkeypatch.setattr("voice.loudspeaker.find_loudspeaker", lambda *_: None)
    monkeypatch.setattr(FakeEngine, "model_error", None)
    monkeypatch.setattr(FakeVoice, "broken", False)

    def invoke(*arguments: str | Path, input: bytes | None = None) -> Result:
        return CliRunner().invoke(ask.command, [str(argument) for argument in arguments], input=input)

    return invoke


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def _recording(path: Path, samples: Any = None) -> Path:
    noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16)
    soundfile.write(path, noise if samples is None else samples, 16_000, subtype="PCM_16")
    return path


def test_a_typed_question_gives_one_line_with_every_field(run: Ask) -> None:
    result = run("--json", "--silent", "--text", "what is it")
    (line,) = _lines(result)
    assert result.exit_code == 0
    assert list(line) == KEYS
    assert line["transcript"] == "what is it"
    assert (line["action"], line["intent"], line["speech"]) == ("answer", "definition", "Turn 1.")
    assert list(line["timing_ms"]) == ["recognize", "understand", "first_audio"]
    assert all(value >= 0 for value in line["timing_ms"].values())


def test_recordings_are_answered_in_order_and_bad_ones_do_not_stop_the_run(run: Ask, tmp_path: Path) -> None:
    good = _recording(tmp_path / "good.wav")
    empty = tmp_path / "empty.wav"
    empty.touch()
    text = tmp_path / "text.wav"
    text.write_text("not sound")
    inputs = [tmp_path / "missing.wav", good, empty, tmp_path, text, good]
    result = run("--json", "--silent", *inputs)
    lines = _lines(result)
    assert [line["input"] for line in lines] == [str(path) for path in inputs]
    assert ["error" in line for line in lines] == [True, False, True, True, True, False]
    for line in lines:
        if "error" in line:
            assert line["action"] is None
            assert line["choices"] == line["urgent"] == []
            assert line["error"].count("\n") == 0
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_silence_is_answered_and_is_no_error(run: Ask, tmp_path: Path) -> None:
    result = run("--json", "--silent", _recording(tmp_path / "silence.wav", np.zeros(16_000, np.int16)))
    (line,) = _lines(result)
    assert (line["action"], line["transcript"]) == ("reject", "")
    assert "error" not in line
    assert result.exit_code == 0


def test_without_a_model_recordings_have_an_error_each_and_typed_questions_an_answer(
    run: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "model_error", ModelError("There is no speech model."))
    good = _recording(tmp_path / "good.wav")
    result = run("--json", "--silent", good, good)
    assert [line["error"] for line in _lines(result)] == ["There is no speech model."] * 2
    assert run("--json", "--silent", "--text", "what is it").exit_code == 0


def test_each_input_is_a_new_conversation_unless_context_is_kept(run: Ask) -> None:
    asked = b"one\ntwo\nthree\n"
    apart = _lines(run("--json", "--silent", "--text", "-", input=asked))
    together = _lines(run("--json", "--silent", "--keep-context", "--text", "-", input=asked))
    assert [line["speech"] for line in apart] == ["Turn 1."] * 3
    assert [line["speech"] for line in together] == ["Turn 1.", "Turn 2.", "Turn 3."]


def test_out_writes_each_reply_and_names_it(run: Ask, tmp_path: Path) -> None:
    out = tmp_path / "replies"
    result = run("--json", "--out", out, "--text", "-", input=b"one\nI am numb\n")
    paths = [Path(line["reply_audio"]) for line in _lines(result)]
    assert result.exit_code == 0  # a file is a way to be heard
    assert len(set(paths)) == 2
    for path in paths:
        assert path.parent == out
        assert soundfile.info(path).duration > 0.1


def test_no_loudspeaker_is_said_and_the_reply_is_printed(run: Ask) -> None:
    result = run("--text", "what is it")
    assert result.exit_code == 1
    assert "Turn 1." in result.stdout
    assert "loudspeaker" in result.stderr


def test_a_voice_that_fails_costs_no_answer(run: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeVoice, "broken", True)
    result = run("--json", "--silent", "--text", "what is it")
    (line,) = _lines(result)
    assert line["intent"] == "definition"
    assert line["timing_ms"]["first_audio"] is None


@pytest.mark.parametrize(
    ("text", "fails"),
    [("x" * 100_000, True), ("\x00\x07what\x1b[2J is it", False), ("что это", False), ("", False), ("\udcff", False)],
)
def test_any_typed_text_gives_one_valid_line(run: Ask, text: str, fails: bool) -> None:
    raw = text.encode("utf-8", "surrogateescape") + b"\nwhat is it\n"
    result = run("--json", "--silent", "--text", "-", input=raw)
    lines = _lines(result)
    assert len(lines) == 2
    assert ("error" in lines[0]) is fails
    assert lines[1]["intent"] == "definition"
    assert result.exit_code == int(fails)


def test_one_of_files_and_text_must_be_given(run: Ask) -> None:
    assert run().exit_code == 2
    assert run("a.wav", "--text", "b").exit_code == 2


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b" "))))
def test_as_many_questions_as_lines(lines: list[bytes]) -> None:
    stream = io.BytesIO(b"".join(line + b"\n" for line in lines))
    questions = list(typed_lines(stream))
    assert len(questions) == len(lines)
    assert all(question.name.isprintable() for question in questions)


def test_a_line_without_end_costs_no_memory_and_the_next_is_read() -> None:
    endless = io.BytesIO(b"x" * 3_000_000 + b"\nwhat is it\n")
    first, second = typed_lines(endless)
    assert first.error is not None
    assert len(first.name) < 100
    assert second.text == "what is it"


def test_the_longest_text_is_answered_and_one_more_is_not() -> None:
    assert typed("x" * TEXT_LIMIT).error is None
    assert typed("x" * (TEXT_LIMIT + 1)).error is not None
