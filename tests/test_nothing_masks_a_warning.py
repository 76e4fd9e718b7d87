"""Every way that we know in which a warning could be masked before it reaches the mouth, and that it isn't. docs/safety.md refers
to these by name.

What is proved elsewhere isn't proved again: see the hazard log.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_room import FAINT, NUMB, OTHER_QUESTION, QUESTION, TALK, WAKE, Room, conversation, warned, without

from intents.conversation import Conversation
from intents.heard import Heard
from intents.pack import bundled, load_packs
from intents.reply import Reply
from intents.understand import Understander
from intents.warning import Contacts, warning
from voice.effects import State
from voice.loop import AWAKE, REPEAT_URGENT
from voice.settings import Settings


def say(talk: Conversation, text: str, *alternatives: str) -> Reply:
    return talk.reply(Heard(text, alternatives))


def is_warning(reply: Reply) -> bool:
    return reply.action == "warn" and reply.urgent_sentences > 0 and "9 9 9" in reply.sentences[0]


# --- when it is said


def test_in_one_breath_with_the_wake_phrase_within_the_first_second_after_start() -> None:
    assert warned(Room().hears(f"{WAKE} {NUMB}", 1000))


def test_over_the_words_that_it_says_at_the_start() -> None:
    room = Room()
    room.loop.say(Reply("command", sentences=("I'm listening. Say: hey back talk.",), ends=True))
    room.speaks("I'm listening. Say: hey back talk.")
    assert warned(room.hears(NUMB, 1500))


def test_in_the_follow_up_window_without_the_wake_phrase() -> None:
    room = Room()
    room.asked(QUESTION)
    assert warned(room.hears(3000, NUMB, 1500))


def test_always_listening_long_after_anything_was_said() -> None:
    room = Room(always=True)
    assert warned(room.hears(60_000, NUMB, 1500))


def test_after_mute_the_wake_phrase_is_enough() -> None:
    room = Room(always=True)
    room.hears("mute", 2000)
    room.has_spoken()
    assert room.loop.state is State.ASLEEP
    assert warned(room.hears(f"{WAKE} {NUMB}", 1500))


def test_while_it_says_that_it_is_mute_from_now_on() -> None:
    room = Room()
    room.hears(f"{WAKE} mute", 2000)
    room.speaks("I don't listen any more. To wake me, say: hey back talk.")
    assert warned(room.hears(2000, NUMB, 1500))


def test_in_the_middle_of_an_answer() -> None:
    room = Room()
    room.hears(f"{WAKE} {QUESTION}", 2000)
    assert not room.hushed
    assert warned(room.hears(3000, NUMB, 1500))
    assert room.hushed


def test_in_the_middle_of_an_answer_that_has_the_same_words() -> None:
    room = Room()
    room.hears(f"{WAKE} which signs need help right away", 2000)
    room.speaks("Sudden numbness, or legs that are numb or that you can't feel, need help.")
    assert room.hears(1000, "legs that are numb", 1500) == []  # its own words
    assert warned(room.hears(1000, "my legs are numb", 1500))


@pytest.mark.parametrize("last", ["stop", "wait", WAKE])
def test_before_a_word_that_breaks_in(last: str) -> None:
    room = Room()
    room.hears(f"{WAKE} {QUESTION}", 2000)
    assert warned(room.hears(3000, f"{NUMB} {last}", 1500))


@pytest.mark.parametrize("first", ["stop", "wait"])
def test_after_a_word_that_breaks_in(first: str) -> None:
    room = Room()
    room.hears(f"{WAKE} {QUESTION}", 2000)
    assert warned(room.hears(3000, f"{first} {NUMB}", 1500))


def test_before_the_wake_phrase_or_a_key_in_the_follow_up_window() -> None:
    for key in (False, True):
        room = Room()
        room.asked(QUESTION)
        room.hears(2000, NUMB if key else f"{NUMB} {WAKE}")
        if key:
            room.effects += room.loop.wake()
        assert warned(room.hears(1500))


def test_in_a_partial_result_only_while_it_speaks() -> None:
    room = Room(finals={NUMB: Heard("i can steal my eggs")})
    room.hears(f"{WAKE} {QUESTION}", 2000)
    assert warned(room.hears(3000, NUMB, 1500))
    silent = Room(finals={NUMB: Heard("")})
    silent.hears(f"{WAKE} {QUESTION}", 2000)
    assert warned(silent.hears(3000, NUMB, 1500))


def test_what_is_said_next_in_the_same_breath_does_not_take_it_back() -> None:
    room = Room()
    assert warned(room.hears(f"{WAKE} numb from the waist down", 400))
    assert room.hears("in the film on television", 2500) == []
    assert not room.hushed


def test_an_alternative_reading_of_what_sounds_like_an_order_to_the_device() -> None:
    room = Room(finals={"mute": Heard("mute", (NUMB,))})
    assert warned(room.asked("mute"))


@pytest.mark.parametrize("order", ["louder", "more", "goodbye", "no", "yes", OTHER_QUESTION])
def test_a_command_or_a_question_in_the_same_breath(order: str) -> None:
    talk = conversation()
    assert is_warning(say(talk, f"{order} {NUMB}"))
    assert is_warning(say(conversation(), order, NUMB))  # heard in an alternative only


# --- "did you say that ...?"


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("follow_up_s", [0.0, 8.0, 120.0])
def test_no_reply_to_a_question_back_is_a_yes(always: bool, follow_up_s: float) -> None:
    room = Room(always=always, settings=Settings(follow_up_s=follow_up_s))
    (asked,) = room.asked(FAINT)
    assert (asked.action, asked.choices) == ("clarify", ("urgent_limb",))
    assert warned(room.hears(AWAKE // 16 + 500))
    room.has_spoken()
    assert not warned(room.hears(AWAKE // 16 + 500))  # not once more for the same silence


UNCLEAR = ["what", "hm maybe", "no feeling at all", "no i can't", "no not any more", "no strength", "i don't know",
           "stop", "mute", "louder", TALK, QUESTION, "nope can't move it"]  # fmt: skip


@pytest.mark.parametrize("reply", UNCLEAR)
def test_an_unclear_reply_to_a_question_back_is_a_yes(reply: str) -> None:
    talk = conversation()
    assert say(talk, FAINT).action == "clarify"
    assert is_warning(say(talk, reply))


@pytest.mark.parametrize("reply", ["mute", "stop", TALK, "no feeling at all"])
def test_nor_does_the_loop_swallow_such_a_reply(reply: str) -> None:
    for speaking in (False, True):
        room = Room()
        room.hears(f"{WAKE} {FAINT}", 2000)
        if not speaking:
            room.has_spoken()
        replies = room.hears(2000, reply, 1500)
        if not replies:  # spoken over the question, and not taken for a reply: then it is no reply
            room.has_spoken()
            replies = room.hears(AWAKE // 16 + 500)
        assert warned(replies)


@pytest.mark.parametrize(
    "reply", ["no", "nope", "no no", "no thank you", "no i didn't", "i didn't say that", "no i never said that"]
)
def test_a_clear_no_to_a_question_back_is_a_no(reply: str) -> None:
    talk = conversation()
    say(talk, FAINT)
    assert say(talk, reply).action != "warn"
    assert talk.idle().sentences == ()


def test_a_no_and_what_was_said_instead_is_a_no() -> None:
    talk = conversation()
    say(talk, FAINT)
    reply = say(talk, f"no i said {QUESTION}")
    assert (reply.action, reply.intent) == ("answer", "definition")


def test_a_faint_sign_is_asked_back_about_in_the_follow_up_window_though_always_listening() -> None:
    room = Room(always=True)
    room.hears(QUESTION, 1500)
    room.has_spoken()
    assert [reply.action for reply in room.hears(2000, FAINT, 2000)] == ["clarify"]


@pytest.mark.parametrize("rest", ["and so on", TALK, "since this morning and it is a nuisance"])
def test_who_goes_on_talking_does_not_silence_it(rest: str) -> None:
    room = Room()
    (first,) = room.hears(f"{WAKE} {NUMB}", 700)
    room.speaks(first.sentences[0])
    assert room.hears(rest, 3000) == []
    assert warned([first])
    assert not room.hushed


@pytest.mark.parametrize(
    ("rest", "adds"), [("and i have wet myself", "urgent"), (f"and {OTHER_QUESTION}", "treatment")]
)
def test_who_goes_on_with_another_sign_or_a_question_is_told_of_that_too(rest: str, adds: str) -> None:
    room = Room()
    (first,) = room.hears(f"{WAKE} {NUMB}", 700)
    room.speaks(first.sentences[0])
    replies = room.hears(rest, 3000)
    assert warned(replies)
    assert replies[-1].intent == adds or len(replies[-1].urgent) > len(first.urgent)


@pytest.mark.parametrize("sign", [NUMB, f"number two {NUMB}", f"the second one and {NUMB}"])
def test_said_as_the_reply_to_do_you_want_to_know(sign: str) -> None:
    talk = conversation()
    talk._memory.offered = ("definition", "treatment")
    assert is_warning(say(talk, sign))
    talk = conversation()
    talk._memory.offered = ("definition", "treatment")
    assert say(talk, "number two mumble").choices == ("urgent_limb",)  # a faint one is not taken for a choice


def test_said_as_the_reply_to_which_condition() -> None:
    for sign, expected in ((f"number two {NUMB}", "warn"), ("number two mumble", "clarify")):
        talk = conversation(load_packs(bundled()))
        assert set(say(talk, OTHER_QUESTION).choices) == {pack.id for pack in load_packs(bundled())}
        reply = say(talk, sign)
        assert reply.action == expected
        assert "urgent_limb" in (*reply.urgent, *reply.choices)


def test_said_as_a_correction() -> None:
    assert is_warning(say(conversation(), f"no i said {NUMB}"))


# --- what is said about it


def test_with_the_packs_answers_missing() -> None:
    (pack,) = load_packs(bundled()[:1])
    for gone in (without(pack), without(pack, "definition")):
        reply = say(conversation([gone]), f"{QUESTION} and {NUMB}")
        assert is_warning(reply)
        assert reply.intent is None
    assert say(conversation([pack]), f"{QUESTION} and {NUMB}").intent == "definition"


@pytest.mark.parametrize("sign", ["i have crushing chest pain", "i want to kill myself", "she can't breathe"])
def test_another_emergency_gets_no_answer_about_the_spine(sign: str) -> None:
    (pack,) = load_packs(bundled()[:1])
    reply = say(conversation(), f"{QUESTION} and {sign}")
    assert reply.action == "warn"
    assert reply.intent is None
    assert pack.answers["definition"].first not in reply.speech


def test_self_harm_keeps_its_kind_words_and_its_number_in_the_reminder() -> None:
    talk = conversation()
    reply = say(talk, "i want to kill myself")
    assert "116 123" in reply.sentences[0]
    assert any("alone" in sentence for sentence in reply.sentences)
    assert "116 123" in say(talk, QUESTION).sentences[0]


def test_an_emergency_that_no_rule_could_name_gets_the_crisis_line_too() -> None:
    unnamed = warning(("urgent_other",), (), "", Contacts("999", "116 123"))
    assert "9 9 9" in unnamed[0]
    assert any("116 123" in sentence for sentence in unnamed)
    named = warning(("urgent_other",), ("you have chest pain",), "", Contacts("999", "116 123"))
    assert not any("116 123" in sentence for sentence in named)


def test_later_answers_and_more_of_them_come_after_a_reminder() -> None:
    talk = conversation()
    say(talk, NUMB)
    for text in (QUESTION, "more", OTHER_QUESTION):
        assert "9 9 9" in say(talk, text).sentences[0]


@pytest.mark.parametrize(
    "text",
    ["i haven't called them", "i have not called them", "should i have called them", "the ambulance is not coming",
     "it's not been dealt with", "i haven't seen the doctor about it", "i've called them but nobody answers"],
)  # fmt: skip
def test_what_has_not_been_dealt_with_stays(text: str) -> None:
    talk = conversation()
    say(talk, NUMB)
    say(talk, text)
    assert "9 9 9" in say(talk, QUESTION).sentences[0]


def test_what_has_been_dealt_with_is_over() -> None:
    talk = conversation()
    say(talk, NUMB)
    say(talk, "i have called them")
    assert "9 9 9" not in say(talk, QUESTION).speech


def test_nobody_is_left_alone_with_it_because_of_talk_in_the_room() -> None:
    room = Room(always=True)
    room.hears(NUMB, 1500)
    room.has_spoken()
    again = room.hears(3000, TALK, REPEAT_URGENT // 16)
    assert warned(again)
    room.has_spoken()
    assert not any(reply.action == "warn" for reply in room.hears(2 * REPEAT_URGENT // 16))  # once


# --- whatever came before


EARLIER = [QUESTION, OTHER_QUESTION, FAINT, NUMB, TALK, "no", "yes", "stop", "louder", "more", "goodbye", "mute", "wait longer",
           "i have called them", "the second one", "i want to kill myself", ""]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(EARLIER), max_size=6))
def test_whatever_was_said_before(earlier: list[str]) -> None:
    talk = conversation()
    for text in earlier:
        say(talk, text)
    assert is_warning(say(talk, NUMB))


HAPPENS = [*EARLIER[:-1], WAKE, f"{WAKE} {QUESTION}", f"{WAKE} {FAINT}", "<done>", "<key>", 300, 3_000, 25_000]


@settings(max_examples=20, deadline=None)
@given(st.booleans(), st.lists(st.sampled_from(HAPPENS), max_size=7), st.booleans())
def test_whatever_happened_before_if_only_it_is_awake(always: bool, earlier: list[str | int], done: bool) -> None:
    room = Room(always=always)
    for event in earlier:
        if event == "<done>":
            room.has_spoken()
        elif event == "<key>":
            room.effects += room.loop.wake()
        else:
            room.hears(event)
    if done:
        room.has_spoken()
    room.hears(1500)
    asleep = room.loop.state is State.ASLEEP
    replies = room.hears(f"{WAKE} {NUMB}" if asleep else NUMB, 2500)
    assert any(warned([reply]) for reply in replies), (earlier, replies)


# --- several packs, and what was learned


@pytest.fixture(scope="module")
def both() -> Understander:
    return Understander.load(bundled())


@pytest.mark.parametrize(
    ("text", "sign"),
    [(NUMB, "urgent_limb"), ("i have wet myself twice today", "urgent_bowel_bladder"), ("she can't breathe", "urgent_other")],
)  # fmt: skip
def test_with_two_packs_loaded(both: Understander, text: str, sign: str) -> None:
    assert len(both.packs) > 1
    for said in (text, f"stop {text}", f"how is it treated and {text}"):
        reply = Conversation(both).reply(Heard.from_text(said))
        assert sign in reply.urgent
    assert sign in Conversation(both).reply(Heard("can you tell me the time", (text,))).urgent


def test_the_second_pack_alone_warns_too(both: Understander) -> None:
    for pack in both.packs:
        talk = Conversation(Understander.load([pack.folder]))
        assert talk.reply(Heard.from_text(NUMB)).action == "warn"
