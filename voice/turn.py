"""One utterance: from the first speech, over its pauses, to the moment when the person has finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from intents.heard import Heard
from voice.endpoint import AHEAD_MS, LONGEST_MS, PEEK_MS
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.vad import Activity

PREROLL_MS = 480
"""Sound before the first detected speech that the recognizer gets too: activity is seen late at soft sounds."""

_MS = SAMPLE_RATE // 1000
_KEPT_MS = 100
"""Silence that is kept after the last speech of a part that more was said after."""


class Ear(Protocol):
    """A recognizer of one listener's speech; see voice.stt.Recognizer."""

    def accept(self, frame: Samples) -> None: ...
    def partial(self) -> str: ...
    def finish(self) -> Heard: ...
    def reset(self) -> None: ...
    def rest(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one person said in one go."""

    heard: Heard
    begin: int
    """Sample at which speech was first detected, counted from the first frame fed."""
    end: int
    """Sample after the last detected speech."""
    cut: bool = False
    """True when it was ended by its length, in the middle of speech."""
    sound: tuple[Samples, ...] = field(default=(), repr=False, compare=False)
    """Its frames, for as long as somebody may go on with it: never stored."""

    @property
    def samples(self) -> int:
        """Length of its sound."""
        return len(self.sound) * FRAME_SAMPLES


PausePolicy = Callable[[Heard], int]
"""What was heard so far → milliseconds of silence that end the utterance; see voice.endpoint."""


class Turn:
    """Collects utterances from frames. Time is the number of samples fed; nothing here reads a clock."""

    def __init__(self, ear: Ear, allowed_pause: PausePolicy, longest_ms: int = LONGEST_MS) -> None:
        self._ear = ear
        self._allowed_pause = allowed_pause
        self._longest = longest_ms * _MS
        self._preroll: deque[Samples] = deque(maxlen=max(1, PREROLL_MS * _MS // FRAME_SAMPLES))
        self._now = 0
        self._begin: int | None = None
        self._end = 0
        self._spoken = False
        self._sound: list[Samples] = []
        self._since: int | None = None
        self._allowed: tuple[Heard, int] | None = None
        self._final: Heard | None = None
        """The final words, a moment before the pause that ends the utterance is over."""

    @property
    def hearing(self) -> bool:
        """True between the first speech of an utterance and its end, pauses included."""
        return self._begin is not None

    @property
    def resumed(self) -> bool:
        """True when the utterance goes on from words before."""
        return self._since is not None

    @property
    def began(self) -> int:
        """Sample at which speech was first detected; now, when there is none."""
        return self._now if self._begin is None else self._begin

    @property
    def silence_ms(self) -> int:
        """Milliseconds since the last speech of the utterance."""
        return (self._now - self._end) // _MS

    @property
    def text(self) -> str:
        """The words so far; may still change."""
        if self._begin is None:
            return ""
        return self._ear.partial() if self._final is None else self._final.text

    def feed(self, frame: Samples, activity: Activity) -> bool:
        """Takes one frame and the voice activity in it; True when the utterance has ended: now call `finish`."""
        speaking = activity is Activity.SPEAKING
        self._now += len(frame)
        if self._begin is None:
            if not speaking:
                self._preroll.append(frame)
                return False
            self._start(self._now - len(frame))
        if speaking and self._final is not None:
            self._reopen()
        self._spoken |= speaking
        if speaking or (activity is Activity.STARTING and not self._spoken):
            self._end = self._now  # a short first word isn't known to be speech before it is over
        self._hear(frame)
        return self._over(activity)

    def skip(self, samples: int) -> None:
        """Time goes on while nobody is listened to."""
        self._now += samples

    def begin(self, kept: list[Samples]) -> None:
        """Starts an utterance with sound that came before: what followed the wake phrase in one breath."""
        self.drop()
        self._preroll.extend(kept)
        self._begin, self._end = self._now, self._now
        for frame in kept:
            self._hear(frame)

    def resume(self, before: Utterance) -> None:
        """Makes the utterance that is being heard go on from `before`: it turned out that the person hadn't finished.

        All of it is heard anew as one: half a sentence misleads about the words of its other half.
        """
        self._sound = [*before.sound, *self._sound]
        self._since = before.begin
        self._ear.reset()
        self._reopen()

    def finish(self) -> Utterance:
        """The utterance, with what it goes on from in one; ready for the next."""
        heard = self._ear.finish() if self._final is None else self._final
        begin = self._begin if self._begin is not None else self._now
        since = begin if self._since is None else self._since
        silence = max(0, self._now - self._end - _KEPT_MS * _MS) // FRAME_SAMPLES
        sound = tuple(self._sound[: len(self._sound) - silence])
        utterance = Utterance(heard, since, max(self._end, begin), self._now - begin >= self._longest, sound)
        self._clear()
        return utterance

    def whole(self, first: Utterance, second: Utterance) -> Utterance:
        """Two utterances of a person who went on, heard anew as one. Drops what is being heard."""
        self.drop()
        sound = (*first.sound, *second.sound)
        return replace(second, heard=hear_at_once(self._ear, sound), begin=first.begin, sound=sound)

    def again(self, sound: Iterable[Samples]) -> Heard:
        """The words in these frames, between two utterances."""
        return hear_at_once(self._ear, sound)

    def drop(self) -> None:
        """Forgets the utterance."""
        if self._begin is not None:
            self._ear.reset()
        self._clear()

    def rest(self) -> None:
        """Forgets the utterance, and gives back the memory that hearing took: nothing is expected soon."""
        self.drop()
        self._ear.rest()

    def _clear(self) -> None:
        self._begin, self._since, self._allowed, self._final = None, None, None, None
        self._spoken = False
        self._sound = []
        self._preroll.clear()

    def _hear(self, frame: Samples) -> None:
        self._sound.append(frame)
        if self._final is None:
            self._ear.accept(frame)

    def _reopen(self) -> None:
        """Hears all of it again: what was taken for the end is none."""
        self._allowed, self._final = None, None
        for frame in self._sound:
            self._ear.accept(frame)

    def _start(self, begin: int) -> None:
        self._begin, self._end = begin, begin
        for frame in self._preroll:
            self._hear(frame)
        self._preroll.clear()

    def _over(self, activity: Activity) -> bool:
        begin = self._now if self._begin is None else self._begin
        if self._now - begin >= self._longest:
            return True
        if activity in (Activity.SPEAKING, Activity.STARTING) or self.silence_ms < PEEK_MS:
            return False  # whoever is just starting again may not be cut off before it is known to be speech
        pause = self._pause(Heard(self.text) if self._final is None else self._final)
        if self._final is None and self.silence_ms >= pause - AHEAD_MS:
            # The last words come with the end, and may show that it is none: "what are the options", and then "for".
            self._final = self._ear.finish()
            pause = self._pause(self._final)
        return self.silence_ms >= pause

    def _pause(self, heard: Heard) -> int:
        if self._allowed is None or self._allowed[0] != heard:  # understand only what is new
            self._allowed = (heard, self._allowed_pause(heard))
        return self._allowed[1]


def hear_at_once(ear: Ear, sound: Iterable[Samples]) -> Heard:
    """The words in these frames, an utterance of its own."""
    for frame in sound:
        ear.accept(frame)
    return ear.finish()
