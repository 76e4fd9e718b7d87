"""The wake phrase: which phrases can work, when one was said, and where it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice.audio import frames, read_audio
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.model import SpeechModel
from voice.wake import PhraseError, PhraseSpotter, WakeDetector, check_phrase

RECORDINGS = Path(__file__).parents[1] / "e2e" / "recordings"
FRAME = np.ones(FRAME_SAMPLES, np.int16)


class FakeModel:
    """Knows every word but one, and hears whatever `partial` and `result` are set to."""

    def __init__(self) -> None:
        self.partial, self.result = "", "{}"
        self.grammar: list[str] | None = None

    def knows(self, word: str) -> bool:
        return word != "spondylolisthesis"

    def recognizer(self, grammar: list[str] | None = None) -> Any:
        self.grammar = grammar
        return self

    def SetWords(self, on: bool) -> None: ...
    def Reset(self) -> None:
        self.partial = ""

    def AcceptWaveform(self, data: bytes) -> bool:
        return False

    def PartialResult(self) -> str:
        return json.dumps({"partial": self.partial})

    def FinalResult(self) -> str:
        self.partial = ""
        return self.result


def _heard(text: str, end_s: float) -> str:
    return json.dumps({"result": [{"word": word, "end": end_s, "conf": 1.0} for word in text.split()]})


@pytest.mark.parametrize("phrase", ["", "hello", "a b", "hey you"])
def test_a_phrase_that_turns_up_in_other_talk_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError, match="too short"):
        check_phrase(FakeModel(), phrase)


def test_a_word_that_the_model_cannot_hear_is_named() -> None:
    with pytest.raises(PhraseError, match="spondylolisthesis"):
        check_phrase(FakeModel(), "hey spondylolisthesis")


def test_the_grammar_is_the_phrases_and_everything_else() -> None:
    model = FakeModel()
    PhraseSpotter(model, ("hey back talk",), instant=("stop",))
    assert model.grammar is not None
    assert set(model.grammar) == {"hey back talk", "stop", "[unk]"}


def test_a_phrase_counts_when_it_is_still_there_a_moment_later() -> None:
    model = FakeModel()
    spotter = PhraseSpotter(model, ("hey back talk",))
    model.partial, model.result = "hey back talk", _heard("[unk] hey back talk", 0.032)
    results = [spotter.accept(FRAME) for _ in range(12)]
    found = [result for result in results if result is not None]
    assert [phrase for phrase, _ in found] == ["hey back talk"]
    assert results[0] is None


def test_a_phrase_that_turns_out_to_be_something_else_does_not_count() -> None:
    model = FakeModel()
    spotter = PhraseSpotter(model, ("hey back talk",))
    model.partial, model.result = "hey back talk", _heard("hey [unk]", 0.1)
    assert all(spotter.accept(FRAME) is None for _ in range(12))


def test_an_instant_phrase_counts_at_once_but_not_inside_a_word() -> None:
    model = FakeModel()
    spotter = PhraseSpotter(model, ("hey back talk",), instant=("stop",))
    model.partial = "stopping"
    assert spotter.accept(FRAME) is None
    model.partial = "please stop"
    assert spotter.accept(FRAME) == ("stop", 0)


@pytest.mark.model
@pytest.mark.parametrize("name", ["wake_definition", "wake_symptoms", "wake_danger", "pause"])
def test_it_is_heard_in_a_recording_and_its_end_is_found_each_time(speech_model: SpeechModel, name: str) -> None:
    """Twice with one detector: what was said before must not shift the times."""
    wake = WakeDetector(speech_model)
    ends = []
    for _ in range(2):
        wake.reset()
        fed = 0
        for frame in frames(read_audio(RECORDINGS / f"{name}.flac")):
            fed += len(frame)
            since = wake.accept(frame)
            if since is not None:
                ends.append((fed - since) / SAMPLE_RATE)
                break
    assert len(ends) == 2
    assert all(0.7 < end < 1.4 for end in ends)


@pytest.mark.model
@pytest.mark.parametrize("name", ["television", "danger", "slower", "stop"])
def test_other_speech_does_not_wake_it(speech_model: SpeechModel, name: str) -> None:
    wake = WakeDetector(speech_model)
    assert all(wake.accept(frame) is None for frame in frames(read_audio(RECORDINGS / f"{name}.flac")))


@pytest.mark.model
def test_a_real_model_refuses_what_it_cannot_hear(speech_model: SpeechModel) -> None:
    with pytest.raises(PhraseError):
        WakeDetector(speech_model, "hey osteophytes")
