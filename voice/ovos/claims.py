"""Which utterances of a shared assistant are Backtalk's. Pure: what would be said, and through which door it came → yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from intents.heard import Heard
from intents.reply import Reply
from intents.schema import PROVIDER_SOON, URGENT

FOLLOW_UP = 0.8
"""Confidence from which a question that doesn't name the condition continues the conversation. In an assistant that answers
everything a lower one is as likely somebody else's question: "who wrote Hamlet" is taken for a question about sources with 0.77."""
COMMANDS = ("repeat", "more", "help", "goodbye")
"""Commands that continue a conversation. Louder, quieter and stop are Open Voice OS's own; it has no slower and faster."""

_ADDRESS = re.compile(
    r"^\W*(?:(?:hey|hello|hi|ok|okay)[\s,]+|(?:please\s+)?(?:ask|tell|open|start|launch|talk to|speak to|speak with)\s+)"
    r"back[\s-]?talk\b[\s,.:!?]*(?:(?:to|that|if|whether|about)\b\s*)?",
    re.IGNORECASE,
)


class Door(Enum):
    """Where an utterance comes in, in the order in which Open Voice OS tries."""

    FIRST = "first"
    """The pipeline stage of our own, ahead of all skills."""
    CONVERSE = "converse"
    """The skill spoke in this session lately."""
    COMMON_QUERY = "common query"
    """Something that looks like a question; the skill with the highest confidence answers."""
    FALLBACK = "fallback"
    """No skill was sure of it."""


@dataclass(frozen=True, slots=True)
class Open:
    """What a session waits for."""

    reply: bool = False
    """Something was asked back, so that yes and no are answers."""
    doubt: bool = False
    """It was about a danger sign: everything but a clear no counts as a yes."""


NOTHING = Open()


def called(heard: Heard) -> Heard | None:
    """What was said after "ask Backtalk", "hey Backtalk" and the like, "help" for nothing; None when it wasn't called by name."""
    if not _ADDRESS.match(heard.text):
        return None
    rest = _ADDRESS.sub("", heard.text).strip() or "help"
    return replace(heard, text=rest, alternatives=tuple(_ADDRESS.sub("", text) for text in heard.alternatives))


def heard_from(utterances: Sequence[object]) -> Heard:
    """Open Voice OS's list of readings and normalised readings, best first; anything but text is left out."""
    texts = [text for text in utterances if isinstance(text, str) and text.strip()]
    return Heard(texts[0], tuple(dict.fromkeys(texts[1:]))) if texts else Heard("")


def urgent(reply: Reply) -> bool:
    """True for a warning that can't wait; a sign that came slowly can."""
    return reply.action == "warn" and any(name in URGENT for name in reply.urgent)


def doubts(reply: Reply) -> bool:
    """True for a question back about a danger sign."""
    return reply.action == "clarify" and any(name in URGENT or name == PROVIDER_SOON for name in reply.choices)


def claims(reply: Reply, door: Door, *, named: bool, wanted: Open = NOTHING) -> bool:
    """Whether an utterance that wasn't addressed to Backtalk is for it.

    `reply`: what it would say; `named`: the utterance names a pack's condition.
    """
    if urgent(reply):
        return True
    if door is Door.FIRST:
        return False
    if reply.action == "warn" or doubts(reply):
        return True
    if door is not Door.CONVERSE:
        return named and reply.action in ("answer", "clarify")
    if wanted.doubt:
        return True
    if reply.action == "command":
        return reply.confidence >= FOLLOW_UP and (
            reply.intent in COMMANDS or (wanted.reply and reply.intent in ("yes", "no"))
        )
    return reply.action in ("answer", "clarify") and (named or wanted.reply or reply.confidence >= FOLLOW_UP)


def confidence(reply: Reply, *, addressed: bool) -> float:
    """What is told to common query, 0 to 1: the calibrated confidence of an answer, certainty where Backtalk was called by name."""
    return 1.0 if addressed or reply.action == "warn" or doubts(reply) else reply.confidence
