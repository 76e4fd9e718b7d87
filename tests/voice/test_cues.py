"""Earcons: short, as loud as speech, without clicks, and each unlike every other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.cues import CUES, LONGEST_S, WORDS, CueName, cue
from voice.speech import SPEECH_DBFS, loudness_dbfs

RATES = st.integers(8_000, 48_000)


def picture(name: CueName, rate: int) -> np.ndarray:
    """What the ear gets: energy by time (20 ms) and pitch (third octaves), as a unit vector."""
    clip = cue(name, rate)
    samples = np.zeros(round(0.32 * rate))
    samples[: len(clip.samples)] = clip.samples
    edges = 110 * 2 ** (np.arange(17) / 3)
    rows = []
    for part in np.array_split(samples, 16):
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)), rate // 10)) ** 2
        hertz = np.fft.rfftfreq(rate // 10, 1 / rate)
        rows.append(np.histogram(hertz, edges, weights=power)[0])
    energy = np.sqrt(np.array(rows).ravel())
    return energy / np.linalg.norm(energy)


@given(st.sampled_from(CUES), RATES)
@settings(deadline=None)
def test_every_cue_is_short_levelled_and_without_clicks(name: CueName, rate: int) -> None:
    clip = cue(name, rate)
    assert clip.samples.dtype == np.int16
    assert 0.1 < clip.seconds <= LONGEST_S
    assert loudness_dbfs(clip.samples, rate) == pytest.approx(SPEECH_DBFS, abs=1.0)
    wave = clip.samples.astype(float)
    edge = max(2, round(0.001 * rate))
    peak = np.max(np.abs(wave))
    assert np.max(np.abs(wave[:edge])) < 0.15 * peak
    assert np.max(np.abs(wave[-edge:])) < 0.15 * peak


@given(RATES)
@settings(deadline=None, max_examples=20)
def test_any_two_cues_differ_in_pitch_and_rhythm(rate: int) -> None:
    pictures = {name: picture(name, rate) for name in CUES}
    for one, other in combinations(CUES, 2):
        assert float(pictures[one] @ pictures[other]) < 0.6, (one, other)


def test_the_same_cue_is_the_same_sound_and_can_not_be_spoilt() -> None:
    assert np.array_equal(cue("awake").samples, cue("awake", 22_050).samples)
    with pytest.raises(ValueError, match="read-only"):
        cue("awake").samples[0] = 1


def test_every_cue_has_words_and_unknown_names_are_refused() -> None:
    assert set(WORDS) == set(CUES)
    with pytest.raises(KeyError):
        cue("nonsense")  # type: ignore[arg-type]
