"""A voice whose engine is elsewhere; where the fleet is away, this machine's own speaks."""

from __future__ import annotations

import logging

from voice.errors import VoiceError
from voice.fleet.fleet import IMPATIENT, Clock, Fleet, FleetError, Patience, monotonic, persist
from voice.speech import Int16
from voice.tts import DEFAULT_RATE, NO_VOICE, Voice, refuse_if_too_long

log = logging.getLogger(__name__)


class FleetVoice:
    """See voice.tts.Voice. May be used by several threads, as far as `local` may."""

    def __init__(
        self, fleet: Fleet, local: Voice | None = None, patience: Patience = IMPATIENT, clock: Clock = monotonic
    ) -> None:
        """local: what speaks when the fleet can't; without it VoiceError is raised, and recorded sentences are played."""
        self._fleet = fleet
        self._local = local
        self._patience = patience
        self._clock = clock
        self.sample_rate = local.sample_rate if local is not None else 22_050

    def speak(self, sentence: str, rate: int = DEFAULT_RATE) -> Int16:
        """See `voice.tts.Voice.speak`."""
        refuse_if_too_long(sentence)
        try:
            clip = persist(
                lambda seconds: self._fleet.speak(sentence, rate, seconds),
                self._patience,
                self._patience.budget_s(),
                lambda number, error: log.warning("sentence lost by a replica, attempt %d: %s", number, error),
                self._clock,
            )
        except FleetError as error:
            if self._local is None:
                raise VoiceError(NO_VOICE, f"the fleet can't speak: {error}") from error
            log.warning("spoken without the fleet: %s", error)
            return self._local.speak(sentence, rate)
        return clip.at(self.sample_rate).samples

    def close(self) -> None:
        """The fleet goes on; `local` belongs to whoever made it."""
