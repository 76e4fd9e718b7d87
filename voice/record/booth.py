"""A recording session: takes cut out of a microphone's frames, between prompts that a mouth says."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.mic import Microphone
from voice.record.guide import ASK_CONSENT, CONSENT, Control, Event, Guide, Silence, Step
from voice.record.take import Prompt, Take
from voice.turn import Ear
from voice.vad import SpeechDetector, SpeechEnded, SpeechStarted

PREROLL = round(0.5 * SAMPLE_RATE) // FRAME_SAMPLES
"""Frames kept from before the first detected speech: voice activity is seen late at soft sounds."""
END_OF_TAKE = round(1.2 * SAMPLE_RATE)
"""Samples of silence that end a take: readers pause at commas."""
LONGEST = 25 * SAMPLE_RATE
"""Samples after which a take is cut off; it is asked for again."""
NOBODY = 12 * SAMPLE_RATE
"""Samples without speech after which the prompt is said again."""
AFTER_MOUTH = round(0.1 * SAMPLE_RATE) // FRAME_SAMPLES
"""Frames dropped after our own voice has ended: the room still sounds."""
KEPT_SILENCE = round(0.5 * SAMPLE_RATE)
"""Samples kept after the speech."""


class TakeListener:
    """Frames in, takes out; positions are counted in samples."""

    def __init__(self, ear: Ear, detector: SpeechDetector) -> None:
        self._ear = ear
        self._detector = detector
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self._detector.reset()
        self._detector.min_silence = END_OF_TAKE
        self._ear.reset()
        self._frames: deque[Samples] = deque(maxlen=PREROLL)
        self._taking: list[Samples] | None = None
        self._waited = 0
        self._began = 0

    def feed(self, frame: Samples) -> Take | Silence | None:
        """One frame of FRAME_SAMPLES; a take when one has just ended."""
        told = self._detector.accept(frame)
        if self._taking is None:
            self._frames.append(frame)
            self._waited += len(frame)
            if isinstance(told, SpeechStarted):
                self._began = told.at
                self._taking = list(self._frames)
                for kept in self._taking:
                    self._ear.accept(kept)
            elif self._waited >= NOBODY:
                self.reset()
                return Silence()
            return None
        self._taking.append(frame)
        self._ear.accept(frame)
        cut = sum(map(len, self._taking)) >= LONGEST
        if not cut and not isinstance(told, SpeechEnded):
            return None
        sound = np.concatenate(self._taking)
        silence = self._detector.position - told.at if isinstance(told, SpeechEnded) else 0
        speech = self._detector.position - silence - self._began
        kept_sound = sound[: len(sound) - max(0, silence - KEPT_SILENCE)]
        take = Take(kept_sound, self._ear.finish().text, speech, cut)
        self.reset()
        return take


class Speaks(Protocol):
    """What the booth needs of a mouth; voice.mouth.Mouth is one."""

    def say(self, sentences: Sequence[str], urgent_sentences: int = 0, name: str = "reply") -> None:
        """Begins to say the sentences, and returns."""

    def stop(self, force: bool = False) -> bool:
        """Silence now, True; or after the first sentence of a warning, False, unless `force`."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until all is said; False when the time ran out first."""

    @property
    def speaking(self) -> bool:
        """True until all is said."""


class Keeps(Protocol):
    """Where takes go; voice.record.shelf.Shelf is one."""

    def keep_consent(self, take: Take, asked: Sequence[str]) -> None:
        """Keeps the spoken consent and what it was given to."""

    def keep(self, prompt: Prompt, take: Take, doubted: bool = False) -> None:
        """Keeps a take; `doubted`: somebody should listen to it."""


class Booth:
    """Runs a guide with a microphone, a mouth, a shelf and keys."""

    def __init__(
        self,
        guide: Guide,
        microphone: Microphone,
        mouth: Speaks,
        listener: TakeListener,
        shelf: Keeps,
        keys: queue.SimpleQueue[Control],
        show: Callable[[str], None],
    ) -> None:
        """`microphone` is open; `show` puts a line on the screen."""
        self._guide, self._microphone, self._mouth = guide, microphone, mouth
        self._listener, self._shelf, self._keys, self._show = listener, shelf, keys, show

    def run(self) -> None:
        """Until the last prompt, a stop, or the end of the recording that stands for a microphone.

        Raises BacktalkError when a device is lost or a take can't be kept; what was kept stays.
        """
        step = self._guide.begin()
        while True:
            self._keep(step)
            for sentence in step.say:
                self._show(sentence)
            self._mouth.say(step.say)
            if step.over:
                self._mouth.wait()
                return
            step = self._guide.hear(self._listen())

    def _keep(self, step: Step) -> None:
        if step.keep_consent is not None:
            self._shelf.keep_consent(step.keep_consent, (*CONSENT, ASK_CONSENT))
        if step.keep is not None:
            self._shelf.keep(*step.keep, doubted=step.doubted)

    def _listen(self) -> Event:
        """The next event. Frames that come while the mouth speaks are dropped: they are its own words."""
        deaf = 0
        self._listener.reset()
        while True:
            try:
                key = self._keys.get_nowait()
            except queue.Empty:
                key = None
            if key is not None:
                self._mouth.stop()
                return key
            try:
                frame = self._microphone.read()
            except EOFError:
                return Control.STOP
            if self._mouth.speaking:
                deaf = AFTER_MOUTH
            elif deaf:
                deaf -= 1
            else:
                event = self._listener.feed(frame)
                if event is not None:
                    return event
