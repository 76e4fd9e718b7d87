"""Pauses inside a question: the loop waits, and what goes on after the answer began is one question with what came before."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_world import ANSWER, SHORT, SILENCE, World, greeted, kinds

from voice.effects import Hush, Keep, Say, State, Told
from voice.frame import FRAME_SAMPLES
from voice.settings import Settings


def test_a_whole_question_is_answered_after_a_short_pause() -> None:
    world = World()
    world.hears("hey back talk what is it")
    assert world.hears(150) == []
    assert kinds(world.hears(100)) == [Told, Say]


@pytest.mark.parametrize("pause", [100, 300, 500, 700, 900])
def test_no_pause_of_up_to_nine_tenths_cuts_off_what_is_not_yet_a_question(pause: int) -> None:
    world = World()
    world.hears("hey back talk what is", pause, "it", 1000)
    assert world.mind.log == ["what is it"]
    assert [reply.intent for reply in world.says()] == ["definition"]


@pytest.mark.parametrize("pause", [400, 600, 800])
def test_a_question_that_goes_on_after_the_answer_began_is_taken_as_one(pause: int) -> None:
    world = World()
    world.hears("hey back talk what is it", pause)
    assert world.loop.state is State.SPEAKING
    world.loop.saying("It is worn joints.")
    effects = world.hears("and will it last", 1500)
    assert kinds(effects)[0] is Hush
    assert world.mind.log == ["what is it and will it last"]  # the hasty answer is taken back
    assert world.says()[-1] is SHORT


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("what is it", "worth"),  # an answer
        ("which one", "is it"),  # a question back
        ("pass me", "the salt"),  # out of scope
        ("slower", "trains"),  # a command
        ("mute", "swans"),  # an order to the device
    ],
)
def test_whatever_the_first_half_was_taken_for_both_are_one_question(first: str, rest: str) -> None:
    world = greeted()
    world.hears("hey back talk", first, 1050)
    assert world.loop.state is State.SPEAKING
    effects = world.hears(rest, 1500)
    assert kinds(effects)[0] is Hush
    assert [one.utterance.heard.text for one in effects if isinstance(one, Told)] == [f"{first} {rest}"]
    assert world.mind.log == [f"{first} {rest}"]
    assert world.loop.state is State.SPEAKING  # it was called, and answers
    if first == "slower":
        assert Keep(Settings()) in effects  # nor is it any slower


@pytest.mark.parametrize("pause", [500, 1050])
def test_both_parts_are_heard_anew_as_one_for_half_a_sentence_misleads(pause: int) -> None:
    world = greeted()
    world.ear.as_one = {"what is it woods": "what is it worth"}
    world.hears("hey back talk what is it", pause, "woods", 1500)
    assert world.mind.log == ["what is it worth"]


def test_a_sound_like_stop_in_a_question_that_goes_on_is_no_stop() -> None:
    world = greeted()
    world.hears("hey back talk what is it", 500)
    world.loop.saying("It is worn joints.")
    world.hears("and")
    found, world.spotter.accept = world.spotter.accept, lambda _frame, _expected: ("stop", 0)  # type: ignore[method-assign]
    assert world.loop.feed(SILENCE) == []
    world.spotter.accept = found  # type: ignore[method-assign]
    world.hears("will it last", 1500)
    assert world.mind.log == ["what is it and will it last"]


def test_a_reply_stops_as_soon_as_somebody_speaks_and_is_said_again_when_it_was_a_cough() -> None:
    world = greeted()
    world.hears("hey back talk what is it", 500)
    cough = np.full(FRAME_SAMPLES, 1, np.int16)
    cough[1] = 99
    effects = [effect for _ in range(6) for effect in world.loop.feed(cough)]
    assert kinds(effects) == [Hush]
    assert world.hears(1500) == [Say(ANSWER)]
    assert world.mind.log == ["what is it"]


def test_where_its_own_voice_returns_its_half_heard_first_words_do_not_stop_it() -> None:
    world = World()
    world.hears("hey back talk what is it", 400)
    world.loop.saying("It is worn joints.")
    assert world.hears("his war", 1500) == []
    assert world.loop.state is State.SPEAKING


def test_stop_right_after_the_reply_began_is_no_part_of_the_question() -> None:
    world = greeted()
    world.hears("hey back talk what is it", 500)
    world.loop.saying("It is worn joints.")
    assert kinds(world.hears("stop", 1500)) == [Hush]
    assert world.loop.state is State.LISTENING
    assert world.mind.log == ["what is it", "stop"]


def test_talk_without_end_is_not_heard_anew_each_time_it_goes_on() -> None:
    world = greeted()
    world.hears("hey back talk", " ".join(["talk"] * 70), 1050, " ".join(["talk"] * 60), 1050)
    assert [len(heard.split()) for heard in world.mind.log] == [130], "half a minute is one question"
    world.hears("talk", 1500)
    assert len(world.mind.log[0].split()) == 130, "which what follows doesn't change any more"
