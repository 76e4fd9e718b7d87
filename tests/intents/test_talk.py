"""Talk that is about something else: nobody is warned, and hardly anything is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from intents.compile import background
from intents.conversation import Conversation
from intents.heard import Heard
from intents.reply import Reply
from intents.understand import Understander

TALK = Path(__file__).parent / "data" / "talk.txt"


def talk() -> list[str]:
    return [line for line in TALK.read_text("utf-8").splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def replies() -> list[Reply]:
    understander = Understander.load()
    return [Conversation(understander).reply(Heard.from_text(text)) for text in talk()]


def test_it_was_not_learned_from() -> None:
    assert {example.text for example in background()}.isdisjoint(talk())


def test_at_most_one_sentence_in_eighty_is_warned_of(replies: list[Reply]) -> None:
    warned = [(text, reply.urgent) for text, reply in zip(talk(), replies, strict=True) if reply.urgent]
    assert len(warned) <= len(replies) / 80, warned


def test_at_most_one_sentence_in_twenty_is_answered(replies: list[Reply]) -> None:
    answered = [(text, reply.intent) for text, reply in zip(talk(), replies, strict=True) if reply.action == "answer"]
    assert len(answered) <= len(replies) / 20, answered
