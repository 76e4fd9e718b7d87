"""A room for the loop, faster than real time: recordings go in at the microphone, what the mouth says sounds back.

Everything but the devices is the program's own: gain, voice activity, phrase spotter, recognizer, mind, voice. Time is
the number of samples fed, so each run gives the same figures on any machine, however busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from intents.reply import Reply
from voice.canceller import Canceller, Played
from voice.commands.listen import BREAK_IN, PAUSE
from voice.effects import Effect, Hush, Keep, Say, State
from voice.engine import Engine
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.gain import Gain
from voice.loop import Loop
from voice.settings import Settings
from voice.tts import Pyttsx3Voice
from voice.vad import SpeechDetector
from voice.wake import DEFAULT_PHRASE, PhraseSpotter

FIRST_SOUND = round(0.05 * SAMPLE_RATE)
"""Samples from the reply's words to its sound in the simulation: synthesis and a buffer."""
BETWEEN = round(0.2 * SAMPLE_RATE)
AIR = round(0.06 * SAMPLE_RATE)
"""Samples from the mouth's count of a sound to its return at the microphone: buffers and a few metres of air."""
FAINT = 100
"""Softer samples count as pauses when a level is taken."""
SILENCE_PEAK = 0.02
"""Of the loudest sample: what is softer at the end of a clean recording is no speech."""


@dataclass(frozen=True, slots=True)
class Event:
    """What the loop made of the sound."""

    at: int
    """Samples fed when it happened."""
    effect: Effect
    state: State


@dataclass(slots=True)
class _Playing:
    reply: Reply
    starts: list[int]
    """Sample at which each sentence begins, and at last the end of all."""
    sound: Samples
    begun: int
    told: int = 0


class Room:
    """One listener at one loop."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings | None = None,
        voice: Pyttsx3Voice | None = None,
        echo_db: float | None = None,
        tail: Samples | None = None,
        instant: bool = True,
        cancel: bool = True,
        stops: Callable[[str], float] | None = None,
    ) -> None:
        """voice: says the replies aloud, else they are silence as long as reading them takes; echo_db: level of the
        replies at the microphone, None: not at all; tail: impulse response of the room, float, shape (n,); cancel: what it plays is
        taken out of the microphone, as in the program."""
        self.settings = settings or Settings()
        self.engine = engine
        phrase = self.settings.wake_phrase or DEFAULT_PHRASE
        self.loop = Loop(
            engine.recognizer(),
            SpeechDetector(min_silence=PAUSE),
            engine.mind(),
            PhraseSpotter(engine.model, (phrase,), instant=BREAK_IN)
            if instant
            else PhraseSpotter(engine.model, (phrase, *BREAK_IN)),
            self.settings,
            always=not self.settings.wake_phrase,
            stops=stops or engine.stops,
        )
        self.events: list[Event] = []
        self._gain = Gain()
        self._voice = voice
        self._echo = None if echo_db is None else 10 ** (echo_db / 20)
        self._tail = tail
        self._playing: _Playing | None = None
        self._played = Played()
        self._clean = Canceller(self._played) if cancel and echo_db is not None else None

    @property
    def now(self) -> int:
        return self.loop.now

    @property
    def speaking(self) -> bool:
        return self._playing is not None

    @property
    def level(self) -> float:
        """Root mean square of what is being said, at the mouth, while there is a sound."""
        sound = np.zeros(1) if self._playing is None else self._playing.sound.astype(np.float64)
        loud = sound[np.abs(sound) > FAINT]
        return float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.0

    def feed(self, sound: Samples) -> list[Event]:
        """Feeds a stretch of sound, padded to whole frames; returns what happened in it."""
        before = len(self.events)
        padded = np.concatenate([sound, np.zeros(-len(sound) % FRAME_SAMPLES, np.int16)])
        for frame in padded.reshape(-1, FRAME_SAMPLES):
            self._mouth()
            self._take(self.loop.feed(self._gain(self._cancelled(self._with_echo(frame)))))
        return self.events[before:]

    def quiet(self, seconds: float, hiss: np.random.Generator | None = None) -> list[Event]:
        """Feeds silence, or the faint hiss of a microphone."""
        count = round(seconds * SAMPLE_RATE)
        return self.feed(np.zeros(count, np.int16) if hiss is None else hiss.normal(0, 3, count).astype(np.int16))

    def until_silent(self, limit_s: float = 90.0) -> list[Event]:
        """Feeds silence until nothing is said any more."""
        before, end = len(self.events), self.now + round(limit_s * SAMPLE_RATE)
        while self.speaking and self.now < end:
            self.quiet(0.1)
        return self.events[before:]

    def call(self) -> None:
        """Wakes it by its key."""
        self._take(self.loop.wake())

    def greet(self) -> None:
        """Says what the program says at each start; by then it knows whether its own voice comes back."""
        self.say(Reply("command", sentences=("I'm listening. Say: hey back talk, and then your question.",), ends=True))
        self.until_silent()

    def say(self, reply: Reply) -> None:
        """Makes it say something."""
        self._take(self.loop.say(reply))

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.events.append(Event(self.now, effect, self.loop.state))
            if isinstance(effect, Say):
                self._playing = self._begin(effect.reply)
            elif isinstance(effect, Hush):
                self._hush()
            elif isinstance(effect, Keep):
                self.loop.apply(effect.settings)

    def _begin(self, reply: Reply) -> _Playing:
        clips: list[Samples] = []
        starts, at = [], FIRST_SOUND
        for sentence in reply.sentences:
            clip = np.concatenate([self._clip(sentence), np.zeros(BETWEEN, np.int16)])
            starts.append(at)
            clips.append(clip)
            at += len(clip)
        return _Playing(reply, [*starts, at], np.concatenate([np.zeros(FIRST_SOUND, np.int16), *clips]), self.now)

    def _clip(self, sentence: str) -> Samples:
        if self._voice is None:
            return np.zeros(round(len(sentence) / 14 * SAMPLE_RATE), np.int16)
        spoken = self._voice.speak(sentence, self.settings.rate)
        rate = self._voice.sample_rate
        return np.asarray(np.round(soxr.resample(spoken.astype(np.float32), rate, SAMPLE_RATE)), np.int16)

    def _hush(self) -> None:
        if self._playing is None:
            return
        past = self.now - self._playing.begun
        protected = min(self._playing.reply.urgent_sentences, 1)
        end = max(past, self._playing.starts[protected] if protected else past)
        self._playing.sound = self._playing.sound[:end]
        self._playing.starts = [start for start in self._playing.starts if start < end] + [end]

    def _mouth(self) -> None:
        playing = self._playing
        if playing is None:
            return
        past = self.now - playing.begun
        while playing.told < len(playing.starts) - 1 and past >= playing.starts[playing.told]:
            self.loop.saying(playing.reply.sentences[playing.told])
            playing.told += 1
        if past >= playing.starts[-1]:
            self._playing = None
            self._take(self.loop.silent())

    def _cancelled(self, frame: Samples) -> Samples:
        if self._clean is None:
            return frame
        at = 0 if self._playing is None else self.now - self._playing.begun
        sound = np.zeros(0) if self._playing is None else self._playing.sound
        self._played.write(np.asarray(_piece(sound, at, at + len(frame)), np.int16))
        return self._clean(frame)

    def _with_echo(self, frame: Samples) -> Samples:
        if self._echo is None:
            return frame
        return mixed(frame, self._returning() * self._echo)

    def _returning(self) -> Any:
        """What the microphone hears of the loudspeaker in the next frame, float, shape (FRAME_SAMPLES,)."""
        if self._playing is None:
            return np.zeros(FRAME_SAMPLES)
        # The room rings on within what is played; when all was played the rest of the ringing is left out.
        begin = self.now - self._playing.begun - AIR
        reach = 0 if self._tail is None else len(self._tail) - 1
        piece = _piece(self._playing.sound, begin - reach, begin + FRAME_SAMPLES)
        return piece if self._tail is None else np.convolve(piece, self._tail, mode="valid")


def _piece(sound: Samples, begin: int, end: int) -> Any:
    out = np.zeros(end - begin)
    low, high = max(0, begin), min(len(sound), end)
    if low < high:
        out[low - begin : high - begin] = sound[low:high]
    return out


def mixed(*parts: Any) -> Samples:
    """The sum of signals, cut off at full scale."""
    total = np.sum(np.stack([np.asarray(part, np.float64) for part in parts]), axis=0)
    return np.asarray(np.clip(np.round(total), -32768, 32767), np.int16)


def load(path: Path) -> Samples:
    """A 16 kHz recording. Raises RuntimeError of soundfile on anything else."""
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise RuntimeError(f"{path} is not 16 kHz mono")
    return np.asarray(samples, np.int16)


def speech_end(samples: Samples) -> int:
    """Sample after the last sound of a recording without noise."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENCE_PEAK * np.abs(samples.astype(np.int32)).max())
    return int(loud[-1]) + 1 if len(loud) else len(samples)


def chunks(samples: Samples, seconds: float = 1.0) -> Iterator[Samples]:
    """A long sound in pieces, so that it can be left when there is enough."""
    size = round(seconds * SAMPLE_RATE)
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def without_wake(settings: Settings) -> Settings:
    """The same, always listening."""
    return replace(settings, wake_phrase="")
