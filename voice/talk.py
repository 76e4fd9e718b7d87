"""Replies to questions answered one after the other: aloud, into files, or only timed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from intents.reply import Reply
from voice.errors import BacktalkError
from voice.file_speaker import FileSpeaker
from voice.mouth import Mouth
from voice.settings import Settings
from voice.speaker import Speaker
from voice.tts import SpokenWarnings, Voice, urgent_rate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a reply."""

    first_audio_ms: float | None
    """Milliseconds from the reply's text to its first samples; None when there were none."""
    path: Path | None = None
    """The WAV file, where one was wanted."""


class Talk:
    """Says replies with one voice, each to its end."""

    def __init__(
        self, voice: Voice, settings: Settings, out: Path | None = None, speaker: Speaker | None = None
    ) -> None:
        """`out`: folder for one WAV a reply; `speaker`: where it sounds, None for silence."""
        self._voice = voice
        self._settings = settings
        self._warnings = SpokenWarnings(voice, rate=settings.rate)
        self._file = FileSpeaker(out) if out is not None else None
        self._speakers = [one for one in (speaker, self._file) if one is not None]

    def say(self, reply: Reply, name: str) -> Said:
        """Says it all, then returns. Raises VoiceError or DeviceError when it could not be said."""
        if not reply.sentences:
            return Said(None)
        if not self._speakers:
            return Said(self._first_sentence_ms(reply))
        written = len(self._file.written) if self._file is not None else 0
        first_s: float | None = None
        for speaker in self._speakers:
            with Mouth(self._voice, speaker, self._warnings, self._settings) as mouth:
                mouth.say(reply.sentences, reply.urgent_sentences, name)
                mouth.wait()
                first_s = mouth.first_audio_s if first_s is None else first_s
        new = self._file.written[written:] if self._file is not None else []
        return Said(None if first_s is None else round(1000 * first_s, 2), new[0] if new else None)

    def _first_sentence_ms(self, reply: Reply) -> float | None:
        """Even a silent run makes the first sentence: it takes 10 to 20 ms, and only what was measured is told."""
        rate = urgent_rate(self._settings.rate) if reply.urgent_sentences else self._settings.rate
        begun = time.perf_counter()
        try:
            self._voice.speak(reply.sentences[0], rate)
        except BacktalkError as error:  # nobody listens: the answer is worth more than the figure
            log.warning("no voice: %s", error.reason)
            return None
        return round(1000 * (time.perf_counter() - begun), 2)
