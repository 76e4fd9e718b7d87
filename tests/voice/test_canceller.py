"""Its own voice taken out of the microphone: simulated echo, by the sample; nothing here takes time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.e2e.conftest import RECORDINGS
from voice.audio import read_audio
from voice.canceller import ADRIFT, GUARD, IDLE, Canceller, Played
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples

OWN = RECORDINGS / "long_think.flac"
PERSON = RECORDINGS / "wake_definition.flac"
DEVICE = 48_000


@pytest.fixture(scope="module", autouse=True)
def _library() -> None:
    pytest.importorskip("pywebrtc_audio", reason="pywebrtc-audio is not installed: no echo can be taken away")


def _frames(sound: Samples) -> Iterator[Samples]:
    whole = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
    return iter(sound[:whole].reshape(-1, FRAME_SAMPLES))


def _cleaned(own: Samples, heard: Samples) -> Samples:
    """What is left of `heard` when `own` is played frame by frame."""
    played = Played()
    clean = Canceller(played)
    out = []
    for loudspeaker, microphone in zip(_frames(own), _frames(heard), strict=True):
        played.write(loudspeaker)
        out.append(clean(microphone))
    return np.concatenate(out)


def _level(sound: Samples) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def _later(sound: Samples, samples: int) -> Samples:
    return np.concatenate([np.zeros(samples, np.int16), sound])[: len(sound)]


@pytest.mark.parametrize("delay_ms", [50, 120, 300])
def test_its_own_voice_is_gone_whatever_the_delay(delay_ms: int) -> None:
    own = read_audio(OWN)
    heard = _later(own, delay_ms * SAMPLE_RATE // 1000)
    left = _cleaned(own, heard)
    assert _level(left[2 * SAMPLE_RATE :]) < _level(heard[2 * SAMPLE_RATE :]) / 100  # 40 dB


def test_a_person_who_speaks_over_it_stays() -> None:
    own = read_audio(OWN)
    own = np.concatenate([own, own])
    person = read_audio(PERSON)
    begin = 9 * SAMPLE_RATE
    heard = _later(own, 1600).astype(np.int32)
    heard[begin : begin + len(person)] += person
    left = _cleaned(own, np.clip(heard, -32768, 32767).astype(np.int16))
    while_speaking = left[begin : begin + len(person)]
    assert _level(while_speaking) > _level(person) / 3  # within 10 dB


@pytest.mark.parametrize("hiss", [0.0, 3.0, 300.0])
def test_with_a_headset_a_person_who_speaks_over_it_is_left_alone(hiss: float) -> None:
    """The canceller alone took away "I cannot feel my legs", said over an answer that nobody else heard."""
    own = read_audio(OWN)
    person = read_audio(RECORDINGS / "danger.flac")
    noise = np.random.default_rng(1).normal(0, hiss, len(own)).astype(np.int16)
    begin = 3 * SAMPLE_RATE
    heard = noise.copy()
    heard[begin : begin + len(person)] += person
    left = _cleaned(own, heard)
    late = SAMPLE_RATE // 100
    end = begin + len(person)
    assert np.array_equal(left[begin + late : end + late], heard[begin:end])


def test_while_nothing_is_played_the_microphone_is_left_alone_but_for_ten_milliseconds() -> None:
    person = read_audio(PERSON)
    left = _cleaned(np.zeros(len(person), np.int16), person)
    late = SAMPLE_RATE // 100
    assert np.array_equal(left[late:], person[: len(left) - late])


def test_what_was_played_is_read_in_order_and_at_the_recognizer_s_rate() -> None:
    played = Played()
    tone = np.round(8000 * np.sin(2 * np.pi * 440 * np.arange(DEVICE) / DEVICE)).astype(np.int16)
    got = []
    for place in range(0, DEVICE, 960):  # 20 ms
        played.write(tone[place : place + 960], DEVICE)
        got.append(played.read(320))
    spectrum = np.abs(np.fft.rfft(np.concatenate(got)[SAMPLE_RATE // 2 :]))
    assert np.argmax(spectrum) == 220  # 440 Hz in half a second


def test_nothing_played_is_idle_until_something_sounds_and_again_later() -> None:
    played = Played()
    assert played.idle
    played.write(np.ones(FRAME_SAMPLES, np.int16))
    assert not played.idle
    for _ in range(IDLE // FRAME_SAMPLES + 1):
        played.write(np.zeros(FRAME_SAMPLES, np.int16))
    assert played.idle


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_silence_is_counted_exactly_without_being_resampled(rate: int) -> None:
    played = Played()
    played.write(np.ones(rate // 50, np.int16), rate)
    for _ in range(200):
        played.write(np.zeros(rate // 50, np.int16), rate)
    before = played._written
    for _ in range(500):
        played.write(np.zeros(rate // 50 + 1, np.int16), rate)
    assert abs(played._written - before - 500 * (rate // 50 + 1) * SAMPLE_RATE / rate) <= 1


def test_a_loudspeaker_that_stood_still_is_caught_up_with() -> None:
    """While it was lost nothing was written, and the microphone read on."""
    played = Played()
    count = np.arange(1, 20 * SAMPLE_RATE, dtype=np.int64)
    for _ in range(100):
        played.read(FRAME_SAMPLES)
    last = 0
    for place in range(0, 10 * SAMPLE_RATE, FRAME_SAMPLES):
        played.write((count[place : place + FRAME_SAMPLES] % 30_000).astype(np.int16))
        last = place + FRAME_SAMPLES
        got = played.read(FRAME_SAMPLES)
    behind = (last - int(got[-1])) % 30_000
    assert GUARD - ADRIFT <= behind <= GUARD + ADRIFT
