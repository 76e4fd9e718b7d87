"""One understander for all tests: it is read-only."""

from __future__ import annotations

import pytest

from intents.conversation import Conversation, ConversationSettings
from intents.understand import Understander


@pytest.fixture(scope="session")
def understander() -> Understander:
    return Understander.load()


@pytest.fixture
def talk(understander: Understander) -> Conversation:
    return Conversation(understander, ConversationSettings(emergency_number="999", crisis_line="116 123"))
