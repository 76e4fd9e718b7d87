"""What it costs to have it in the room: processor time in silence, memory over hours."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from benchmarks.handsfree_fast import E2E, FIXTURES, Figures, Show, lines
from benchmarks.handsfree_room import Room, load
from voice.engine import Engine
from voice.frame import SAMPLE_RATE


def idle(engine: Engine, seconds: float) -> Figures:
    """Processor time a second of silence takes, of one core; also of a room's hiss."""
    figures: Figures = {}
    for name, hiss in (("silence", None), ("hiss", np.random.default_rng(1))):
        room = Room(engine)
        room.quiet(5.0, hiss)
        begun = time.process_time()
        room.quiet(seconds, hiss)
        figures[name] = {"percent_of_a_core": round(100 * (time.process_time() - begun) / seconds, 2)}
    return figures


def memory(engine: Engine, hours: float, budget_s: float, show: Show) -> Figures:
    """Resident memory after the first ten minutes and after hours: each ten minutes have talk, questions, answers."""
    questions = [load(FIXTURES / one["audio"]) for one in lines(split="test", condition="clean")][:40]
    talk = [load(FIXTURES / one["audio"]) for one in lines(kind="oos", split="test") if one["text"]][:40]
    wake_up = load(E2E / "wake_definition.flac")
    room = Room(engine)
    began, first, at, rounds = time.monotonic(), 0.0, 0.0, 0
    series: list[tuple[float, float]] = []
    while room.now < hours * 3600 * SAMPLE_RATE and time.monotonic() - began < budget_s:
        room.feed(wake_up)
        room.quiet(2)
        room.until_silent()
        for place in range(3):
            room.feed(questions[(3 * rounds + place) % len(questions)])
            room.quiet(2)
            room.until_silent()
        room.quiet(12)
        room.feed(talk[rounds % len(talk)])
        room.events.clear()
        rounds += 1
        until = rounds * 600 * SAMPLE_RATE
        while room.now < until:
            room.quiet(min(10.0, (until - room.now) / SAMPLE_RATE))
        at = room.now / SAMPLE_RATE / 3600
        series.append((round(at, 2), round(_resident_mb(), 1)))
        first = first or series[0][1]
        show(f"{at:.2f} h: {series[-1][1]} MB")
    return {
        "hours": round(at, 2),
        "first_mb": first,
        "last_mb": series[-1][1],
        "growth_percent": round(100 * (series[-1][1] / first - 1), 2),
        "series": series[:: max(1, len(series) // 12)],
    }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
