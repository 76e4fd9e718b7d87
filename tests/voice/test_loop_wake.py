"""Calls that voice activity notices late, or not at all, on scripted sound."""

from __future__ import annotations

from scripted_world import ANSWER, WORD_FRAMES, World

from voice.effects import Cue, Say


def test_a_call_of_which_only_the_end_is_taken_for_speech_is_heard() -> None:
    world = World()
    world.hears(2000)
    world.detector.deaf = 3 * WORD_FRAMES - 1
    assert world.hears("hey back talk", 600) == [Cue("awake")]


def test_a_call_none_of_which_is_taken_for_speech_is_heard_with_what_follows() -> None:
    world = World()
    world.hears(2000)
    world.detector.deaf = 3 * WORD_FRAMES
    effects = world.hears("hey back talk what is it", 1000)
    assert [e.reply for e in effects if isinstance(e, Say)] == [ANSWER]
