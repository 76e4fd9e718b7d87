"""Sound from the network → what was heard: any usual PCM format in, a `Heard` out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import soxr

from intents.heard import Heard
from intents.reply import Reply
from voice.errors import BacktalkError, InputError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.recording import FAINT
from voice.recording import Detector as AnyDetector
from voice.second_hearing import heard_again
from voice.turn import Ear, Turn, Utterance
from voice.vad import Activity

log = logging.getLogger(__name__)

SLOWEST_RATE, FASTEST_RATE = 8_000, 48_000
"""Hertz."""
_FORMAT = "I can't use this sound: please send 16-bit samples, one or two channels, 8000 to 48000 hertz."


class TurnLost(BacktalkError):
    """What was said is gone: nothing could hear it. The person must be told, aloud."""

    def __init__(self, reason: str) -> None:
        super().__init__("I lost what you said: please say it once more.", reason)


@dataclass(frozen=True, slots=True)
class Format:
    """Of raw sound: 16-bit little-endian samples."""

    rate: int
    """Hertz."""
    channels: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Format:
        """What an event says about its sound. Raises InputError."""
        rate, width, channels = (data.get(key) for key in ("rate", "width", "channels"))
        if type(rate) is not int or type(channels) is not int or type(width) is not int:
            raise InputError(_FORMAT, "rate, width or channels is missing or no number")
        if width != 2 or channels not in (1, 2) or not SLOWEST_RATE <= rate <= FASTEST_RATE:
            raise InputError(_FORMAT, f"{rate} Hz, {width} bytes, {channels} channels")
        return cls(rate, channels)


class Pcm:
    """Raw bytes in one format → samples as the rest of the program has them."""

    def __init__(self, form: Format) -> None:
        self.format = form
        self._rest = b""
        self._resampler = None
        if form.rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(form.rate, SAMPLE_RATE, 1, dtype="int16")

    def samples(self, data: bytes, last: bool = False) -> Samples:
        """16 kHz mono; a sample cut in two is completed by the next call, and dropped after the last."""
        data = self._rest + data
        whole = len(data) - len(data) % (2 * self.format.channels)
        self._rest = data[whole:]
        samples = np.frombuffer(data[:whole], "<i2").astype(np.int16)
        if self.format.channels == 2:
            samples = samples.reshape(-1, 2).astype(np.int32).mean(axis=1).astype(np.int16)
        if self._resampler is not None:
            samples = np.asarray(self._resampler.resample_chunk(samples, last=last), dtype=np.int16)
        return samples


class Detector(AnyDetector, Protocol):
    """Tells speech from other sound, one utterance after the other; see voice.vad.SpeechDetector."""

    def reset(self) -> None:
        """Forgets what was heard."""


@dataclass(frozen=True)
class Listener:
    """What one utterance is heard with. Used by one thread at a time."""

    ear: Ear
    detector: Detector


class Listeners:
    """Makes listeners and keeps idle ones for the next utterance: Home Assistant opens a connection for each."""

    def __init__(self, make: Callable[[], Listener], idle: int) -> None:
        """idle: how many are kept."""
        self._make = make
        self._most = idle
        self._idle: list[Listener] = []
        self._lock = threading.Lock()

    def take(self) -> Listener:
        """Raises ModelError."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._make()

    def give(self, listener: Listener) -> None:
        """Only after a finished utterance; one that met an error or was left in the middle is thrown away."""
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append(listener)


class Hearing:
    """One utterance as it comes in; its end is told from outside. Used by one thread at a time."""

    def __init__(self, listeners: Listeners, longest_s: float, reply: Callable[[Heard], Reply] | None = None) -> None:
        """reply: what somebody would be told who has said nothing before; None to hear once, surely understood or not."""
        self._listeners = listeners
        self._reply = reply
        self._longest = round(longest_s * SAMPLE_RATE)
        self._listener: Listener | None = None
        self._turn: Turn | None = None
        self._rest = np.zeros(0, np.int16)
        self._unclaimed: list[Samples] = []
        """Frames before any speech was detected."""
        self._samples = 0

    @property
    def seconds(self) -> float:
        """Of sound that was decoded or looked at."""
        return self._samples / SAMPLE_RATE

    def feed(self, samples: Samples) -> None:
        """What comes after the longest utterance is dropped. Raises ModelError."""
        samples = samples[: max(0, self._longest - self._samples)]
        self._samples += len(samples)
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) - len(samples) % FRAME_SAMPLES
        self._rest = samples[whole:]
        for start in range(0, whole, FRAME_SAMPLES):
            self._frame(samples[start : start + FRAME_SAMPLES])

    def finish(self) -> Heard:
        """Everything that was said, as one utterance. Raises ModelError."""
        if len(self._rest):
            padded = np.zeros(FRAME_SAMPLES, np.int16)
            padded[: len(self._rest)] = self._rest
            self._rest = self._rest[:0]
            self._frame(padded)
        if self._listener is None or self._turn is None:
            return Heard("")
        if not self._turn.hearing and any(int(np.abs(f.astype(np.int32)).max()) > FAINT for f in self._unclaimed):
            # Sound without detected speech: the recognizer has the last word, for a soft voice must not go unheard.
            self._turn.begin(self._unclaimed)
        heard = self._surer(self._turn, self._turn.finish()) if self._turn.hearing else Heard("")
        self._listeners.give(self._listener)
        self._listener = self._turn = None
        return heard

    def _surer(self, turn: Turn, utterance: Utterance) -> Heard:
        """Heard a second time where the first leaves open what was meant. What else was said to it isn't known here."""
        if self._reply is None:
            return utterance.heard
        try:
            return heard_again(utterance, turn.again, self._reply)
        except TurnLost as error:
            log.warning("heard once: %s", error.reason)
            return utterance.heard

    def _frame(self, frame: Samples) -> None:
        if self._listener is None or self._turn is None:
            self._listener = self._listeners.take()
            self._listener.detector.reset()
            never = 1000 * (self._longest // SAMPLE_RATE + 60)
            self._turn = Turn(self._listener.ear, lambda _heard: never, never)
        if self._turn.hearing:
            self._turn.feed(frame, Activity.SPEAKING)  # its end is told from outside: the detector has done its part
            return
        self._listener.detector.accept(frame)
        self._turn.feed(frame, self._listener.detector.state)
        if self._turn.hearing:
            self._unclaimed.clear()
        else:
            self._unclaimed.append(frame)
