"""The conversation's state machine, on scripted sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scripted_world import ANSWER, SILENCE, WARNING, World, greeted, kinds

from intents.heard import Heard
from intents.reply import Reply
from voice.effects import Cue, Hush, Keep, OtherVoice, Say, State, Told
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.loop import AWAKE, REPEAT_URGENT
from voice.settings import Settings


def test_asleep_it_hears_nothing_but_its_name() -> None:
    world = World()
    assert world.hears("what is it", 2000, "my legs are numb", 2000) == []
    assert world.loop.state is State.ASLEEP


def test_wake_phrase_and_question_in_one_breath() -> None:
    world = World()
    effects = world.hears("hey back talk what is it", 1000)
    assert [e.reply for e in effects if isinstance(e, Say)] == [ANSWER]
    assert world.mind.log == ["what is it"]
    assert Cue("awake") not in effects  # nobody is talked over


def test_what_it_is_about_to_say_is_known_while_it_waits_whether_more_comes() -> None:
    world = World()
    assert world.hears("hey back talk what is it", 130) == []
    assert world.loop.likely == ANSWER
    world.hears("um", 130)
    assert world.loop.likely is None


def test_the_wake_phrase_alone_is_answered_by_a_cue_and_then_the_question_is_heard() -> None:
    world = World()
    assert world.hears("hey back talk", 600) == [Cue("awake")]
    assert kinds(world.hears("what is it", 1000)) == [Told, Say]


def test_after_the_answer_a_follow_up_needs_no_wake_phrase() -> None:
    world = World()
    world.asked("what is it")
    world.hears(3000, "will it last", 1000)
    assert world.mind.log == ["what is it", "will it last"]


def test_after_the_window_it_goes_idle_with_a_cue_and_says_how_to_come_back() -> None:
    world = World()
    world.asked("what is it")
    effects = world.hears(9000)
    assert effects[0] == Cue("idle")
    assert "hey back talk" in world.says()[-1].speech
    assert world.loop.state is State.ASLEEP
    world.loop.saying("Say hey back talk when you need me.")
    assert world.hears("hey back talk") == []  # its own words don't wake it


def test_two_turns_that_are_not_for_it_end_the_conversation() -> None:
    """What is turned away again and again without the wake phrase is a television, and would keep it awake for ever."""
    world = World()
    world.asked("what is it")
    world.hears("slower trains", 2000)
    world.spoken()
    assert world.loop.state is State.LISTENING
    world.hears("slower trains again", 2000)
    assert "hey back talk" in world.says()[-1].speech
    world.spoken()
    assert world.loop.state is State.ASLEEP
    assert world.hears("my legs are numb", 2000) == []
    assert kinds(world.hears("hey back talk slower trains", 2000)) == [Told, Say]  # who calls it is heard out each time
    world.spoken()
    assert world.loop.state is State.LISTENING


def test_a_question_in_between_begins_the_count_anew() -> None:
    world = World()
    for words in ("what is it", "slower trains", "will it last", "slower trains"):
        world.asked(words) if words == "what is it" else world.hears(words, 2000)
        world.spoken()
    assert world.loop.state is State.LISTENING


def test_always_listening_it_never_goes_to_sleep_over_what_is_not_for_it() -> None:
    world = World(always=True)
    for _ in range(4):
        world.hears("slower trains", 2000)
        world.spoken()
    assert world.loop.state is State.LISTENING


def test_a_window_of_nothing_means_the_wake_phrase_each_time() -> None:
    world = World(settings=Settings(follow_up_s=0))
    world.asked("what is it")
    world.hears(100)
    assert world.loop.state is State.ASLEEP


def test_after_a_question_back_it_waits_longer() -> None:
    world = World(settings=Settings(follow_up_s=1))
    world.asked("which one")
    world.hears(AWAKE // 16 - 1000)
    assert world.loop.state is State.LISTENING


@pytest.mark.parametrize("word", ["stop", "wait"])
def test_stop_and_wait_break_in_at_once_and_it_is_ready_again(word: str) -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    world.loop.saying("It is worn joints.")
    assert kinds(world.hears(word)) == [Hush]
    world.spoken()
    assert kinds(world.hears(500, "will it last", 1000)) == [Told, Say]


def test_the_wake_phrase_breaks_in() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    assert kinds(world.hears("hey back talk will it last", 1000)) == [Hush, Told, Say]
    assert world.mind.log[-1] == "will it last"


def test_a_danger_sign_breaks_in_and_the_warning_follows() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    world.loop.saying("It is worn joints.")
    effects = world.hears(3000, "my legs are numb", 500)
    assert kinds(effects) == [Hush, Told, Say]
    assert world.says()[-1] is WARNING


def test_other_talk_while_it_speaks_is_left_alone() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    assert world.hears(2000, "pass me the salt please", 2000) == []
    assert world.loop.state is State.SPEAKING


def test_a_yes_over_an_answer_that_asked_nothing_does_not_break_in() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    assert world.hears(3000, "okay", 2000) == []
    assert world.loop.state is State.SPEAKING


def test_one_word_that_may_be_left_of_its_own_voice_ends_nothing() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    assert world.hears(3000, "goodbye", 2000) == []
    assert world.loop.state is State.SPEAKING


def test_a_yes_over_a_question_back_is_an_answer() -> None:
    world = World()
    world.hears("hey back talk which one", 1500)
    assert Hush() in world.hears(3000, "okay", 2000)


def test_its_own_words_are_no_speech() -> None:
    world = World()
    world.hears("hey back talk what is it", 500)
    for sentence in ANSWER.sentences:
        world.loop.saying(sentence)
        assert world.hears(sentence.lower().strip(".")) == []
    world.spoken()
    assert world.hears(2000) == []
    assert world.mind.log == ["what is it"]


def test_a_last_word_that_the_recognizer_tells_late_is_still_waited_for() -> None:
    world = World()
    world.ear.late = "and"
    assert world.hears("hey back talk what is it and", 700) == []
    world.ear.late = ""
    assert kinds(world.hears("will it last", 1500)) == [Told, Say]
    assert world.mind.log == ["what is it and will it last"]


def test_a_long_answer_that_comes_back_as_one_utterance_is_its_own() -> None:
    """Sentences that ended long before the utterance did are still its own words."""
    world = World()
    world.hears("hey back talk what is it", 500)
    for sentence in ANSWER.sentences:
        world.loop.saying(sentence)
        world.hears(sentence.lower().strip("."))
    for _ in range(4):
        world.loop.saying("And so it goes on and on for years.")
        assert world.hears("and so it goes on and on for years") == []
    world.spoken()
    assert world.hears(3000) == []
    assert world.mind.log == ["what is it"]


@pytest.mark.parametrize("echo", [True, False])
def test_where_its_own_voice_returns_half_a_word_is_no_stop(echo: bool) -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    world.loop.saying("It is worn joints.")
    world.hears(*(["it is worn joints"] if echo else [2500]), 1500)
    world.spoken()
    world.hears("will it last", 1500)
    world.loop.saying("It lasts.")
    world.hears("it lasts" if echo else "mum")
    found, world.spotter.accept = world.spotter.accept, lambda _frame, _expected: ("wait", 0)  # type: ignore[method-assign]
    assert kinds(world.loop.feed(SILENCE)) == ([] if echo else [Hush])
    world.spotter.accept = found  # type: ignore[method-assign]
    if echo:
        assert kinds(world.hears("stop")) == [Hush]


def test_a_question_in_the_words_of_an_earlier_answer_is_heard_after_a_sleep() -> None:
    """While it slept, the utterances' clock stood still, and the question seemed to be said during that answer."""
    world = World()
    world.asked("what is it")
    world.loop.saying("What is it? It is worn joints.")
    world.hears(2500)
    world.spoken()
    world.hears(60_000)
    assert world.loop.state is State.ASLEEP
    assert kinds(world.hears("hey back talk what is it", 1000)) == [Told, Say]


def test_the_wake_phrase_right_after_it_said_how_to_come_back_is_a_person_s() -> None:
    world = World()
    world.asked("what is it")
    world.hears(9000)
    world.loop.saying("I go quiet now. To go on, say: hey back talk.")
    assert world.hears("hey back talk", 200) == []
    world.spoken()
    assert world.hears(200, "hey back talk", 400) == [Cue("awake")]


def test_what_its_mouth_said_is_its_own_however_late_it_is_heard() -> None:
    world = World()
    world.loop.saying("To go on, say: hey back talk.")
    world.effects += world.loop.silent(behind=2 * SAMPLE_RATE)  # two seconds of sound wait to be heard
    assert world.hears(1000, "hey back talk", 500) == []


def test_an_order_counts_in_another_reading_unless_a_question_was_understood() -> None:
    world = World()
    finish, world.ear.finish = world.ear.finish, lambda: Heard(finish().text, ("mute",))  # type: ignore[method-assign]
    world.hears("hey back talk", 600, "newt", 1500)
    assert "don't listen" in world.says()[-1].speech
    world.spoken()
    world.hears("hey back talk what is it", 1500)
    assert world.says()[-1] is ANSWER


@pytest.mark.parametrize(("spoken", "warns"), [("Are your legs numb?", False), ("Call for help now.", True)])
def test_no_warning_calls_forth_the_next_but_another_sign_does(spoken: str, warns: bool) -> None:
    """ "Your legs are numb" comes back as "my legs are numb"; whoever says it again has been warned already."""
    world = World()
    world.hears("hey back talk my legs are numb", 1500)
    world.loop.saying(spoken)
    effects = world.hears(2500, "my legs are numb", 1500)
    assert kinds(effects) == ([Hush, Told, Say] if warns else [])


def test_a_sign_said_after_the_warning_is_heard_whatever_its_words() -> None:
    world = World()
    world.hears("hey back talk my legs are numb", 1500)
    world.loop.saying("Are your legs numb?")
    world.spoken()
    assert kinds(world.hears(500, "my legs are numb", 1500)) == [Told, Say]


def test_stop_inside_its_own_words_does_not_stop_it() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    world.loop.saying("Stop and rest for a while.")
    assert world.hears("stop and rest") == []


def test_a_warning_that_nobody_answers_is_said_once_more() -> None:
    world = World()
    world.asked("my legs are numb")
    effects = world.hears(REPEAT_URGENT // 16 + 500)
    assert [e.reply.sentences for e in effects if isinstance(e, Say)] == [WARNING.sentences[:1]]
    world.spoken()
    later = world.hears(2 * REPEAT_URGENT // 16)
    assert not any(isinstance(e, Say) and e.reply.action == "warn" for e in later)


def test_a_warning_that_was_answered_is_not_repeated() -> None:
    world = World()
    world.asked("my legs are numb")
    world.hears(2000, "will it last", 1500)
    world.spoken()
    later = world.hears(2 * REPEAT_URGENT // 16)
    assert not any(isinstance(e, Say) and e.reply.action == "warn" for e in later)


def test_slower_is_kept() -> None:
    world = World()
    effects = world.asked("slower")
    assert Keep(Settings().slower()) in effects
    assert kinds(effects).index(Keep) < kinds(effects).index(Say)  # the confirmation is slower already


def test_give_me_more_time_makes_it_patient() -> None:
    world = World()
    effects = world.asked("please give me more time")
    assert Keep(replace(Settings(), patience="patient")) in effects


def test_the_other_voice() -> None:
    assert OtherVoice() in World().asked("use the other voice")


def test_mute_needs_the_wake_phrase_even_when_it_listens_always() -> None:
    world = World(always=True)
    world.hears("mute", 2000)
    world.spoken()
    assert world.effects[-1] == Cue("muted")
    assert world.hears("what is it", 2000) == []
    assert Say(ANSWER) in world.hears("hey back talk what is it", 2000)


def test_who_sleeps_gives_back_what_hearing_took() -> None:
    world = World()
    world.hears("hey back talk what is it", 1500)
    assert world.ear.rested == 0
    world.asked("goodbye")
    assert world.loop.state is State.ASLEEP
    assert world.ear.rested == 1


def test_goodbye_puts_it_to_sleep() -> None:
    world = World()
    world.asked("goodbye")
    assert world.loop.state is State.ASLEEP


def test_without_a_wake_phrase_only_what_is_meant_for_it_is_answered() -> None:
    world = World(always=True)
    assert world.hears("pass me the salt please", 2000) == []
    assert world.mind.log == []
    assert Say(ANSWER) in world.hears("what is it", 1000)
    world.spoken()
    assert Say(WARNING) in world.hears(20000, "my legs are numb", 1000)


def test_noise_without_words_is_no_question() -> None:
    world = World()
    world.hears("hey back talk", 600)
    noise = np.full(FRAME_SAMPLES, 1, np.int16)
    noise[1] = 99
    for _ in range(30):
        world.effects += world.loop.feed(noise)
    world.hears(2000)
    assert world.says() == []


def test_an_endless_talker_is_told_so() -> None:
    world = World()
    world.hears("hey back talk", "pass me the salt " * 60)
    assert "very long" in world.says()[-1].speech


def test_a_long_thinker_is_not_cut_off() -> None:
    world = World(settings=Settings(patience="patient"))
    world.hears("hey back talk", 5000, "what is um", 2500, "it", 2000)
    assert [reply.intent for reply in world.says()] == ["definition"]


def test_after_an_announcement_it_sleeps_without_a_cue() -> None:
    world = World()
    opening = Reply("command", sentences=("I'm listening.",), ends=True)
    assert world.loop.say(opening) == [Say(opening)]
    world.spoken()
    assert world.hears(20_000) == []
    assert world.loop.state is State.ASLEEP
    assert Say(ANSWER) in world.hears("hey back talk what is it", 1000)


def test_a_key_wakes_and_interrupts() -> None:
    world = World()
    assert world.loop.wake() == [Cue("awake")]
    assert kinds(world.hears("what is it", 1000)) == [Told, Say]
    assert world.loop.wake() == [Hush(), Cue("awake")]


def test_who_called_and_was_taken_to_say_stop_is_still_answered() -> None:
    """The beginning of a question was heard as a command that has no reply, and the rest as talk among others."""
    world = greeted()
    world.hears("hey back talk", 400, "stop", 2500)
    world.hears("the trains are late", 1500)
    assert [reply.action for reply in world.says()[1:]] == ["reject"]
