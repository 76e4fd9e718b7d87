"""One utterance: when it ends, and where its speech does."""

from __future__ import annotations

import pytest
from scripted_world import SILENCE, FakeEar

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.turn import Turn
from voice.vad import Activity


@pytest.mark.parametrize("activity", [Activity.STARTING, Activity.SPEAKING])
def test_the_pause_is_counted_from_the_last_speech_even_of_a_word_too_short_to_be_known_for_speech(
    activity: Activity,
) -> None:
    """Who had called and said "will", and then thought, was answered 0.22 s after it."""
    turn = Turn(FakeEar([]), lambda _heard: 500)
    turn.begin([])
    frames = [Activity.QUIET] * 10 + [activity] * 3
    assert not any(turn.feed(SILENCE, one) for one in frames)
    silent = 1
    while not turn.feed(SILENCE, Activity.QUIET):
        silent += 1
    assert 500 <= 1000 * silent * FRAME_SAMPLES / SAMPLE_RATE < 540
    assert turn.finish().end == 13 * FRAME_SAMPLES


def test_a_click_after_speech_does_not_make_it_wait_longer() -> None:
    turn = Turn(FakeEar([]), lambda _heard: 500)
    for activity in [Activity.SPEAKING] * 5 + [Activity.QUIET] * 5 + [Activity.STARTING]:
        assert not turn.feed(SILENCE, activity)
    assert turn.silence_ms == 6 * 1000 * FRAME_SAMPLES // SAMPLE_RATE
