"""When somebody begins to speak and stops: the state machine by written probabilities, the model by a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice.audio import read_audio
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.vad import INAUDIBLE, Activity, SpeechDetector, SpeechEnded, SpeechStarted, VoiceActivity

DATA = Path(__file__).parent / "data"
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


class Written(VoiceActivity):
    """Gives the probabilities that it is told."""

    def __init__(self, probabilities: list[float]) -> None:
        self.probabilities = list(probabilities)

    def probability(self, frame: np.ndarray) -> float:
        return self.probabilities.pop(0)

    def reset(self) -> None:
        pass


def run(probabilities: list[float], frames_of_silence: int = 4) -> list[object]:
    detector = SpeechDetector(
        Written(probabilities), min_speech=3 * FRAME_SAMPLES, min_silence=frames_of_silence * FRAME_SAMPLES
    )
    return [detector.accept(SILENCE) for _ in probabilities]


def test_a_start_and_an_end_tell_where_they_were() -> None:
    events = run([0.0, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert events[3] == SpeechStarted(1 * FRAME_SAMPLES)
    assert events[8] == SpeechEnded(5 * FRAME_SAMPLES)
    assert sum(event is not None for event in events) == 2


def test_a_click_is_no_speech() -> None:
    assert run([0.9, 0.9, 0.1, 0.9, 0.9, 0.1]) == [None] * 6


def test_a_pause_does_not_end_and_the_end_counts_from_the_last_speech() -> None:
    events = run([0.9] * 3 + [0.1] * 3 + [0.9] + [0.1] * 4)
    assert [event for event in events if event] == [SpeechStarted(0), SpeechEnded(7 * FRAME_SAMPLES)]


def test_between_the_thresholds_speech_goes_on_but_does_not_begin() -> None:
    assert run([0.4] * 20) == [None] * 20
    assert [event for event in run([0.9] * 3 + [0.4] * 20) if event] == [SpeechStarted(0)]


def test_silence_needed_may_be_changed_while_it_lasts() -> None:
    detector = SpeechDetector(Written([0.9] * 4 + [0.1] * 3), min_silence=100 * FRAME_SAMPLES)
    events = [detector.accept(SILENCE) for _ in range(6)]
    assert detector.state is Activity.STOPPING
    assert detector.silence == 2 * FRAME_SAMPLES
    assert detector.speaking
    assert SpeechEnded not in map(type, events)
    detector.min_silence = FRAME_SAMPLES
    assert detector.accept(SILENCE) == SpeechEnded(4 * FRAME_SAMPLES)
    assert detector.state is Activity.QUIET
    assert detector.silence == 0


@pytest.mark.parametrize("name", ["what_is_facet_hypertrophy", "please_say_that_again", "stop"])
def test_a_recording_is_one_utterance_where_it_is_spoken(name: str) -> None:
    before = SAMPLE_RATE
    speech = read_audio(DATA / f"{name}.flac")
    loud = np.flatnonzero(np.abs(speech.astype(int)) > 1000)
    samples = np.concatenate([np.zeros(before, np.int16), speech, np.zeros(2 * SAMPLE_RATE, np.int16)])
    detector = SpeechDetector()
    cut = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    started, ended = [event for event in map(detector.accept, cut) if event]
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert abs(started.at - before - loud[0]) < 0.2 * SAMPLE_RATE
    assert abs(ended.at - before - loud[-1]) < 0.3 * SAMPLE_RATE


def test_noise_and_tones_are_no_speech() -> None:
    random = np.random.default_rng(7)
    detector = SpeechDetector()
    noise = random.normal(0, 1500, (100, FRAME_SAMPLES)).astype(np.int16)
    tone = (8000 * np.sin(np.arange(100 * FRAME_SAMPLES) * 2 * np.pi * 440 / SAMPLE_RATE)).astype(np.int16)
    heard = [detector.accept(frame) for frame in [*noise, *tone.reshape(-1, FRAME_SAMPLES)]]
    assert heard == [None] * 200


def test_reset_forgets_everything() -> None:
    speech = read_audio(DATA / "stop.flac")
    cut = speech[: len(speech) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    model = VoiceActivity()
    first = [model.probability(frame) for frame in cut]
    model.reset()
    assert [model.probability(frame) for frame in cut] == first


def test_a_frame_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="512"):
        VoiceActivity().probability(np.zeros(100, np.int16))


def test_in_a_silent_room_the_model_is_spared_and_then_sees_what_came_just_before() -> None:
    class Counting(VoiceActivity):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def probability(self, frame: np.ndarray) -> float:
            self.seen.append(int(frame.max()))
            return 0.0

        def reset(self) -> None:
            pass

    counting = Counting()
    detector = SpeechDetector(counting)
    frames_a_second = SAMPLE_RATE // FRAME_SAMPLES
    for _ in range(3 * frames_a_second):
        detector.accept(np.full(FRAME_SAMPLES, INAUDIBLE - 2, np.int16))
    assert len(counting.seen) <= frames_a_second + 1
    detector.accept(np.full(FRAME_SAMPLES, INAUDIBLE - 1, np.int16))
    detector.accept(np.full(FRAME_SAMPLES, INAUDIBLE, np.int16))
    assert counting.seen[-2:] == [INAUDIBLE - 1, INAUDIBLE]


def test_an_utterance_is_never_passed_over_however_soft_it_gets() -> None:
    detector = SpeechDetector(Written([0.0] * 40 + [0.9] * 5 + [0.4] * 60), min_silence=100 * FRAME_SAMPLES)
    loud = np.full(FRAME_SAMPLES, 5000, np.int16)
    for _ in range(45):
        detector.accept(loud)
    for _ in range(60):
        detector.accept(SILENCE)
    assert detector.speaking
