"""How soon it answers and whom it cuts off: recordings through the state machine, without a device, timed in samples."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.handsfree_room import Room, chunks, load, speech_end
from voice.effects import Say, Told
from voice.engine import Engine
from voice.frame import SAMPLE_RATE, Samples

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "audio_fixtures"
E2E = ROOT / "tests" / "e2e" / "recordings"
HARDLY_A_WORD = round(0.2 * SAMPLE_RATE)
"""Samples: where less speech is missing from the end of what was answered, it is whole."""
Figures = dict[str, Any]
Show = Callable[[str], None]


def lines(**wanted: Any) -> list[Figures]:
    """Lines of the fixtures' manifest whose keys have these values; for `effects`, that contain it."""
    found = [json.loads(line) for line in (FIXTURES / "manifest.jsonl").read_text("utf-8").splitlines()]
    for key, value in wanted.items():
        found = [one for one in found if (value in one["effects"] if key == "effects" else one.get(key) == value)]
    return found


def percentiles(milliseconds: list[float]) -> Figures:
    if not milliseconds:
        return {"trials": 0}
    middle, most = np.percentile(milliseconds, [50, 95])
    return {"median_ms": round(float(middle)), "p95_ms": round(float(most)), "trials": len(milliseconds)}


def ms(samples: int) -> float:
    return 1000 * samples / SAMPLE_RATE


def endpoint(engine: Engine, limit: int, show: Show, split: str = "test") -> Figures:
    """End of speech → the moment when it is decided what to say, in samples; and the computing, which depends on the machine."""
    found = [one for one in lines(split=split, noise="none") if one["kind"] in ("question", "urgent", "command")]
    found = [one for one in found if "pause" not in one["effects"] and "wake" not in one["effects"]]
    waits: dict[str, list[float]] = {}
    computing: list[float] = []
    stops = _stops(engine, split)
    for one in spread(found, limit):
        sound = load(FIXTURES / one["audio"])
        room = Room(engine, stops=stops)
        room.greet()
        room.call()
        room.quiet(0.4)
        begun = room.now
        early = [event for event in room.feed(sound[: speech_end(sound)]) if isinstance(event.effect, Say)]
        if early:
            waits.setdefault("before the end", []).append(0.0)
            continue
        for _ in range(120):
            clock = time.perf_counter()
            events = room.quiet(0.032)
            spent = 1000 * (time.perf_counter() - clock)
            said = [event for event in events if isinstance(event.effect, Say)]
            if said:
                reply = said[0].effect.reply  # type: ignore[union-attr]
                waits.setdefault(reply.action, []).append(ms(said[0].at - begun - speech_end(sound)))
                if waits[reply.action][-1] > 900:
                    heard_ = [event.effect for event in events if isinstance(event.effect, Told)]
                    show(f"{waits[reply.action][-1]:.0f} ms: {reply.action} to {heard_[-1].utterance.heard.text!r}")
                computing.append(spent)
                break
        else:
            waits.setdefault("nothing said", []).append(0.0)
    known = [wait for action, found_ in waits.items() if action in ("answer", "warn", "command") for wait in found_]
    heard = [
        wait for action, all_ in waits.items() if action not in ("before the end", "nothing said") for wait in all_
    ]
    return {
        "understood": percentiles(known),
        "all": percentiles(heard),
        "by_reply": {action: percentiles(all_) for action, all_ in sorted(waits.items())},
        "computing_in_that_frame": percentiles(computing),
    }


def _stops(engine: Engine, split: str) -> Callable[[str], float]:
    """What is known of where people stop; without the wordings of the recordings of the split dev, for they are in the pack."""
    if split == "test":
        return engine.stops
    from intents.compile import ends_of
    from intents.text import normalise

    said = {normalise(one["text"]) for one in lines(split=split) if one["text"]}
    return ends_of([one for pack in engine.understander.packs for one in pack.examples if one.text not in said]).after


def spread(found: list[Figures], limit: int) -> list[Figures]:
    """At most so many of them, evenly."""
    if len(found) <= limit:
        return found
    return [found[round(place)] for place in np.linspace(0, len(found) - 1, limit)]


def spliced(engine: Engine, split: str, limit: int) -> Iterator[tuple[Figures, Samples, float]]:
    """Questions with a silence of 0.3 to 0.9 s between two words: line, sound, its seconds."""
    rng = np.random.default_rng(7)
    ear = engine.recognizer()
    found = [one for one in lines(split=split, noise="none", kind="question") if not one["effects"]]
    for one in spread(found, limit):
        sound = load(FIXTURES / one["audio"])
        for chunk in chunks(sound, 0.032):
            ear.accept(chunk)
        words = ear.finish().words
        gaps = [(left.end + right.start) / 2 for left, right in pairwise(words) if right.start - left.end < 0.25]
        if not gaps:
            continue
        at = _quietest(sound, round(float(rng.choice(gaps)) * SAMPLE_RATE))
        pause = float(rng.uniform(0.3, 0.9))
        hush = rng.normal(0, 2, round(pause * SAMPLE_RATE)).astype(np.int16)
        yield one, np.concatenate([sound[:at], hush, sound[at:]]), pause


def _quietest(sound: Samples, near: int) -> int:
    """The softest 10 ms within 60 ms: between two words, not in one."""
    step = SAMPLE_RATE // 100
    begins = range(max(0, near - 6 * step), min(len(sound) - step, near + 6 * step), step // 2)
    loud = [(int(np.abs(sound[begin : begin + step].astype(np.int32)).sum()), begin) for begin in begins]
    return min(loud)[1] + step // 2 if loud else near


def cut_off(engine: Engine, limit: int, show: Show, split: str = "test") -> Figures:
    """Pauses of up to 0.9 s inside a question: was the person talked over, and was the question taken as two?"""
    figures: Figures = {"spliced": 0, "pause_fixtures": 0, "talked_over": 0, "taken_as_two": 0, "where": []}
    pauses = [(one, load(FIXTURES / one["audio"]), 0.0) for one in lines(split=split, effects="pause", noise="none")]
    stops = _stops(engine, split)
    for kind, source in (("spliced", spliced(engine, split, limit)), ("pause_fixtures", iter(pauses))):
        for one, sound, pause in source:
            room = Room(engine, stops=stops)
            room.greet()
            room.call()
            room.quiet(0.4)
            begun = len(room.events)
            over = room.now + speech_end(sound)
            during = [event for event in room.feed(sound[: speech_end(sound)]) if isinstance(event.effect, Say)]
            room.quiet(2.5)
            told = [event.effect for event in room.events[begun:] if isinstance(event.effect, Told)]
            figures[kind] += 1
            if during:
                figures["talked_over"] += 1
                answered = told[-1].utterance
                whole = answered.begin == told[0].utterance.begin and answered.end >= over - HARDLY_A_WORD
                figures["taken_as_two"] += not whole
                figures["where"].append(
                    {
                        "id": one["id"],
                        "pause_s": round(pause, 2),
                        "whole": whole,
                        "heard": [one.utterance.heard.text for one in told],
                        "replies": [one.reply.action for one in told],
                    }
                )
                show(f"talked over: {figures['where'][-1]}")
    return figures
