"""A conversation that can be asked what it would say, and that can take its last word back."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Protocol

from intents.heard import Heard
from intents.reply import Reply


class Talker(Protocol):
    """See intents.conversation.Conversation."""

    def reply(self, heard: Heard) -> Reply:
        """The only door."""

    def idle(self) -> Reply:
        """What to say when nobody says any more."""

    def greeting(self) -> Reply:
        """What to say at the first start."""

    def fixed_warnings(self) -> tuple[str, ...]:
        """Every first sentence of a warning, to be made at start-up."""


class Mind:
    """Wraps a conversation, which only goes forward, so that words can be tried out before they are final.

    A branch is a copy of what is personal to the conversation; what is costly and read-only is shared.
    """

    def __init__(self, conversation: Talker, shared: Sequence[object] = ()) -> None:
        """`shared`: objects inside the conversation that are never changed, hence never copied."""
        self._conversation = conversation
        self._shared = shared
        self._before: Talker | None = None
        self._peeked: tuple[Heard, Reply, Talker] | None = None
        """What was tried out last, and the conversation that goes on from it."""

    def reply(self, heard: Heard) -> Reply:
        """The reply to what was heard; the conversation goes on from it."""
        _, reply, after = self._tried(heard)
        self._before, self._conversation, self._peeked = self._conversation, after, None
        return reply

    def peek(self, heard: Heard) -> Reply:
        """What the reply would be; the conversation stays as it is."""
        return self._tried(heard)[1]

    def undo(self) -> None:
        """Takes back the last reply, and what was said before it; once."""
        if self._before is not None:
            self._conversation, self._before, self._peeked = self._before, None, None

    def idle(self) -> Reply:
        """What to say when nobody says any more."""
        self._peeked = None
        return self._conversation.idle()

    def greeting(self) -> Reply:
        """What to say at the first start."""
        return self._conversation.greeting()

    def fixed_warnings(self) -> tuple[str, ...]:
        """Sentences to make ready before anything is heard, so that they can be said whatever fails later."""
        return self._conversation.fixed_warnings()

    def _tried(self, heard: Heard) -> tuple[Heard, Reply, Talker]:
        if self._peeked is None or self._peeked[0] != heard:
            branch = copy.deepcopy(self._conversation, {id(one): one for one in self._shared})
            self._peeked = (heard, branch.reply(heard), branch)
        return self._peeked
