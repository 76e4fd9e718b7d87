"""An ear whose decoder is elsewhere: it keeps the sound of the utterance until the fleet has heard it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from intents.heard import Heard
from voice.fleet.fleet import IMPATIENT, Clock, Fleet, FleetError, Patience, monotonic, persist
from voice.frame import Samples
from voice.vad import Activity
from voice.wyoming.hearing import Hearing, Listeners, TurnLost

log = logging.getLogger(__name__)

Local = Callable[[bytes], Heard]
"""Hears on this machine. Raises ModelError."""


class FleetEar:
    """See voice.turn.Ear. One listener's; a turn that a replica took with it is asked again, from the kept sound."""

    def __init__(
        self, fleet: Fleet, local: Local | None = None, patience: Patience | None = None, clock: Clock = monotonic
    ) -> None:
        """local: what hears when the fleet can't; without it such a turn is lost, and said to be."""
        self._fleet = fleet
        self._local = local
        self._patience = patience or (IMPATIENT if local is not None else Patience())
        self._clock = clock
        self._kept: list[Samples] = []

    def accept(self, frame: Samples) -> None:
        """Keeps the next frame."""
        self._kept.append(frame)

    def partial(self) -> str:
        """Nothing is known before the end."""
        return ""

    def reset(self) -> None:
        """Forgets the utterance."""
        self._kept = []

    def rest(self) -> None:
        """Drops the utterance; a replica hears for others too, and keeps its memory."""
        self.reset()

    def finish(self) -> Heard:
        """What the fleet heard. Raises TurnLost when nobody could hear it, ModelError when this machine failed at it too."""
        kept, self._kept = self._kept, []
        if not kept:
            return Heard("")
        sound = np.concatenate(kept).astype("<i2").tobytes()
        try:
            return persist(
                lambda seconds: self._fleet.hear(sound, seconds),
                self._patience,
                self._patience.budget_s(sound),
                lambda number, error: log.warning("turn lost by a replica, attempt %d: %s", number, error),
                self._clock,
            )
        except FleetError as error:
            if self._local is None:
                raise TurnLost(str(error)) from error
            log.warning("heard without the fleet: %s", error)
            return self._local(sound)


class Open:
    """A detector that takes everything for speech: who is silent is found out by the replica."""

    state = Activity.SPEAKING

    def accept(self, frame: Samples) -> None:
        """Nothing is measured."""

    def reset(self) -> None:
        """Nothing is remembered."""


def hear(sound: bytes, listeners: Listeners, longest_s: float) -> Heard:
    """A whole utterance in one go, with a listener of one's own. Raises ModelError."""
    hearing = Hearing(listeners, longest_s)
    hearing.feed(np.frombuffer(sound, "<i2").astype(np.int16))
    return hearing.finish()
