"""A recorded question, heard through the same rooms as a spoken one, faster than real time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.gain import Gain
from voice.turn import Ear, Turn, Utterance
from voice.vad import Activity

GAP_MS = 3_000
"""Silence that separates two questions in a recording. All else is one question: a file needs no haste."""
LONGEST_MS = 120_000
"""Longest question in a recording."""
FAINT = 24
"""Loudest sample (of 32,767) of a recording in which nobody can be speaking."""

_FRAME_MS = 1000 * FRAME_SAMPLES / SAMPLE_RATE


class Detector(Protocol):
    """Tells speech from other sound; see voice.vad.SpeechDetector."""

    state: Activity

    def accept(self, frame: Samples) -> object:
        """One frame; `state` tells what it made of it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One utterance of a recording."""

    utterance: Utterance
    recognize_ms: float
    """Milliseconds from its last sample to its text, had it been live: the recognizer's backlog and last step."""


def hear(frames: Iterable[Samples], ear: Ear, detector: Detector, clock: Callable[[], float]) -> list[Recorded]:
    """The utterances of a recording, in order; empty when nobody speaks. clock: seconds, only to measure."""
    turn = Turn(ear, lambda _heard: GAP_MS, LONGEST_MS)
    heard: list[Recorded] = []
    kept: list[Samples] = []
    behind_ms = 0.0
    gain, loudest = Gain(), 0
    for raw in frames:
        loudest = max(loudest, int(abs(raw.astype("int32")).max(initial=0)))
        frame = gain(raw)
        kept.append(frame)
        begun = clock()
        detector.accept(frame)
        over = turn.feed(frame, detector.state)
        # A live frame comes every 32 ms: only what takes longer makes the recognizer late.
        behind_ms = max(0.0, behind_ms + 1000 * (clock() - begun) - _FRAME_MS)
        if over:
            heard.append(_finish(turn, behind_ms, clock))
    if turn.hearing:
        heard.append(_finish(turn, behind_ms, clock))
    if not heard and loudest > FAINT:
        # Sound without detected speech: the recognizer has the last word, for a soft voice must not go unheard.
        turn.begin(kept)
        heard.append(_finish(turn, 0.0, clock))
    return [one for one in heard if one.utterance.heard.text.strip() or len(heard) == 1]


def _finish(turn: Turn, behind_ms: float, clock: Callable[[], float]) -> Recorded:
    begun = clock()
    utterance = turn.finish()
    return Recorded(utterance, behind_ms + 1000 * (clock() - begun))
