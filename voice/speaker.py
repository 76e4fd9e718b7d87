"""What plays sound: the protocol, how loud, and the speaker that plays to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from voice.speech import Int16

URGENT_FLOOR = 0.5
"""Volume below which no warning is said."""

NO_SPEAKER = "I can't find a loudspeaker. Please connect one, or check that the sound is switched on."


def gain(volume: float, urgent: bool = False) -> float:
    """Volume, 0 to 1 → factor for the samples: squared, because ears hear in ratios.

    A warning is never below URGENT_FLOOR.
    """
    volume = max(0.0, min(1.0, volume))
    return max(volume, URGENT_FLOOR) ** 2 if urgent else volume**2


class Speaker(Protocol):
    """Something that plays sound, in the order given. A context manager."""

    volume: float
    """0 to 1; takes effect at once, also on what is playing."""

    @property
    def playing(self) -> bool:
        """True while something sounds or waits to."""
        ...

    def begin(self, name: str) -> None:
        """A reply called `name` starts."""
        ...

    def show(self, text: str) -> None:
        """The words of what is played next, for speakers that show instead of sound."""
        ...

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        """Queue mono 16-bit samples at `rate` hertz and return at once. Raises DeviceError when there is no device."""
        ...

    def stop(self) -> None:
        """Silence now, from any thread; what was queued is forgotten."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until all is played, or stopped; False when the time ran out first. Raises DeviceError for a lost device."""
        ...

    def end(self) -> None:
        """The reply is over."""
        ...

    def __enter__(self) -> Speaker: ...

    def __exit__(self, *_: object) -> None: ...


class NoSpeaker:
    """No loudspeaker: the words are told in another way, and nobody has heard them."""

    playing = False

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets each sentence, for instance `click.echo`."""
        self.volume = 1.0
        self._tell = tell

    def begin(self, name: str) -> None:
        """See `Speaker.begin`."""

    def show(self, text: str) -> None:
        """Tells the sentence; cues and silence have none."""
        if text:
            self._tell(text)

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        """Nothing sounds."""

    def stop(self) -> None:
        """Nothing sounds."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """True: nothing sounds."""
        return True

    def end(self) -> None:
        """See `Speaker.end`."""

    def __enter__(self) -> NoSpeaker:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to give back."""
