"""A soft voice is raised, a loud one is left alone, and nothing ever clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.gain import MOST_GAIN, TARGET_PEAK, Gain


def tone(peak: float) -> np.ndarray:
    return np.round(peak * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * 440 / SAMPLE_RATE)).astype(np.int16)


@pytest.mark.parametrize("peak", [500, 2_000, 7_000])
def test_soft_sound_reaches_the_target(peak: int) -> None:
    gain = Gain()
    out = [gain(tone(peak)) for _ in range(50)][-1]
    assert np.abs(out).max() == pytest.approx(TARGET_PEAK, rel=0.02)


def test_loud_sound_stays_as_it_is() -> None:
    assert np.array_equal(Gain()(tone(30_000)), tone(30_000))


def test_silence_is_raised_by_no_more_than_the_limit() -> None:
    gain = Gain()
    assert max(np.abs(gain(tone(10))).max() for _ in range(500)) <= 10 * MOST_GAIN


def test_the_pause_in_a_sentence_is_not_pumped_up() -> None:
    gain = Gain()
    for _ in range(30):
        gain(tone(8_000))
    pause = [np.abs(gain(tone(20))).max() for _ in range(SAMPLE_RATE // FRAME_SAMPLES)]
    assert max(pause) <= 20 * 1.2


@given(st.lists(arrays.arrays(np.int16, FRAME_SAMPLES), max_size=5))
def test_any_sound_keeps_its_length_and_sign(sounds: list[np.ndarray]) -> None:
    gain = Gain()
    for sound in sounds:
        out = gain(sound)
        assert out.shape == sound.shape
        assert np.all(np.sign(out) == np.sign(sound))
