"""How far ahead the loudspeaker is filled, from how late it asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.playback_buffer import CALM_REPLIES, LONGEST_MS, SHORTEST_MS, PlaybackBuffer


def reply(buffer: PlaybackBuffer, *late_ms: float) -> int:
    """One reply in which the device asked so late; in between it asked in time."""
    for late in late_ms:
        for delay in (0.0, late, 0.0):
            buffer.asked_after((buffer.ms + delay) / 1000)
    buffer.ms = buffer.fit()
    return buffer.ms


@pytest.mark.parametrize(
    ("late_ms", "ms"),
    [
        ((), 20),
        ((2, 3, 1), 20),
        ((400,), 20),  # one crack
        ((15, 18), 40),
        ((60, 70, 110), 160),
        ((250, 260, 900), 320),
    ],
)
def test_a_reply_that_was_torn_makes_the_next_buffer_longer(late_ms: tuple[float, ...], ms: int) -> None:
    assert reply(PlaybackBuffer(), *late_ms) == ms


def test_it_gets_shorter_when_the_machine_has_kept_up_for_some_replies_and_not_before() -> None:
    buffer = PlaybackBuffer()
    assert reply(buffer, 100, 100) == 320
    assert [reply(buffer, 2, 2) for _ in range(CALM_REPLIES)] == [320] * (CALM_REPLIES - 1) + [20]
    assert reply(buffer, 100, 100) == 320
    assert [reply(buffer, 30, 30) for _ in range(CALM_REPLIES)][-1] == 80, "what these replies needed"


def test_a_slow_moment_starts_the_count_anew() -> None:
    buffer = PlaybackBuffer()
    reply(buffer, 100, 100)
    for _ in range(CALM_REPLIES - 1):
        reply(buffer)
    assert reply(buffer, 100, 100) == 320
    assert reply(buffer) == 320


@given(st.lists(st.lists(st.floats(-20, 5_000), max_size=6), max_size=40))
def test_whatever_the_machine_does_it_stays_between_its_bounds(replies: list[list[float]]) -> None:
    buffer = PlaybackBuffer()
    for late in replies:
        assert SHORTEST_MS <= reply(buffer, *late) <= LONGEST_MS
