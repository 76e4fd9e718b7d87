"""A reply as sound, for questions answered one after the other: timed, written to a file, or both."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from intents.reply import Reply
from voice.errors import BacktalkError, VoiceError
from voice.speech import Int16
from voice.tts import DEFAULT_RATE, Voice, urgent_rate

log = logging.getLogger(__name__)

BETWEEN_SENTENCES_S = 0.3
"""Silence after a sentence in a written reply."""


class Talk:
    """Says replies with one voice at one rate. `out`: folder for WAV files, made when needed; None writes none."""

    def __init__(self, voice: Voice, rate: int = DEFAULT_RATE, out: Path | None = None) -> None:
        self._voice = voice
        self._rate = rate
        self._out = out
        self.failure: BacktalkError | None = None
        """Why the last reply couldn't be spoken or written."""

    def first_audio_ms(self, reply: Reply) -> float | None:
        """Milliseconds to the first samples of the reply, made now; None when there are none to make.

        Even a silent run makes the first sentence: it takes 10 to 20 ms, and a figure not measured would be a lie.
        """
        begun = time.perf_counter()
        try:
            next(self._sentences(reply), None)
        except VoiceError as error:
            log.warning("no voice: %s", error.reason)
            self.failure = error
            return None
        return round(1000 * (time.perf_counter() - begun), 2) if reply.sentences else None

    def write(self, reply: Reply, name: str) -> Path | None:
        """Writes the spoken reply as WAV into the folder and returns its path; None without folder or words.

        Raises BacktalkError when the voice fails or the file can't be written.
        """
        if self._out is None or not reply.sentences:
            return None
        from voice.audio import write_wav

        path = self._out / (re.sub(r"[^\w.-]+", "_", name) + ".wav")
        pause = np.zeros(round(BETWEEN_SENTENCES_S * self._voice.sample_rate), np.int16)
        samples = np.concatenate([part for sentence in self._sentences(reply) for part in (sentence, pause)])
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            write_wav(path, samples, self._voice.sample_rate)
        except OSError as error:
            raise BacktalkError(
                f"I can't write the spoken reply into {self._out}: please choose another folder.", str(error)
            ) from error
        return path

    def _sentences(self, reply: Reply) -> Iterator[Int16]:
        for number, sentence in enumerate(reply.sentences):
            rate = urgent_rate(self._rate) if number < reply.urgent_sentences else self._rate
            yield self._voice.speak(sentence, rate)
