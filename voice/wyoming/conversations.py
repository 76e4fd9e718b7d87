"""Whose words these are: one conversation a satellite, kept over the many connections that a client opens for it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from intents.heard import Heard
from intents.reply import Reply
from voice.wyoming.limits import Limits

KEYS = ("satellite_id", "device_id", "conversation_id")
"""In an event's context, as Home Assistant sends it: the first one that is there names the conversation."""
ID_CHARS = 200

Clock = Callable[[], float]
"""Seconds; only differences count."""


class Talker(Protocol):
    """A conversation with one listener; see voice.mind."""

    def reply(self, heard: Heard) -> Reply:
        """The reply to what was heard; the conversation goes on from it."""


def conversation_id(context: object) -> tuple[str, str] | None:
    """(key, id) of the conversation that an event belongs to; None when it doesn't say."""
    if not isinstance(context, Mapping):
        return None
    for key in KEYS:
        value = context.get(key)
        if isinstance(value, str) and 0 < len(value) <= ID_CHARS:
            return key, value
    return None


class Conversations:
    """Bounded. Where there are too many, the address with the most loses its oldest: a flood costs only its sender."""

    def __init__(self, make: Callable[[], Talker], limits: Limits, clock: Clock) -> None:
        self._make = make
        self._limits = limits
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str, str], tuple[Talker, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, address: str, name: tuple[str, str]) -> Talker:
        """The conversation of that name at that address; a new one if it ended or never began."""
        now = self._clock()
        key = (address, *name)
        talker, last = self._kept.pop(key, (None, now))
        if talker is None or now - last > self._limits.conversation_s:
            talker = self._make()
        self._kept[key] = (talker, now)
        self._drop(now)
        return talker

    def _drop(self, now: float) -> None:
        while self._kept and now - next(iter(self._kept.values()))[1] > self._limits.conversation_s:
            self._kept.popitem(last=False)
        if len(self._kept) > self._limits.conversations:
            greediest = Counter(address for address, *_ in self._kept).most_common(1)[0][0]
            del self._kept[next(key for key in self._kept if key[0] == greediest)]


class Recall:
    """All readings of what was just heard, for when the best of them comes back as text.

    Home Assistant carries only the text from hearing to answering, on different connections; but a danger sign may be
    in another reading. They are taken once, by the same address, within seconds.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._kept: list[tuple[float, str, Heard]] = []

    def keep(self, address: str, heard: Heard) -> None:
        self._forget()
        if heard.text.strip():
            self._kept.append((self._clock(), address, heard))
            del self._kept[: -self._limits.conversations]

    def take(self, address: str, text: str) -> Heard | None:
        """What was heard when `text` was the best reading, the oldest first."""
        self._forget()
        for index, (_, whose, heard) in enumerate(self._kept):
            if whose == address and _plain(heard.text) == _plain(text):
                del self._kept[index]
                return heard
        return None

    def _forget(self) -> None:
        now = self._clock()
        self._kept = [one for one in self._kept if now - one[0] <= self._limits.recall_s]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def context_back(context: object) -> dict[str, Any] | None:
    """What of a context goes back with the result: the conversation's name, nothing else that a stranger sent."""
    name = conversation_id(context)
    return {name[0]: name[1].encode("utf-8", "replace").decode()} if name is not None else None
