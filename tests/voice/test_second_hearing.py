"""When an utterance is heard a second time, and whose words then count."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from intents.heard import Heard
from intents.reply import Reply
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.second_hearing import LONGEST, heard_again
from voice.turn import Utterance

REPLIES = {
    "what is it": Reply("answer", "definition", confidence=0.97),
    "what is in": Reply("answer", "facet_joints", confidence=0.62),
    "what is on": Reply("answer", "location", confidence=0.64),
    "louder": Reply("command", "louder", confidence=0.9),
    "ladder": Reply("command", "louder", confidence=0.55),
    "what if": Reply("clarify", choices=("definition", "causes")),
    "mumble": Reply("reject"),
    "murmur": Reply("reject"),
    "my legs are numb": Reply("warn", urgent=("urgent_limb",)),
    "my legs are mum": Reply("clarify", choices=("urgent_limb",)),
    "it comes on slowly": Reply("warn", "provider_soon"),
}


def utterance(text: str, frames: int = 40) -> Utterance:
    frame = np.random.default_rng(3).integers(-90, 90, FRAME_SAMPLES).astype(np.int16)
    return Utterance(Heard(text, ("something else",)), 0, 0, sound=(frame,) * frames)


class Ears:
    """Hear these words in whatever sound."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sounds: list[Samples] = []

    def __call__(self, sound: Iterable[Samples]) -> Heard:
        self.sounds.append(np.concatenate(list(sound)))
        return Heard(self.text)


def peek(heard: Heard) -> Reply:
    return REPLIES[heard.text]


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ("mumble", "what is it", "what is it"),
        ("mumble", "louder", "louder"),
        ("what if", "what is it", "what is it"),
        ("mumble", "what is in", "mumble"),
        ("what if", "ladder", "what if"),
        ("mumble", "what if", "mumble"),
        ("what if", "mumble", "what if"),
        ("mumble", "murmur", "mumble"),
        ("what is in", "what is on", "what is on"),
        ("what is in", "what if", "what if"),
        ("what is in", "mumble", "mumble"),
        ("ladder", "louder", "louder"),
    ],
)
def test_who_is_unsure_takes_a_second_opinion(first: str, second: str, counts: str) -> None:
    ears = Ears(second)
    assert heard_again(utterance(first), ears, peek).text == counts
    assert len(ears.sounds) == 1


@pytest.mark.parametrize("sure", ["what is it", "louder", "my legs are numb", "my legs are mum", "it comes on slowly"])
def test_who_is_sure_or_warns_or_asks_about_a_danger_sign_hears_once(sure: str) -> None:
    ears = Ears("mumble")
    assert heard_again(utterance(sure), ears, peek) == utterance(sure).heard
    assert ears.sounds == []


@pytest.mark.parametrize("sign", ["my legs are numb", "my legs are mum"])
@pytest.mark.parametrize("first", ["mumble", "what if", "what is in"])
def test_a_danger_sign_that_only_the_second_one_hears_is_another_reading(first: str, sign: str) -> None:
    heard = heard_again(utterance(first), Ears(sign), peek)
    assert heard.text == first
    assert heard.alternatives == (sign, "something else")


def test_the_noise_is_turned_down_and_the_length_stays() -> None:
    ears = Ears("what is it")
    said = utterance("mumble")
    heard_again(said, ears, peek)
    (sound,) = ears.sounds
    assert sound.shape == (40 * FRAME_SAMPLES,)
    assert np.std(sound) < 0.6 * np.std(np.concatenate(said.sound))


@pytest.mark.parametrize("frames", [0, LONGEST // FRAME_SAMPLES + 1])
def test_what_has_no_sound_or_too_much_of_it_is_heard_once(frames: int) -> None:
    assert LONGEST >= 5 * SAMPLE_RATE
    ears = Ears("what is it")
    assert heard_again(utterance("mumble", frames), ears, peek).text == "mumble"
    assert ears.sounds == []
