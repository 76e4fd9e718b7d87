"""Both packs loaded: the condition that is named decides, else the conversation's topic, else a short question; danger always holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.conversation import Conversation
from intents.heard import Heard
from intents.pack import bundled, load_pack
from intents.reply import Reply
from intents.understand import Understander

FACET, STENOSIS = "facet_hypertrophy", "spinal_stenosis"
NAME = {FACET: "facet hypertrophy", STENOSIS: "spinal stenosis"}
PACKS = {path.name: load_pack(path) for path in bundled()}
SHARED = [("what causes {it}", "causes"), ("how is {it} treated", "treatment"), ("what is {it}", "definition")]
"""Questions that both packs answer, differently."""
DANGER = [
    ("I can't feel my legs", "urgent_limb"),
    ("I can't pee", "urgent_bowel_bladder"),
    ("I have a crushing pain in my chest", "urgent_other"),
]


@pytest.fixture(scope="module")
def both() -> Understander:
    return Understander.load([path for path in bundled() if path.name in (FACET, STENOSIS)])


@pytest.fixture
def talk(both: Understander) -> Conversation:
    return Conversation(both)


def say(talk: Conversation, text: str) -> Reply:
    return talk.reply(Heard.from_text(text))


def answered(reply: Reply, pack: str, intent: str) -> bool:
    """Whether this pack's own words answer it."""
    return (reply.action, reply.pack, reply.intent) == ("answer", pack, intent) and any(
        sentence in PACKS[pack].answers[intent].first for sentence in reply.sentences
    )


def test_the_packs_answer_differently() -> None:
    """Else the other tests would prove nothing."""
    for _, intent in SHARED:
        assert PACKS[FACET].answers[intent].first != PACKS[STENOSIS].answers[intent].first


@pytest.mark.parametrize("pack", [FACET, STENOSIS])
@pytest.mark.parametrize(("question", "intent"), SHARED)
def test_the_condition_that_is_named_decides(talk: Conversation, pack: str, question: str, intent: str) -> None:
    assert answered(say(talk, question.format(it=NAME[pack])), pack, intent)


@pytest.mark.parametrize(("topic", "other"), [(FACET, STENOSIS), (STENOSIS, FACET)])
@pytest.mark.parametrize(("question", "intent"), SHARED[:2])
def test_the_condition_that_is_named_decides_against_the_topic(
    talk: Conversation, topic: str, other: str, question: str, intent: str
) -> None:
    say(talk, f"what is {NAME[topic]}")
    assert answered(say(talk, question.format(it=NAME[other])), other, intent)


@pytest.mark.parametrize("pack", [FACET, STENOSIS])
def test_the_topic_decides_where_nothing_is_named_and_changes_with_the_talk(talk: Conversation, pack: str) -> None:
    other = STENOSIS if pack == FACET else FACET
    for topic in (pack, other, pack):
        say(talk, f"what is {NAME[topic]}")
        for question, intent in SHARED[:2]:
            assert answered(say(talk, question.format(it="it")), topic, intent)


@pytest.mark.parametrize(("question", "intent"), SHARED)
def test_without_name_and_topic_it_asks_shortly(talk: Conversation, question: str, intent: str) -> None:
    reply = say(talk, question.format(it="it"))
    assert reply.action == "clarify"
    assert set(reply.choices) == {FACET, STENOSIS}
    assert reply.expects_reply
    assert all(name in reply.speech for name in NAME.values())
    assert len(reply.speech.split()) <= 12


@pytest.mark.parametrize(
    ("choice", "pack"),
    [
        ("facet hypertrophy", FACET),
        ("spinal stenosis", STENOSIS),
        ("the first one", FACET),
        ("the second one", STENOSIS),
    ],
)
@pytest.mark.parametrize(("question", "intent"), SHARED[:2])
def test_the_reply_to_that_answers_the_question_that_waited(
    talk: Conversation, choice: str, pack: str, question: str, intent: str
) -> None:
    offered = say(talk, question.format(it="it")).choices
    if choice.startswith("the "):
        pack = offered[0 if "first" in choice else 1]
    assert answered(say(talk, choice), pack, intent)
    next_question, next_intent = next(one for one in SHARED[:2] if one[1] != intent)
    assert answered(say(talk, next_question.format(it="it")), pack, next_intent)  # it is the topic from now on


def test_a_long_question_that_names_one_is_not_taken_for_a_mere_choice(talk: Conversation) -> None:
    say(talk, "what causes it")
    assert answered(
        say(talk, "please tell me how spinal stenosis is usually treated by doctors"), STENOSIS, "treatment"
    )


@pytest.mark.parametrize(("text", "sign"), DANGER)
@pytest.mark.parametrize(
    "before", [(), ("what is facet hypertrophy",), ("what is spinal stenosis",), ("what causes it",)]
)
def test_danger_signs_hold_whatever_is_talked_about(
    talk: Conversation, text: str, sign: str, before: tuple[str, ...]
) -> None:
    for line in before:
        say(talk, line)
    reply = say(talk, text)
    assert reply.action == "warn"
    assert sign in reply.urgent
    assert reply.sentences[0].startswith("Warning.")


@pytest.mark.parametrize("pack", [FACET, STENOSIS])
@pytest.mark.parametrize("text", ["my saddle area is numb", "I can't move my foot since this morning"])
def test_a_danger_sign_with_a_condition_beside_it_is_still_one(talk: Conversation, pack: str, text: str) -> None:
    reply = say(talk, f"what is {NAME[pack]} and {text}")
    assert reply.action == "warn"
    assert reply.urgent_sentences >= 2


@pytest.mark.parametrize("pack", [FACET, STENOSIS])
def test_an_open_danger_is_not_forgotten_when_the_topic_changes(talk: Conversation, pack: str) -> None:
    say(talk, "I can't feel my legs")
    other = STENOSIS if pack == FACET else FACET
    for topic in (pack, other):
        reply = say(talk, f"what causes {NAME[topic]}")
        assert reply.pack == topic
        assert reply.sentences[0].startswith("If you haven't called")


def test_a_danger_sign_before_the_choice_is_warned_of_and_the_choice_still_holds(talk: Conversation) -> None:
    offered = say(talk, "what causes it").choices
    assert say(talk, "my leg has gone numb").action == "warn"
    chosen = say(talk, "the first one")
    assert chosen.sentences[0].startswith("If you haven't called")
    assert chosen.pack == offered[0]


def test_more_and_repeat_stay_with_the_topic(talk: Conversation) -> None:
    say(talk, "what is facet hypertrophy")
    say(talk, "what is spinal stenosis")
    more = say(talk, "tell me more")
    assert more.sentences == tuple(PACKS[STENOSIS].answers["definition"].more)
    assert say(talk, "repeat that").sentences == more.sentences


def test_conversations_do_not_share_a_topic(both: Understander) -> None:
    kitchen, bedroom = Conversation(both), Conversation(both)
    say(kitchen, "what is facet hypertrophy")
    say(bedroom, "what is spinal stenosis")
    assert answered(say(kitchen, "what causes it"), FACET, "causes")
    assert answered(say(bedroom, "what causes it"), STENOSIS, "causes")


LINES = (
    [question.format(it=it) for question, _ in SHARED for it in ("it", *NAME.values())]
    + ["the first one", "the second one", "spinal stenosis", "more", "repeat that", "help", "no", "yes", "goodbye", ""]
    + ["what is the weather", "and what causes it", "how common is it", "are there types"]
)


@given(st.lists(st.sampled_from(LINES), max_size=6), st.sampled_from(DANGER))
@settings(max_examples=40, deadline=None)
def test_after_any_talk_about_both_a_danger_sign_comes_first(
    both: Understander, lines: list[str], danger: tuple[str, str]
) -> None:
    talk = Conversation(both)
    for line in lines:
        say(talk, line)
    reply = say(talk, danger[0])
    assert reply.action == "warn"
    assert danger[1] in reply.urgent
    assert reply.urgent_sentences >= 2


@pytest.mark.parametrize(
    "text",
    [
        "how do i get some relief here i'm standing at my kitchen sink hurting",
        "i've done the rest and the tylenol and it's no better is it time to see my doctor",
        "it starts in my spine and then it's like pouring into my hip and backside",
        "roads are drifted in so what can i do for this pain in the kitchen here",
    ],
)
def test_a_second_pack_brings_no_needless_warning(talk: Conversation, text: str) -> None:
    """It learned of danger from the first one's wordings and has fewer questions to tell it from."""
    say(talk, "what is facet hypertrophy")
    reply = say(talk, text)
    assert reply.action == "answer"
    assert not reply.urgent
