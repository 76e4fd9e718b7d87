"""What a fleet does for a listener, and how long one persists in asking it. Knows nothing of Ray."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from intents.heard import Heard
from voice.frame import SAMPLE_RATE
from voice.speech import Clip

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds; only differences count."""


class FleetError(Exception):
    """A call that brought no result: its replica died, hangs or isn't there. The same call may succeed elsewhere."""


class Fleet(Protocol):
    """Replicas that keep nothing between two calls. May be used by several threads."""

    def hear(self, sound: bytes, timeout_s: float) -> Heard:
        """A whole utterance, 16 kHz mono 16-bit little-endian → what was heard. Raises FleetError."""

    def speak(self, sentence: str, rate: int, timeout_s: float) -> Clip:
        """A sentence at `rate` words a minute → its sound. Raises FleetError."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one call is made before it counts as lost."""

    attempts: int = 4
    seconds: float = 20.0
    """All attempts together; a replica that died is replaced within about ten seconds."""
    share: float = 0.5
    """Of the time that is left, for an attempt that isn't the last: one replica that hangs may not use up everything."""
    for_a_second: float = 0.5
    """Seconds more for each second of sound: decoding takes a fifth of its length on one core that has nothing else to do."""

    def budget_s(self, sound: bytes = b"") -> float:
        """Seconds for all attempts on `sound`, 16 kHz mono 16-bit."""
        return self.seconds + self.for_a_second * len(sound) / (2 * SAMPLE_RATE)


IMPATIENT = Patience(attempts=3, seconds=3.0, share=1.0)
"""Where this machine can do it itself: nobody shall wait for a warning because the fleet is away. Only what fails at once is
asked again: a fleet that is merely slow would be asked twice for everything."""


def persist(
    call: Callable[[float], T],
    patience: Patience,
    budget_s: float,
    tell: Callable[[int, FleetError], None],
    clock: Clock,
) -> T:
    """The result of `call`, which is given the seconds that it may take, made again when it fails.

    `tell` hears of every failure, with its number from 1. Raises the last FleetError when attempts or time run out.
    """
    end = clock() + budget_s
    for number in range(1, patience.attempts + 1):
        try:
            left = end - clock()
            return call(max(0.1, left if number == patience.attempts else left * patience.share))
        except FleetError as error:
            tell(number, error)
            if number == patience.attempts or clock() >= end:
                raise
    raise FleetError("no attempt was allowed")


monotonic: Clock = time.monotonic
