"""Recording a volunteer who reads sentences, guided by voice alone: consent, prompts, takes that can be used.

`Guide` is a state machine without sound, clock or disk; `TakeListener` cuts takes out of frames; `Shelf` keeps them;
`Booth` joins these with a microphone and a mouth.
"""

from __future__ import annotations

import queue
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

import numpy as np
from rapidfuzz import fuzz

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.mic import Microphone
from voice.speech import loudness_dbfs
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

QUIETEST_DBFS = -48.0
"""Loudness of speech below which a take is too quiet."""
FULL_SCALE = 32_600
"""A sample at least this large is at the end of the scale."""
CLIPPED_RUN = 3
"""Samples in a row at full scale that count as one clipped peak: a single one may be chance."""
CLIPPED_PEAKS = 2
"""Clipped peaks from which a take is unusable."""
SHORTEST = round(0.15 * SAMPLE_RATE)
"""Samples of speech: anything shorter was no word."""
FASTEST_WORD = round(0.1 * SAMPLE_RATE)
"""Samples of speech for each word of the prompt: with less, the beginning was lost, as when one starts too soon."""
KEPT_SILENCE = round(0.5 * SAMPLE_RATE)
"""Samples kept after the speech."""
UNLIKE = 45.0
"""Similarity (0 to 100) to the prompt below which something else may have been said; strangers have about 35."""
TRIES = 3
"""Unusable takes, or silences, after which a prompt is left for another time."""

CONSENT = (
    "This records your voice while you read sentences, so that Backtalk can be tested with real people.",
    "The recordings stay in a folder on this computer. Nothing is sent anywhere. You can delete the folder any time.",
    "Whoever you give the folder to can hear your voice and use it to test and improve Backtalk.",
)
ASK_CONSENT = "If you agree, say: I agree to be recorded. If you don't, say: no."
HOW = (
    "Thank you. I say a sentence, and you say it after me, in your own way.",
    "You can say: say it again, skip this one, or stop recording. Or press R, S or Q, and then Enter.",
)
WELCOME_BACK = "Welcome back. You agreed to be recorded, and I go on where we stopped."


class Control(Enum):
    """What a volunteer can ask for, by voice or key."""

    REPEAT = "r"
    SKIP = "s"
    STOP = "q"


LONG_FORMS = {
    "say it again": Control.REPEAT,
    "say that again": Control.REPEAT,
    "skip this one": Control.SKIP,
    "skip this": Control.SKIP,
    "stop recording": Control.STOP,
    "stop the recording": Control.STOP,
}
SHORT_FORMS = {
    "repeat": Control.REPEAT,
    "again": Control.REPEAT,
    "skip": Control.SKIP,
    "next": Control.SKIP,
    "stop": Control.STOP,
    "quit": Control.STOP,
}
"""These count only where they aren't the sentence to be read."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence to read."""

    id: str
    text: str
    label: str
    kind: str
    extra: dict[str, object] = field(default_factory=dict)
    """Further keys of its manifest line."""


@dataclass(frozen=True, slots=True)
class Take:
    """One utterance of the volunteer."""

    samples: Samples
    text: str
    """What the recognizer heard."""
    speech: int | None = None
    """Samples from the first speech to the last, pauses included; None: all of them."""
    cut: bool = False
    """True when it was ended by its length."""


class Silence:
    """Nobody spoke for NOBODY samples."""


Event = Take | Control | Silence


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: keep something, say something, and then listen or end."""

    say: tuple[str, ...]
    keep_consent: Take | None = None
    keep: tuple[Prompt, Take] | None = None
    doubted: bool = False
    """True when the kept take was heard as something else, twice: somebody should listen to it."""
    over: bool = False


def normalised(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def control_in(text: str, prompt: str = "") -> Control | None:
    """The order in an utterance, unless it is just the sentence to be read."""
    said = normalised(text)
    if said == normalised(prompt):
        return None
    return LONG_FORMS.get(said) or SHORT_FORMS.get(said)


def agrees(text: str) -> bool | None:
    """True for consent, False for refusal, None for anything else. In doubt there is no consent."""
    words = normalised(text).split()
    if {"no", "not", "don't", "never", "disagree", "stop", "cannot", "can't", "won't"} & set(words):
        return False
    return True if {"agree", "agreed", "consent"} & set(words) else None


def clipped_peaks(samples: Samples) -> int:
    """How many times the sound was cut off at the end of the scale."""
    full = np.abs(samples.astype(np.int32)) >= FULL_SCALE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= CLIPPED_RUN))


def fault_of(take: Take, prompt: str = "") -> str | None:
    """What to tell the volunteer about an unusable take of `prompt`; None for a good one."""
    speech = len(take.samples) if take.speech is None else take.speech
    if take.cut:
        return "That was too long."
    if speech < max(SHORTEST, FASTEST_WORD * len(prompt.split())):
        return "That was too short. Please wait until I have finished."
    if clipped_peaks(take.samples) >= CLIPPED_PEAKS:
        return "That was too loud for the microphone. Please move back a little, or turn it down."
    if loudness_dbfs(take.samples, SAMPLE_RATE) < QUIETEST_DBFS:
        return "That was too quiet. Please come closer to the microphone, or turn it up."
    return None


class Guide:
    """From what was heard to what to do next. Feed it events; it never waits."""

    def __init__(self, prompts: Sequence[Prompt], consented: bool = False) -> None:
        """`prompts`: what is still to be read; `consented`: consent is on the shelf from an earlier time."""
        self._left = deque(prompts)
        self._total = len(prompts)
        self._consented = consented
        self._tries = 0
        self.kept = 0
        """Takes kept this time."""

    def begin(self) -> Step:
        """The opening: asks for consent, or goes on."""
        if not self._left:
            return Step(("There is nothing left to read. Thank you.",), over=True)
        if self._consented:
            return Step((WELCOME_BACK, *HOW[1:], *self._ask()))
        return Step((*CONSENT, ASK_CONSENT))

    def hear(self, event: Event) -> Step:
        """The next step after an utterance, a key or a silence."""
        return self._hear_sentence(event) if self._consented else self._hear_consent(event)

    def _hear_consent(self, event: Event) -> Step:
        if event is Control.STOP:
            return self._refused()
        if event is Control.REPEAT:
            return Step((*CONSENT, ASK_CONSENT))
        if isinstance(event, Take):
            consent = agrees(event.text)
            if consent is False:
                return self._refused()
            fault = fault_of(event)
            if consent and fault is None:
                self._consented, self._tries = True, 0
                return Step((*HOW, *self._ask()), keep_consent=event)
            if consent:
                return self._consent_again(fault or "")
        return self._consent_again("I didn't hear that you agree.")

    def _consent_again(self, why: str) -> Step:
        self._tries += 1
        if self._tries >= TRIES:
            return Step((f"{why} So nothing is recorded. Please start me again when you like.",), over=True)
        return Step((why, ASK_CONSENT))

    def _refused(self) -> Step:
        return Step(("That's fine. Nothing was recorded. Goodbye.",), over=True)

    def _hear_sentence(self, event: Event) -> Step:
        prompt = self._left[0]
        if isinstance(event, Take):
            event = control_in(event.text, prompt.text) or event
        if event is Control.STOP:
            return self._end("All right, we stop here.")
        if event is Control.REPEAT:
            return Step(self._ask())
        if event is Control.SKIP:
            return self._next("Skipped.")
        if not isinstance(event, Take):
            return self._again("I heard nothing.")
        fault = fault_of(event, prompt.text)
        if fault is not None:
            return self._again(fault)
        doubted = fuzz.ratio(normalised(event.text), normalised(prompt.text)) < UNLIKE
        if doubted and self._tries == 0:
            # Asked only once: a voice that the recognizer can't follow is what we want to have on record.
            return self._again("That sounded like something else.")
        self.kept += 1
        return replace(self._next("Good.", keep=(prompt, event)), doubted=doubted)

    def _again(self, why: str) -> Step:
        self._tries += 1
        if self._tries >= TRIES:
            return self._next(f"{why} We leave that one for another time.")
        return Step((why, "Once more, please.", *self._ask()))

    def _next(self, word: str, keep: tuple[Prompt, Take] | None = None) -> Step:
        self._left.popleft()
        self._tries = 0
        if not self._left:
            return self._end(f"{word} That was the last one.", keep)
        return Step((word, *self._ask()), keep=keep)

    def _end(self, word: str, keep: tuple[Prompt, Take] | None = None) -> Step:
        noun = "sentence" if self.kept == 1 else "sentences"
        return Step((word, f"I kept {self.kept} {noun}. Thank you very much. Goodbye."), keep=keep, over=True)

    def _ask(self) -> tuple[str, ...]:
        number = self._total - len(self._left) + 1
        return (f"Number {number} of {self._total}. Please say:", self._left[0].text)


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

    def say(self, sentences: Sequence[str], urgent_sentences: int = 0, name: str = "reply") -> None: ...
    def stop(self, force: bool = False) -> bool: ...
    def wait(self, timeout_s: float | None = None) -> bool: ...
    @property
    def speaking(self) -> bool: ...


class Keeps(Protocol):
    """Where takes go; voice.takes.Shelf is one."""

    def keep_consent(self, take: Take, asked: Sequence[str]) -> None: ...
    def keep(self, prompt: Prompt, take: Take, doubted: bool = False) -> None: ...


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
