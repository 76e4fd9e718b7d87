"""How much sound is handed to the loudspeaker in advance: as little as the machine keeps up with."""

from __future__ import annotations

SHORTEST_MS = 20
"""On a machine that keeps up. Each millisecond is one more before the first word, and after "stop"."""
LONGEST_MS = 320
TORN = 2
"""Late questions in one reply that make the buffer longer; one is a crack that nobody minds."""
CALM_REPLIES = 8
"""Replies in a row that a shorter buffer would have carried, until it is made shorter."""


class PlaybackBuffer:
    """Learns from when the device asks for more.

    A device that asks late has played a hole into a word. Where the whole machine stood still for 60 ms ten times a second
    (a shared or a swapping one), 2.4 s of holes were in 6 s of sound with 20 ms in advance, and none with 160.
    """

    def __init__(self) -> None:
        self.ms = SHORTEST_MS
        """The length that the device was opened with."""
        self._late: list[float] = []  # in this reply, milliseconds
        self._calm: list[int] = []  # what each of the last calm replies would have needed

    def asked_after(self, seconds: float) -> None:
        """While something sounds, the device asked for more this long after it did before."""
        self._late.append(1000 * seconds - self.ms)

    def fit(self) -> int:
        """After each reply: the milliseconds that the next one should have."""
        needed = _enough(sorted(self._late)[-TORN] if len(self._late) >= TORN else 0)
        self._late = []
        if needed >= self.ms:
            self._calm = []
            return needed
        self._calm.append(needed)
        if len(self._calm) < CALM_REPLIES:
            return self.ms
        longest, self._calm = max(self._calm), []
        return longest


def _enough(late_ms: float) -> int:
    """Twice the delay, for a buffer isn't full when it begins; in steps, so that the device isn't opened anew for every millisecond."""
    ms = SHORTEST_MS
    while ms < min(2 * late_ms, LONGEST_MS):
        ms *= 2
    return ms
