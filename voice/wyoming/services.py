"""What all connections share: one model, one voice, the conversations, and the threads that do the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from wyoming.event import Event

from voice.tts import Voice
from voice.wyoming.conversations import Clock, Conversations, Recall, Talker
from voice.wyoming.hearing import Listener, Listeners
from voice.wyoming.info import describe
from voice.wyoming.limits import Gate, Limits
from voice.wyoming.speaking import Speaking

T = TypeVar("T")

LOST = (
    "I lost what you said, because a part of me stopped. Please say it once more. If it may be an emergency, call your"
    " emergency number now, and don't wait for me."
)


@dataclass(frozen=True)
class Parts:
    """What the services are made of."""

    listener: Callable[[], Listener] | None
    """Makes what one utterance is heard with; None where there is no model."""
    talker: Callable[[], Talker]
    """Makes a conversation with one listener."""
    voice: Voice | None
    """None where no voice engine works."""
    topics: Sequence[str]
    """What can be asked about, as it is said."""
    fixed_warnings: Sequence[str]
    rate: int
    """Words a minute."""
    lost: str = LOST
    """What is said when a turn was lost."""


class Workers:
    """Threads for one kind of work. First come, first served; whoever gives in small jobs, one at a time, takes turns."""

    def __init__(self, most: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)

    async def run(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Services:
    """Made once. Its methods belong to the event loop's thread; `decoding`, `thinking` and `speaking_in` are where work goes."""

    def __init__(
        self,
        parts: Parts,
        limits: Limits,
        *,
        decoders: int = 2,
        speakers: int = 1,
        show_words: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        """decoders: utterances that are decoded at the same moment; speakers: sentences that are made at the same moment,
        more than one only where the voice takes that; show_words: what is said may be logged."""
        self.limits = limits
        self.show_words = show_words
        # As many are kept as were ever needed at once: a new one costs 0.25 s of decoding more than one that is warm.
        self.listeners = Listeners(parts.listener, limits.listeners) if parts.listener is not None else None
        self.listening = Gate(limits.listeners, limits.listeners_per_address)
        self.talker = parts.talker
        self.conversations = Conversations(parts.talker, limits, clock)
        self.recall = Recall(limits, clock)
        self.speaking = Speaking(parts.voice, parts.rate, parts.fixed_warnings) if parts.voice is not None else None
        self.info: Event = describe(parts.topics, self.listeners is not None, self.speaking is not None)
        self.lost = parts.lost
        self.decoding = Workers(decoders, "decode")
        self.thinking = Workers(1, "think")  # 10 to 50 ms each, and never behind somebody's long sound
        self.speaking_in = Workers(speakers, "speak")  # an engine of our own makes one sentence at a time anyway

    def close(self) -> None:
        """Waits for the jobs that are running; those that wait are dropped."""
        for workers in (self.decoding, self.thinking, self.speaking_in):
            workers.close()
