"""The wake phrase: which phrases can work, when one was said, and where it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice.audio import frames, read_audio
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.model import SpeechModel
from voice.second_look import PhraseModel
from voice.wake import LOOKS, PhraseError, PhraseSpotter, check_phrase, parts

RECORDINGS = Path(__file__).parents[1] / "e2e" / "recordings"
FRAME = np.ones(FRAME_SAMPLES, np.int16)


class FakeModel:
    """Knows every word but one, and shows `partial`, or `result` at the end of what was said."""

    def __init__(self) -> None:
        self.partial, self.result = "", ""
        self.grammar: list[str] | None = None
        self.decoders = 0
        self.takes_grammars = True

    def knows(self, word: str) -> bool:
        return word != "spondylolisthesis"

    def recognizer(self, grammar: list[str] | None = None) -> Any:
        self.grammar, self.partial = grammar, ""
        self.decoders += 1
        return self

    def AcceptWaveform(self, data: bytes) -> bool:
        return bool(self.result)

    def PartialResult(self) -> str:
        return json.dumps({"partial": self.partial})

    def Result(self) -> str:
        text, self.result = self.result, ""
        return json.dumps({"text": text})


class FakeLook:
    """A second look that finds the end of the phrase `since` samples before the end of the sound, or nothing."""

    def __init__(self, since: int | None) -> None:
        self.since = since
        self.lengths: list[int] = []

    def __call__(self, model: PhraseModel, phrase: str) -> FakeLook:
        return self

    def end(self, sound: Samples, context: int = 0) -> int | None:
        self.lengths.append(len(sound) - context)
        return None if self.since is None else len(sound) - self.since


def _spotter(model: FakeModel, look: FakeLook, *phrases: str) -> PhraseSpotter:
    return PhraseSpotter(model, phrases or ("hey back talk",), instant=("stop",), look=look)


@pytest.mark.parametrize("phrase", ["", "hello", "a b", "hey you"])
def test_a_phrase_that_turns_up_in_other_talk_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError, match="too short"):
        check_phrase(FakeModel(), phrase)


def test_a_word_that_the_model_cannot_hear_is_named() -> None:
    with pytest.raises(PhraseError, match="spondylolisthesis"):
        check_phrase(FakeModel(), "hey spondylolisthesis")


def test_the_grammar_is_the_phrases_and_everything_else() -> None:
    model = FakeModel()
    _spotter(model, FakeLook(None))
    assert model.grammar is not None
    assert set(model.grammar) == {"hey back talk", "stop", "[unk]"}


@pytest.mark.parametrize("shown", ["hey back", "back talk", "[unk] hey back talk"])
def test_a_part_of_the_phrase_is_looked_at_again_and_counts_when_that_finds_it(shown: str) -> None:
    model, look = FakeModel(), FakeLook(since=1000)
    spotter = _spotter(model, look)
    model.partial = shown
    results = [spotter.accept(FRAME) for _ in range(40)]
    assert [result for result in results if result is not None] == [("hey back talk", 1000 + round(0.05 * SAMPLE_RATE))]
    assert results[0] is None, "not before the phrase can be over"


def test_a_part_that_the_second_look_does_not_confirm_does_not_count() -> None:
    model, look = FakeModel(), FakeLook(None)
    spotter = _spotter(model, look)
    model.partial = "hey back"
    assert all(spotter.accept(FRAME) is None for _ in range(60))
    assert len(look.lengths) == len(LOOKS), "what is shown no longer than that costs no more looks"


def test_words_that_are_no_part_of_the_phrase_cost_no_second_look() -> None:
    model, look = FakeModel(), FakeLook(0)
    spotter = _spotter(model, look)
    model.partial = "hey [unk] hey"
    assert all(spotter.accept(FRAME) is None for _ in range(60))
    assert not look.lengths


def test_where_the_phrase_is_not_expected_nothing_is_looked_at_again() -> None:
    model, look = FakeModel(), FakeLook(since=100)
    spotter = _spotter(model, look)
    model.partial = "hey back"
    assert all(spotter.accept(FRAME, lambda: False) is None for _ in range(60))
    assert not look.lengths


def test_a_phrase_that_ends_with_a_pause_is_looked_at_too() -> None:
    model, look = FakeModel(), FakeLook(since=100)
    spotter = _spotter(model, look)
    model.result = "hey back talk"
    assert any(spotter.accept(FRAME) is not None for _ in range(40))


def test_the_second_look_does_not_reach_back_before_this_stretch_of_speech() -> None:
    model, look = FakeModel(), FakeLook(None)
    spotter = _spotter(model, look)
    for _ in range(50):
        spotter.accept(FRAME)
    spotter.reset()
    model.partial = "hey back"
    for _ in range(40):
        spotter.accept(FRAME)
    assert look.lengths
    assert all(length <= 40 * FRAME_SAMPLES for length in look.lengths)


def test_after_a_reset_nothing_is_looked_at_for_what_came_before() -> None:
    model, look = FakeModel(), FakeLook(0)
    spotter = _spotter(model, look)
    model.partial = "hey back"
    spotter.accept(FRAME)
    spotter.reset()
    assert all(spotter.accept(FRAME) is None for _ in range(40))


def test_no_decoder_outlives_a_stretch_of_speech_as_its_graph_only_grows() -> None:
    model = FakeModel()
    spotter = _spotter(model, FakeLook(None))
    for _ in range(3):
        spotter.accept(FRAME)
        spotter.reset()
    assert model.decoders == 4
    spotter.reset()
    assert model.decoders == 4, "silence makes none"


@pytest.mark.parametrize(
    ("phrase", "enough"),
    [("hey back talk", {"hey back", "back talk", "back", "talk"}), ("okay computer", {"computer"})],
)
def test_what_is_enough_for_a_second_look(phrase: str, enough: set[str]) -> None:
    assert set(parts(phrase)) == enough


def test_an_instant_phrase_counts_at_once_but_not_inside_a_word() -> None:
    model = FakeModel()
    spotter = _spotter(model, FakeLook(None))
    model.partial = "stopping"
    assert spotter.accept(FRAME) is None
    model.partial = "please stop"
    assert spotter.accept(FRAME) == ("stop", 0)


@pytest.mark.model
@pytest.mark.parametrize("name", ["wake_definition", "wake_symptoms", "wake_danger", "pause"])
def test_it_is_heard_in_a_recording_and_its_end_is_found_each_time(speech_model: SpeechModel, name: str) -> None:
    """Twice with one detector: what was said before must not shift the times."""
    wake = PhraseSpotter(speech_model, ("hey back talk",))
    ends = []
    for _ in range(2):
        wake.reset()
        fed = 0
        for frame in frames(read_audio(RECORDINGS / f"{name}.flac")):
            fed += len(frame)
            if found := wake.accept(frame):
                ends.append((fed - found[1]) / SAMPLE_RATE)
                break
    assert len(ends) == 2
    assert all(0.7 < end < 1.4 for end in ends)


@pytest.mark.model
@pytest.mark.parametrize("name", ["television", "danger", "slower", "stop"])
def test_other_speech_does_not_wake_it(speech_model: SpeechModel, name: str) -> None:
    wake = PhraseSpotter(speech_model, ("hey back talk",))
    assert all(wake.accept(frame) is None for frame in frames(read_audio(RECORDINGS / f"{name}.flac")))


@pytest.mark.model
def test_the_same_recording_wakes_at_the_same_sample_each_time(speech_model: SpeechModel) -> None:
    sound = read_audio(RECORDINGS / "wake_definition.flac")
    found = []
    for _ in range(2):
        wake = PhraseSpotter(speech_model, ("hey back talk",))
        found.append([(place, heard) for place, frame in enumerate(frames(sound)) if (heard := wake.accept(frame))])
    assert found[0]
    assert found[0] == found[1]


@pytest.mark.model
def test_a_real_model_refuses_what_it_cannot_hear(speech_model: SpeechModel) -> None:
    with pytest.raises(PhraseError):
        check_phrase(speech_model, "hey osteophytes")
