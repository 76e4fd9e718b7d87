"""A conversation for each Open Voice OS session, over one understander that all of them share."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from intents.conversation import Conversation, ConversationSettings
from intents.heard import Heard
from intents.names import named
from intents.pack import PackError
from intents.reply import Reply
from intents.understand import Understander, Understanding, normalise_reading
from intents.urgent_schema import UrgentRulesError
from voice.errors import BacktalkError
from voice.mind import Mind
from voice.ovos.claims import NOTHING, Open, doubts

SESSIONS = 256
"""Conversations kept; the one that was silent longest goes first."""
LASTS_S = 1800.0
"""Seconds of silence after which a session begins a new conversation."""

KEPT = 4
"""Utterances whose understanding is kept: each one is asked about by several stages, within half a second."""


class Remembering(Understander):
    """Understands an utterance once, however many stages ask. Still pure."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._once = lru_cache(maxsize=KEPT)(super().understand)

    def understand(self, heard: Heard) -> Understanding:
        """See `Understander.understand`; of the last KEPT utterances the answer is remembered."""
        return self._once(heard)


_loaded: dict[tuple[Path, ...], Understander] = {}
_loading = Lock()


def folders(setting: object) -> tuple[Path, ...]:
    """Pack folders as a setting gives them: a list of paths; empty for anything else."""
    return tuple(Path(str(path)).expanduser() for path in setting) if isinstance(setting, list) else ()


def understander(packs: tuple[Path, ...] = ()) -> Understander:
    """The understander of these packs, the bundled one when none; loaded once in a process. Raises BacktalkError."""
    with _loading:  # the skill and the pipeline stage ask for it at the same time
        if packs not in _loaded:
            try:
                _loaded[packs] = Remembering.load(packs or None)
            except (PackError, UrgentRulesError) as error:
                raise BacktalkError(
                    "Backtalk's pack of answers can't be used: please run backtalk pack check on it.", str(error)
                ) from error
        return _loaded[packs]


def mind(shared: Understander, settings: ConversationSettings) -> Mind:
    """A new conversation."""
    return Mind(Conversation(shared, settings), (shared, *shared.packs, settings))


def names_a_condition(shared: Understander, heard: Heard) -> bool:
    """True when a pack's condition is named."""
    text = normalise_reading(heard.text)
    return any(named(pack, text) for pack in shared.packs)


@dataclass
class Listener:
    """One session: its conversation, and what it waits for. Messages arrive in several threads: use it under its lock."""

    mind: Mind
    wanted: Open = NOTHING
    lock: RLock = field(default_factory=RLock)

    def reply(self, heard: Heard) -> Reply:
        """The reply to what was heard; the conversation goes on from it."""
        return self._after(self.mind.reply(heard))

    def idle(self) -> Reply:
        """What to say when a question back found no answer."""
        return self._after(self.mind.idle())

    def _after(self, reply: Reply) -> Reply:
        self.wanted = Open(reply.expects_reply, doubts(reply))
        return reply


class Sessions:
    """Bounded; thread-safe."""

    def __init__(self, make: Callable[[], Mind], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds; only differences count."""
        self._make, self._clock = make, clock
        self._kept: OrderedDict[str, tuple[Listener, float]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, session_id: str) -> Listener:
        """The session's listener, a new one if it ended or never began."""
        with self._lock:
            now = self._clock()
            listener, last = self._kept.pop(session_id, (None, now))
            if listener is None or now - last > LASTS_S:
                listener = Listener(self._make())
            self._kept[session_id] = (listener, now)
            while len(self._kept) > SESSIONS:
                self._kept.popitem(last=False)
            return listener
