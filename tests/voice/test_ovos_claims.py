"""Which utterances of a shared assistant Backtalk takes: with the real understanding, without Open Voice OS."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.conversation import ConversationSettings
from intents.heard import Heard
from intents.reply import Reply
from voice.errors import BacktalkError
from voice.mind import Mind
from voice.ovos.claims import NOTHING, Door, Open, called, claims, confidence, doubts, heard_from
from voice.ovos.sessions import LASTS_S, SESSIONS, Sessions, mind, names_a_condition, understander

OTHERS = [
    "what time is it",
    "what's the weather tomorrow",
    "play numb by linkin park",
    "set a timer for ten minutes",
    "remind me to call the doctor",
    "turn off the kitchen light",
    "who wrote hamlet",
    "can it be cured",
    "what does mild mean",
    "what is the capital of france",
    "tell me a joke",
    "what is the meaning of life",
    "turn it up",
    "help",
    "stop",
    "yes",
]
"""What belongs to others as long as Backtalk isn't spoken to, although it has an answer to some of it."""


def new() -> Mind:
    return mind(understander(), ConversationSettings())


def taken(text: str, door: Door, wanted: Open = NOTHING) -> bool:
    heard = Heard(text)
    return claims(new().reply(heard), door, named=names_a_condition(understander(), heard), wanted=wanted)


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("door", [Door.FIRST, Door.COMMON_QUERY, Door.FALLBACK])
def test_what_is_for_others_is_left_to_them(text: str, door: Door) -> None:
    assert not taken(text, door)


@pytest.mark.parametrize(
    "text", ["what time is it", "play some music", "turn it up", "who wrote hamlet", "yes", "stop"]
)
def test_a_conversation_that_goes_on_leaves_others_alone_too(text: str) -> None:
    assert not taken(text, Door.CONVERSE)


@pytest.mark.parametrize("door", Door)
@pytest.mark.parametrize("text", ["my legs went numb an hour ago", "I can't pee since last night", "I have chest pain"])
def test_a_danger_sign_is_taken_at_every_door(text: str, door: Door) -> None:
    assert taken(text, door)


@pytest.mark.parametrize("text", ["my foot fell asleep", "I've had tingling in my feet for months"])
def test_a_doubt_and_a_slow_sign_wait_until_no_skill_is_sure(text: str) -> None:
    assert [taken(text, door) for door in (Door.FIRST, Door.COMMON_QUERY, Door.FALLBACK)] == [False, True, True]


def test_a_danger_sign_in_another_reading_is_enough() -> None:
    assert claims(
        new().reply(heard_from(["my lakes went now", "my legs went numb an hour ago"])), Door.FIRST, named=False
    )


@pytest.mark.parametrize("text", ["what is facet hypertrophy", "tell me how facet arthritis is treated"])
def test_a_question_that_names_the_condition_is_taken(text: str) -> None:
    assert [taken(text, door) for door in (Door.FIRST, Door.COMMON_QUERY, Door.FALLBACK)] == [False, True, True]


def test_yes_and_no_are_answers_only_to_a_question() -> None:
    assert not taken("no", Door.CONVERSE)
    assert taken("no", Door.CONVERSE, Open(reply=True))


def test_everything_answers_a_doubt() -> None:
    assert taken("what time is it", Door.CONVERSE, Open(reply=True, doubt=True))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("ask backtalk what facet hypertrophy is", "what facet hypertrophy is"),
        ("Hey Backtalk, can it be cured?", "can it be cured?"),
        ("tell back talk that my leg is numb", "my leg is numb"),
        ("please ask back-talk about the weather", "the weather"),
        ("hey backtalk", "help"),
    ],
)
def test_called_by_name(text: str, rest: str) -> None:
    heard = called(Heard(text))
    assert heard is not None
    assert heard.text == rest


@pytest.mark.parametrize("text", ["back talk is rude", "don't talk back", "ask grandma about backtalk", "hey there"])
def test_not_called_by_name(text: str) -> None:
    assert called(Heard(text)) is None


@given(st.lists(st.one_of(st.text(max_size=40), st.none(), st.integers(), st.lists(st.text()))))
@settings(max_examples=15, deadline=None)
def test_any_list_of_readings_is_heard(utterances: list[object]) -> None:
    heard = heard_from(utterances)
    assert all(isinstance(text, str) and text.strip() for text in (heard.text, *heard.alternatives) if text)
    assert not new().reply(heard).overheard or not claims(new().reply(heard), Door.FIRST, named=True)


def test_confidence_is_the_calibrated_one_of_an_answer_and_certainty_of_a_warning() -> None:
    assert confidence(Reply("answer", "causes", confidence=0.61), addressed=False) == 0.61
    assert confidence(Reply("reject", confidence=0.2), addressed=True) == 1.0
    assert confidence(Reply("warn", urgent=("urgent_limb",), confidence=0.3), addressed=False) == 1.0


def test_sessions_are_apart_and_bounded() -> None:
    kept = Sessions(new, clock=lambda: 0.0)
    kitchen = kept.of("kitchen")
    kitchen.reply(Heard("my foot fell asleep"))
    assert kitchen.wanted == Open(reply=True, doubt=True)
    assert kept.of("bedroom").wanted == Open()
    assert kept.of("kitchen") is kitchen
    for number in range(SESSIONS):
        kept.of(f"room {number}")
    assert len(kept) == SESSIONS
    assert kept.of("kitchen") is not kitchen


def test_a_session_that_was_silent_long_begins_anew() -> None:
    now = 0.0
    kept = Sessions(new, clock=lambda: now)
    first = kept.of("kitchen")
    now = LASTS_S
    assert kept.of("kitchen") is first
    now += LASTS_S + 1
    assert kept.of("kitchen") is not first


def test_no_answer_to_a_doubt_is_a_warning() -> None:
    listener = Sessions(new).of("kitchen")
    assert doubts(listener.reply(Heard("my foot fell asleep")))
    assert listener.idle().action == "warn"
    assert not listener.wanted.doubt


def test_packs_are_loaded_once() -> None:
    assert understander() is understander()


def test_a_pack_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BacktalkError, match="please run backtalk pack check"):
        understander((tmp_path / "nothing",))
