"""Saying a reply: sentences in, sound out, the next sentence made while one is heard."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures import wait as first_of
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from voice.cues import WORDS, CueName, cue
from voice.errors import BacktalkError, DeviceError, VoiceError
from voice.speaker import Speaker
from voice.speech import Clip, pieces
from voice.tts import SpokenWarnings, Voice, urgent_rate

log = logging.getLogger(__name__)

PAUSE_S = 0.2
"""Silence between two sentences."""
CUE_PAUSE_S = 0.15
"""Silence between the urgent cue and the warning: without it, its first word was misheard."""
URGENT_PATIENCE_S = 1.5
"""Longer than this no one waits for a warning: the recorded one is said, then the warning itself if it still comes."""


class MouthSettings(Protocol):
    """What the mouth needs to know of a listener; voice.settings.Settings is one."""

    @property
    def rate(self) -> int:
        """Words a minute."""
        ...

    @property
    def volume(self) -> int:
        """Percent."""
        ...

    @property
    def cues(self) -> str:
        """`sounds`, `words` or `off`."""
        ...


@dataclass(frozen=True, slots=True)
class _Part:
    """What is synthesised and played in one go."""

    text: str
    urgent: bool
    ends_sentence: bool
    sentence: int


class _Utterance:
    """One reply on its way: which of its sentences may still be silenced, and how it ended."""

    def __init__(self, sentences: Sequence[str], urgent_sentences: int, name: str, started: float) -> None:
        self.parts = tuple(_parts(sentences, urgent_sentences))
        self.name = name
        self.started = started
        self.urgent_sentences = min(urgent_sentences, len(sentences))
        self.protected = min(self.urgent_sentences, 1)
        """Sentences below this number are said whatever `stop` says."""
        self.stopped = False
        self.hushed: Future[None] = Future()
        """Done when it was stopped: whoever waits for the voice need not wait on."""
        self.current = 0
        self.alarmed = False
        """The recorded warning was said."""
        self.failure: BacktalkError | None = None
        self.thread: threading.Thread | None = None

    def silenced(self, sentence: int) -> bool:
        return self.stopped and sentence >= self.protected


def _parts(sentences: Sequence[str], urgent_sentences: int) -> list[_Part]:
    parts: list[_Part] = []
    for number, sentence in enumerate(sentences):
        texts = list(pieces(sentence))
        parts += [_Part(text, number < urgent_sentences, text is texts[-1], number) for text in texts]
    return parts


def _then_pause(clip: Clip, seconds: float) -> Clip:
    pause = np.zeros(round(seconds * clip.rate), dtype=np.int16)
    return Clip(np.concatenate([clip.samples, pause]), clip.rate)


class Mouth:
    """Says replies through a voice and a loudspeaker, one after the other, in the background.

    A warning's sentences are taken from `warnings` where they were kept, said slowly, after the urgent cue, never below
    an audible volume; its first sentence can't be silenced by `stop`. When the voice fails, kept and recorded sentences
    are said instead, and `wait` raises what happened.
    """

    def __init__(
        self,
        voice: Voice,
        speaker: Speaker,
        warnings: SpokenWarnings,
        settings: MouthSettings,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` gives seconds; a simulation gives its own."""
        self.settings = settings
        self.voice = voice
        self.speaker = speaker
        self.first_audio_s: float | None = None
        """Seconds from the last `say` to its first sample of speech at the loudspeaker; None until then."""
        self._warnings = warnings
        self._clock = clock
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mouth-voice")
        self._lock = threading.RLock()
        self._utterance: _Utterance | None = None
        """The newest one; it may still wait for the end of a warning."""
        self._sounding: _Utterance | None = None
        self._saying = ""

    # What is said

    def say(self, sentences: Sequence[str], urgent_sentences: int = 0, name: str = "reply") -> None:
        """Start to say a reply, and return. What is being said is stopped, but a warning is said to its end first.

        `name` names the reply's file where there is one.
        """
        with self._lock:
            before, now = self._utterance, _Utterance(sentences, urgent_sentences, name, self._clock())
            if before is not None:
                self._silence(before, before.urgent_sentences)
            self._utterance, self.first_audio_s = now, None
            now.thread = threading.Thread(target=self._run, args=(now, before), name="mouth", daemon=True)
            now.thread.start()

    def prepare(self, sentences: Sequence[str], urgent_sentences: int = 0) -> None:
        """Make the first words of a reply that may be said in a moment: 15 ms less to wait then, and more on a slow machine.

        What goes wrong with them goes wrong again when they are said, and is told then.
        """
        for part in _parts(sentences[:1], urgent_sentences)[:1]:
            self._make(part)

    def cue(self, name: CueName) -> None:
        """Play a cue, or say its words where the listener prefers words. The urgent cue is never left out."""
        if self.settings.cues == "words":
            self.say([WORDS[name]])
        elif self.settings.cues == "sounds" or name == "urgent":
            self._play(cue(name), urgent=name == "urgent")

    def stop(self, force: bool = False) -> bool:
        """Silence now, True; or, without `force`, after the first sentence of a warning, False."""
        with self._lock:
            silent = True
            for utterance in filter(None, (self._sounding, self._utterance)):
                silent &= self._silence(utterance, 0 if force else min(utterance.urgent_sentences, 1))
            if self._sounding is None:
                self.speaker.stop()  # a cue
            return silent

    def _silence(self, utterance: _Utterance, protected: int) -> bool:
        """Whether it is silent now: not when it is in one of its `protected` sentences, or about to say them."""
        utterance.protected, utterance.stopped = protected, True
        if not utterance.hushed.done():
            utterance.hushed.set_result(None)
        if utterance.current < protected and utterance.parts and utterance.thread is not None:
            return not utterance.thread.is_alive()
        if utterance is self._sounding:
            self.speaker.stop()
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the last reply is said or stopped; False when the time ran out first.

        Raises what kept it from being said: VoiceError (the listener has been told) or DeviceError. Once.
        """
        utterance = self._utterance
        if utterance is None or utterance.thread is None:
            return True
        utterance.thread.join(timeout_s)
        if utterance.thread.is_alive():
            return False
        failure, utterance.failure = utterance.failure, None
        if failure is not None:
            raise failure
        return True

    @property
    def speaking(self) -> bool:
        """True until the last sentence of what is to be said has ended."""
        utterance = self._utterance
        return utterance is not None and utterance.thread is not None and utterance.thread.is_alive()

    @property
    def saying(self) -> str:
        """The words that are sounding now; empty in a pause."""
        return self._saying

    def close(self) -> None:
        """Stop, even a warning, and let go of the threads. Voice and loudspeaker belong to whoever made them."""
        self.stop(force=True)
        self._maker.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Mouth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # How it is said

    def _run(self, utterance: _Utterance, before: _Utterance | None) -> None:
        if before is not None and before.thread is not None:
            before.thread.join()
            if before.failure is not None:
                log.warning("the reply before was not said: %s", before.failure.reason)
        try:
            self._sounding = utterance
            self.speaker.begin(utterance.name)
            try:
                self._say_parts(utterance)
            finally:
                self.speaker.end()
        except BacktalkError as error:
            log.warning("a reply was not said: %s", error.reason)
            utterance.failure = error
        finally:
            self._sounding = None

    def _say_parts(self, utterance: _Utterance) -> None:
        parts = utterance.parts
        made = [self._make(part) for part in parts[:1]]
        if utterance.urgent_sentences:
            self._play(_then_pause(cue("urgent"), CUE_PAUSE_S), urgent=True)
        broken: VoiceError | None = None
        for index, part in enumerate(parts):
            if utterance.silenced(part.sentence):
                break
            utterance.current = part.sentence
            clip = None
            try:
                clip = self._ready(made[index], part, utterance)
            except VoiceError as error:
                broken = broken or error
                clip = self._warnings.get(part.text)
            if index + 1 < len(parts):
                made.append(self._make(parts[index + 1]))
            if utterance.silenced(part.sentence):
                break
            if clip is not None:
                self._sound(utterance, part, clip)
            elif part.urgent:
                self._alarm(utterance, part)
            else:
                break
        for left in made:
            left.cancel()
        if broken is not None:
            self._tell_broken(utterance)
            raise broken

    def _make(self, part: _Part) -> Future[Clip]:
        """The samples of a part: kept ones at once, whatever state the engine is in, else from the voice, later."""
        kept = self._warnings.get(part.text) if part.urgent else None
        if kept is not None:
            done: Future[Clip] = Future()
            done.set_result(kept)
            return done
        rate = urgent_rate(self.settings.rate) if part.urgent else self.settings.rate
        return self._maker.submit(lambda: Clip(self.voice.speak(part.text, rate), self.voice.sample_rate))

    def _ready(self, made: Future[Clip], part: _Part, utterance: _Utterance) -> Clip | None:
        """The samples of a part, waited for; None when it was silenced first: a warning must not wait for a stuck voice."""
        if not part.urgent:
            either: tuple[Future[Any], ...] = (made, utterance.hushed)
            first_of(either, return_when=FIRST_COMPLETED)
            return None if utterance.silenced(part.sentence) else made.result()
        try:
            return made.result(URGENT_PATIENCE_S)
        except FutureTimeout:
            log.warning("the voice is late for a warning: the recorded one is said first")
            self._alarm(utterance, part)
            return made.result()

    def _alarm(self, utterance: _Utterance, part: _Part) -> None:
        if not utterance.alarmed:
            utterance.alarmed = True
            self._sound(utterance, part, self._warnings.recorded("emergency"))

    def _sound(self, utterance: _Utterance, part: _Part, clip: Clip) -> None:
        """Play one part and wait for its end; once more, on a device opened afresh, when the device was lost."""
        sound = _then_pause(clip, PAUSE_S if part.ends_sentence else 0.0)
        try:
            for attempt in (1, 2):
                with self._lock:  # a stop comes before the sound or after its start, never unheard in between
                    if utterance.silenced(part.sentence):
                        return
                    if attempt == 1:
                        self._started(utterance, part)
                    self._play(sound, urgent=part.urgent)
                try:
                    self.speaker.wait()
                    return
                except DeviceError as error:
                    if attempt == 2:
                        raise
                    log.warning("loudspeaker lost, opened again: %s", error.reason)
        finally:
            self._saying = ""

    def _started(self, utterance: _Utterance, part: _Part) -> None:
        self.speaker.show(part.text)
        self._saying = part.text
        if self.first_audio_s is None and utterance is self._utterance:
            self.first_audio_s = self._clock() - utterance.started

    def _tell_broken(self, utterance: _Utterance) -> None:
        with self._lock:
            if utterance.silenced(len(utterance.parts)):
                return
            self._play(cue("error"))
            self._play(self._warnings.recorded("no_voice"))
        self.speaker.wait()

    def _play(self, clip: Clip, urgent: bool = False) -> None:
        self.speaker.volume = self.settings.volume / 100
        self.speaker.play(clip.samples, clip.rate, urgent=urgent)
