"""The second look: what may have been said instead of a phrase, noise turned down, and how much likelier the phrase must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice.audio import read_audio
from voice.frame import SAMPLE_RATE, Samples
from voice.model import SpeechModel
from voice.noise import quietened
from voice.second_look import (
    AFTER,
    LONGEST_GAP_S,
    MARGIN,
    MARGIN_BROKEN,
    MARGIN_WORDLESS,
    SecondLook,
    fillers,
)

RECORDINGS = Path(__file__).parents[1] / "e2e" / "recordings"
PHRASE = "hey back talk"
TWO_SECONDS = np.ones(2 * SAMPLE_RATE, np.int16)


class FakeDecoder:
    """Hears the words of `said`, from 0.5 s to `end_s`, as likely as `phrase` says, or else `word` as likely as `other` says."""

    def __init__(
        self,
        bound: bool,
        phrase: float = 0.0,
        other: float = 0.0,
        end_s: float = 1.5,
        said: str = PHRASE,
        gap_s: float = 0.0,
        word: str = "oh",
    ) -> None:
        self.bound, self.phrase, self.other, self.end_s = bound, phrase, other, end_s
        self.said, self.gap_s, self.word = said.split(), gap_s, word
        self.began_s = self.heard_s = 0.0

    def SetMaxAlternatives(self, count: int) -> None: ...
    def SetWords(self, on: bool) -> None: ...
    def AcceptWaveform(self, data: bytes) -> bool:
        self.began_s, self.heard_s = self.heard_s, self.heard_s + len(data) / 2 / SAMPLE_RATE
        return False

    def FinalResult(self) -> str:
        if not self.bound:
            result = [{"word": self.word, "start": self.began_s + 0.5, "end": self.began_s + self.end_s}]
            return json.dumps({"alternatives": [{"confidence": self.other, "text": self.word, "result": result}]})
        step = (self.end_s - 0.5) / len(self.said)
        begins = [self.began_s + 0.5 + step * place for place in range(len(self.said))]
        words = [
            {"word": word, "start": begin, "end": begin + step - self.gap_s}
            for word, begin in zip(self.said, begins, strict=True)
        ]
        hey = {"confidence": self.phrase + 5, "text": "hey", "result": words[:1]}
        return json.dumps(
            {"alternatives": [hey, {"confidence": self.phrase, "text": " ".join(self.said), "result": words}]}
        )


class FakeModel:
    """Makes such decoders; knows the words given."""

    def __init__(self, takes_grammars: bool = True, words: str = "", **heard: Any) -> None:
        self._heard = heard
        self._words = words.split()
        self.takes_grammars = takes_grammars

    def knows(self, word: str) -> bool:
        return word in self._words

    def recognizer(self, grammar: list[str] | None = None) -> Any:
        return FakeDecoder(grammar is not None and set(grammar) == {PHRASE}, **self._heard)


def test_a_phrase_that_is_likelier_than_other_words_was_said_and_its_end_is_told_each_time() -> None:
    look = SecondLook(FakeModel(phrase=100.0, other=100.0 - MARGIN - 0.1), PHRASE)
    assert look.end(TWO_SECONDS) == round(1.5 * SAMPLE_RATE)
    assert look.end(TWO_SECONDS) == round(1.5 * SAMPLE_RATE), "what was heard before must not shift the times"


def test_the_samples_that_only_tell_the_noise_are_counted_in_its_end() -> None:
    look = SecondLook(FakeModel(phrase=100.0, other=0.0, end_s=1.0), PHRASE)
    assert look.end(TWO_SECONDS, context=4000) == SAMPLE_RATE + 4000


def test_a_phrase_that_is_as_likely_as_other_words_was_not_said() -> None:
    assert SecondLook(FakeModel(phrase=100.0, other=100.0), PHRASE).end(TWO_SECONDS) is None


@pytest.mark.parametrize(
    ("heard", "margin"),
    [
        ({}, MARGIN),
        ({"gap_s": LONGEST_GAP_S - 0.05}, MARGIN),
        ({"gap_s": LONGEST_GAP_S + 0.05}, MARGIN_BROKEN),
        ({"said": f"{PHRASE} talk"}, MARGIN_BROKEN),
        ({"said": f"talk {PHRASE}"}, MARGIN_BROKEN),
        ({"word": "[unk]"}, MARGIN_WORDLESS),
        ({"word": "[unk]", "said": f"{PHRASE} hey"}, MARGIN_BROKEN),
    ],
)
def test_what_is_pieced_together_or_has_no_rival_must_be_likelier(heard: dict[str, Any], margin: float) -> None:
    def found(likelier: float) -> bool:
        return SecondLook(FakeModel(phrase=100.0, other=100.0 - likelier, **heard), PHRASE).end(TWO_SECONDS) is not None

    assert found(margin + 0.1)
    assert not found(margin - 0.1)


def test_a_phrase_that_is_not_over_yet_does_not_count_yet() -> None:
    look = SecondLook(FakeModel(phrase=100.0, other=0.0), PHRASE)
    assert look.end(TWO_SECONDS[: round(1.5 * SAMPLE_RATE) + AFTER - 100]) is None


def test_a_phrase_too_short_to_be_spoken_does_not_count() -> None:
    assert SecondLook(FakeModel(phrase=100.0, other=0.0, end_s=0.8), PHRASE).end(TWO_SECONDS) is None


def test_a_model_that_takes_no_grammar_is_believed() -> None:
    look = SecondLook(FakeModel(phrase=0.0, other=50.0, takes_grammars=False), PHRASE)
    assert look.end(TWO_SECONDS) is not None


def test_what_may_have_been_said_instead_is_near_the_phrase_common_and_known() -> None:
    others = fillers(FakeModel(words="pack they talks walk the zebra"), PHRASE)
    assert {"pack", "they", "talks", "walk", "the"} <= set(others)
    assert {"hey", "back", "talk"} <= set(others), "a part of the phrase isn't the phrase"
    assert not {"zebra", "water"} & set(others)


def test_steady_noise_is_turned_down_and_what_stands_out_of_it_stays() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 300, 2 * SAMPLE_RATE)
    tone = np.where(np.arange(len(noise)) // SAMPLE_RATE == 1, 3000 * np.sin(np.arange(len(noise)) * 0.3), 0.0)
    made = quietened(np.asarray(noise + tone, np.int16)).astype(np.float64)
    assert made.shape == noise.shape
    before, after = made[2000 : SAMPLE_RATE - 2000], made[SAMPLE_RATE + 2000 : -2000]
    assert np.std(before) < 0.75 * 300
    assert np.std(after) > 0.9 * np.std(tone[SAMPLE_RATE:])


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(100), np.zeros(9000), np.full(5000, 32767), np.ones(1537)])
def test_any_sound_keeps_its_length(sound: Samples) -> None:
    assert len(quietened(sound.astype(np.int16))) == len(sound)


@pytest.mark.model
def test_the_phrase_is_found_in_a_recording_and_not_in_what_follows(speech_model: SpeechModel) -> None:
    look = SecondLook(speech_model, PHRASE)
    sound = read_audio(RECORDINGS / "wake_definition.flac")
    end = look.end(sound[: round(1.4 * SAMPLE_RATE)])
    assert end is not None
    assert look.end(sound[end : end + 2 * SAMPLE_RATE]) is None
