"""What a person says → what Backtalk does. The sentences are the tests' own: no pack has them."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.conversation import Conversation
from intents.heard import Heard
from intents.pack import bundled, load_pack
from intents.reply import Reply
from intents.text import normalise
from intents.understand import Understander
from intents.warning import Contacts, fixed_sentences


def say(talk: Conversation, text: str) -> Reply:
    return talk.reply(Heard.from_text(text))


QUESTIONS = [
    ("what does facet hypertrophy mean", "definition"),
    ("tell me what the facet joints are there for", "facet_joints"),
    ("which part of the spine are these joints in", "location"),
    ("how would it feel if I had this", "symptoms"),
    ("could the ache go down into my thigh", "referred_pain"),
    ("why is it at its worst when I get out of bed", "pain_pattern"),
    ("what brings this on in the first place", "causes"),
    ("might it lead to something more serious", "complications"),
    ("explain spondylolisthesis to me", "slipped_vertebra"),
    ("how does a doctor work out that this is what I have", "diagnosis"),
    ("will they send me for an MRI or an x-ray", "imaging"),
    ("what is meant by a moderate grade", "grading"),
    ("which treatments are there for it", "treatment"),
    ("can this ever be reversed", "reversibility"),
    ("what could I do at home to ease the pain", "home_care"),
    ("when ought I to book an appointment with my doctor about this", "when_to_see_provider"),
    ("which warning signs mean I need help immediately", "emergency_signs"),
    ("is this going to get worse as the years go by", "outlook"),
    ("how can one prevent it", "prevention"),
    ("how do people manage everyday life with this condition", "living_with"),
    ("where does this information come from", "source"),
]


@pytest.mark.parametrize(("text", "intent"), QUESTIONS)
def test_questions_are_answered(talk: Conversation, text: str, intent: str) -> None:
    reply = say(talk, text)
    assert (reply.action, reply.intent) == ("answer", intent)
    answer = load_pack(bundled()[0]).answers[intent].first
    assert reply.speech.startswith(answer)
    assert reply.urgent == ()


URGENT = [
    ("I can't feel my legs", "urgent_limb"),
    ("my right arm has suddenly gone numb", "urgent_limb"),
    ("both of my legs are weak since this morning", "urgent_limb"),
    ("is it normal that I can't move my foot since breakfast", "urgent_limb"),
    ("I can't pee", "urgent_bowel_bladder"),
    ("I have wet myself twice today", "urgent_bowel_bladder"),
    ("my husband has lost control of his bowels", "urgent_bowel_bladder"),
    ("I have a crushing pain in my chest", "urgent_other"),
    ("she can't breathe", "urgent_other"),
    ("I took all of my sleeping tablets", "urgent_other"),
]


@pytest.mark.parametrize(("text", "sign"), URGENT)
@pytest.mark.parametrize("before", ["", "what is facet hypertrophy and ", "um well you see "])
def test_danger_signs_are_warned_of_first(talk: Conversation, text: str, sign: str, before: str) -> None:
    reply = say(talk, before + text)
    assert reply.action == "warn"
    assert sign in reply.urgent
    assert reply.urgent_sentences >= 2
    assert "9 9 9" in reply.sentences[0]
    assert all(len(sentence.split()) <= 20 for sentence in reply.sentences[: reply.urgent_sentences])


def test_the_question_in_the_same_breath_is_answered_after_the_warning(talk: Conversation) -> None:
    reply = say(talk, "what is facet hypertrophy and I can't feel my legs")
    answer = load_pack(bundled()[0]).answers["definition"].first
    assert answer in reply.speech
    assert reply.speech.index("9 9 9") < reply.speech.index(answer)


def test_another_emergency_never_gets_an_answer_about_the_spine(talk: Conversation) -> None:
    reply = say(talk, "how is it treated and I have a crushing pain in my chest")
    assert reply.intent is None
    assert load_pack(bundled()[0]).answers["treatment"].first not in reply.speech


def test_thoughts_of_self_harm_get_kind_words_and_the_crisis_line(talk: Conversation) -> None:
    reply = say(talk, "I want to kill myself")
    assert reply.action == "warn"
    assert "116 123" in reply.sentences[0]


@pytest.mark.parametrize("which", ["alternative", "best"])
def test_any_reading_is_enough_for_a_warning(talk: Conversation, which: str) -> None:
    sign, other = "i can't feel my legs", "i can steal my eggs"
    heard = Heard(other, (sign,)) if which == "alternative" else Heard(sign, (other,))
    assert "urgent_limb" in talk.reply(heard).urgent


HARMLESS = [
    "my bladder is fine thank you",
    "can it make a person incontinent",
    "what should I do if my legs ever went numb",
    "I got cold feet before the wedding",
    "that film left me numb",
    "I had a numb foot years ago and it went away",
    "play some music",
    "two coffees and a muffin please",
]


@pytest.mark.parametrize(
    "text",
    ["it's not that my bladder is weak i just can't pass a drop since last night",
     "no numbness in my arms but my legs won't hold me since this morning",
     "my legs are not weak they just don't answer me any more since this morning",
     "there's no weakness as such the leg simply isn't there when i step on it today",
     "i'm not incontinent it's only that the wet comes by itself since yesterday"],
)  # fmt: skip
def test_a_denial_takes_nothing_back_that_is_said_beside_it(talk: Conversation, text: str) -> None:
    assert say(talk, text).action == "warn"


@pytest.mark.parametrize(
    "text",
    ["my arms aren't numb and my legs aren't weak", "i have no numbness no weakness and my bladder is fine",
     "my legs aren't weak at all", "no i'm not incontinent and my legs are not weak it just aches when i get up"],
)  # fmt: skip
def test_one_denial_after_the_other_is_no_danger(talk: Conversation, text: str) -> None:
    assert say(talk, text).action != "warn"


@pytest.mark.parametrize("text", HARMLESS)
def test_danger_words_without_danger_don_t_warn(talk: Conversation, text: str) -> None:
    assert say(talk, text).urgent == ()


OUT_OF_SCOPE = [
    "what are the symptoms of diabetes",
    "how is a broken wrist treated",
    "can glaucoma be cured",
    "how many ibuprofen can I take in a day",
    "what does an injection cost",
    "set a timer for five minutes",
    "what's the weather like in Boston",
]


@pytest.mark.parametrize("text", OUT_OF_SCOPE)
def test_what_the_article_does_not_cover_is_not_answered(talk: Conversation, text: str) -> None:
    reply = say(talk, text)
    assert reply.action == "reject"
    assert reply.speech


COMMANDS = [
    ("say that again", "repeat"),
    ("stop", "stop"),
    ("a bit louder please", "louder"),
    ("turn it down", "quieter"),
    ("speak more slowly", "slower"),
    ("talk faster", "faster"),
    ("what can I ask you", "help"),
    ("tell me more", "more"),
    ("yes", "yes"),
    ("no", "no"),
    ("goodbye", "goodbye"),
]


@pytest.mark.parametrize(("text", "command"), COMMANDS)
def test_commands_are_carried_out(talk: Conversation, text: str, command: str) -> None:
    reply = say(talk, text)
    assert (reply.action, reply.intent) == ("command", command)
    assert reply.ends == (command == "goodbye")


def test_more_goes_on_and_says_when_there_is_no_more(talk: Conversation) -> None:
    say(talk, "what is facet hypertrophy")
    more = load_pack(bundled()[0]).answers["definition"].more
    assert say(talk, "tell me more").sentences == tuple(more)
    assert "all I have" in say(talk, "tell me more").speech


def test_repeat_says_the_same_again(talk: Conversation) -> None:
    first = say(talk, "can this ever be cured")
    again = say(talk, "say that again")
    assert (again.action, again.intent, again.sentences) == ("command", "repeat", first.sentences)


def test_the_disclaimer_is_said_once_a_conversation(talk: Conversation) -> None:
    disclaimer = load_pack(bundled()[0]).about.disclaimer[0]
    assert disclaimer in say(talk, "what is facet hypertrophy").speech
    assert disclaimer not in say(talk, "how is it treated").speech


def test_a_danger_stays_until_it_is_taken_care_of(talk: Conversation) -> None:
    say(talk, "I can't feel my legs")
    assert say(talk, "how is it treated").sentences[0] == "If you haven't called 9 9 9 yet, do that first."
    say(talk, "I have called them")
    assert "9 9 9" not in say(talk, "how is it treated").speech


def test_correction(talk: Conversation) -> None:
    say(talk, "can this ever be cured")
    reply = say(talk, "no I meant how is it treated")
    assert (reply.action, reply.intent) == ("answer", "treatment")


def test_the_same_question_again_has_the_same_answer_again(talk: Conversation) -> None:
    first, second = say(talk, "how is it treated"), say(talk, "how is it treated")
    assert (second.action, second.intent) == ("answer", "treatment")
    assert second.sentences[0] == first.sentences[0]


def test_refusals_grow_more_helpful_and_never_repeat(talk: Conversation) -> None:
    said = [say(talk, "flibber gromp zandly wick").speech for _ in range(3)]
    assert len(set(said)) == 3


def test_another_language_is_told_so(talk: Conversation) -> None:
    assert say(talk, "什么是小关节").speech == "I only understand English."


def test_silence_gets_an_answer(talk: Conversation) -> None:
    replies = [talk.reply(Heard("")) for _ in range(4)]
    assert all(reply.action == "reject" and reply.speech for reply in replies)
    assert len({reply.speech for reply in replies[:3]}) == 3


def test_a_branch_leaves_the_conversation_as_it_was(talk: Conversation, understander: Understander) -> None:
    say(talk, "what is facet hypertrophy")
    branch = copy.deepcopy(talk, {id(understander): understander})
    say(branch, "how is it treated")
    assert say(talk, "tell me more").sentences == tuple(load_pack(bundled()[0]).answers["definition"].more)


def test_the_fixed_warnings_are_what_is_said_first(talk: Conversation) -> None:
    fixed = fixed_sentences(Contacts("999", "116 123"))
    for text, _ in URGENT[:8]:
        assert say(talk, text).sentences[0] in fixed


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_a_reply(understander: Understander, text: str) -> None:
    reply = Conversation(understander).reply(Heard.from_text(text))
    assert reply.action in ("answer", "warn", "command", "clarify", "reject")
    assert len(reply.choices) <= 2


def test_a_text_of_a_hundred_thousand_characters_is_answered_by_its_end(talk: Conversation) -> None:
    assert "urgent_limb" in say(talk, "bla " * 25_000 + "and now i can't feel my legs").urgent


@given(st.text(max_size=500))
def test_normalised_text_has_only_words(text: str) -> None:
    plain = normalise(text)
    assert plain == normalise(plain)
    assert all(char.isascii() and (char.isalnum() or char in "' ") for char in plain)
    assert "  " not in plain
    assert plain == plain.strip()
