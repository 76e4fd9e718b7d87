"""The hands-free figures that need no device: recordings through the state machine, timed in samples."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.handsfree_room import Room, chunks, load, mixed, speech_end, without_wake
from intents.reply import Reply
from voice.effects import Cue, Hush, Say, State, Told
from voice.ends import Ends
from voice.engine import Engine
from voice.frame import SAMPLE_RATE, Samples
from voice.settings import Settings
from voice.tts import Pyttsx3Voice

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "audio_fixtures"
HUMAN = ROOT.parent / "shared" / "human_speech"
E2E = ROOT / "tests" / "e2e" / "recordings"
SNR_DB = 12.0
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


# --- how soon


def endpoint(engine: Engine, limit: int, show: Show, split: str = "test") -> Figures:
    """End of speech → the moment when it is decided what to say, in samples; and the computing, which depends on the machine."""
    found = [one for one in lines(split=split, noise="none") if one["kind"] in ("question", "urgent", "command")]
    found = [one for one in found if "pause" not in one["effects"] and "wake" not in one["effects"]]
    waits: dict[str, list[float]] = {}
    computing: list[float] = []
    stops = _stops(engine, split)
    for one in _spread(found, limit):
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
    """What is known of where people stop, without the wordings of the recordings: those of the split dev are in the pack."""
    from intents.text import normalise

    said = {normalise(one["text"]) for one in lines(split=split) if one["text"]}
    return Ends(text for text in engine.understander.hints.sentences if text not in said).after


def _spread(found: list[Figures], limit: int) -> list[Figures]:
    if len(found) <= limit:
        return found
    return [found[round(place)] for place in np.linspace(0, len(found) - 1, limit)]


def spliced(engine: Engine, split: str, limit: int) -> Iterator[tuple[Figures, Samples, float]]:
    """Questions with a silence of 0.3 to 0.9 s between two words: line, sound, its seconds."""
    rng = np.random.default_rng(7)
    ear = engine.recognizer()
    found = [one for one in lines(split=split, noise="none", kind="question") if not one["effects"]]
    for one in _spread(found, limit):
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
            during = [event for event in room.feed(sound[: speech_end(sound)]) if isinstance(event.effect, Say)]
            room.quiet(2.5)
            told = [event.effect for event in room.events[begun:] if isinstance(event.effect, Told)]
            figures[kind] += 1
            if during:
                figures["talked_over"] += 1
                two = not told[-1].utterance.heard.text.startswith(told[0].utterance.heard.text)
                figures["taken_as_two"] += two or len(told) < 2
                figures["where"].append(
                    {
                        "id": one["id"],
                        "pause_s": round(pause, 2),
                        "heard": [one.utterance.heard.text for one in told],
                        "replies": [one.reply.action for one in told],
                    }
                )
                show(f"talked over: {figures['where'][-1]}")
    return figures


# --- waking


def wake(engine: Engine, limit: int, show: Show) -> Figures:
    """The wake phrase by test voices, 2 m away in a living room, in a kitchen's noise at 12 dB."""
    from tools.fixtures import noises, rooms, sound, voices

    rng = np.random.default_rng(11)
    continuations = ("what is facet hypertrophy", "", "is it serious", "how is it treated", "my legs feel numb")
    crowd = voices.of("test")
    trials, hits, missed, delays = 0, 0, [], []
    for place in range(limit):
        speaker = crowd[place % len(crowd)]
        after = continuations[place // len(crowd) % len(continuations)]
        phrase = voices.speak(speaker, "hey back talk", float(rng.integers(140, 190)))
        speech = np.concatenate([phrase, np.zeros(2000), voices.speak(speaker, after, 165.0)]) if after else phrase
        wet = rooms.reverberate(speech, "living_2m", speaker.split, place)
        wet = np.concatenate([np.zeros(SAMPLE_RATE), wet, np.zeros(SAMPLE_RATE)])
        noise = noises.excerpt("kitchen", speaker.split, len(wet), rng)
        mix = wet + noise * sound.speech_rms(wet) * sound.db(-SNR_DB)
        room = Room(engine)
        room.quiet(0.5)
        awake = None
        for chunk in chunks(np.asarray(np.round(sound.to_peak(mix, -12.0) * 32767), np.int16), 0.032):
            room.feed(chunk)
            if room.loop.state is not State.ASLEEP:
                awake = room.now
                break
        trials += 1
        hits += awake is not None
        if awake is None:
            missed.append(f"{speaker.name}: hey back talk {after}".strip())
        else:
            delays.append(ms(awake - round(1.5 * SAMPLE_RATE) - len(phrase)))
    return {"trials": trials, "hits": hits, "share": round(hits / max(1, trials), 4), "missed": missed} | {
        "after_the_phrase": percentiles(delays)
    }


def false_wakes(engine: Engine, minutes: float, show: Show) -> Figures:
    """Speech that is not for it: fixtures without the phrase, people, a television."""
    figures: Figures = {"hours": 0.0, "wakes": 0, "by_source": {}, "where": []}
    for name, source in (
        ("fixtures", _fixture_speech()),
        ("people", _human_speech()),
        ("television", _television(minutes)),
    ):
        room = Room(engine)
        fed, wakes = 0, 0
        for label, sound in source:
            room.quiet(0.3)
            for chunk in chunks(sound):
                room.feed(chunk)
                if room.loop.state is not State.ASLEEP:
                    wakes += 1
                    figures["where"].append(f"{name}: {label}")
                    show(f"woken by {name}: {label}")
                    room = Room(engine)
            fed += len(sound)
        figures["by_source"][name] = {"hours": round(fed / SAMPLE_RATE / 3600, 3), "wakes": wakes}
        figures["hours"] = round(figures["hours"] + fed / SAMPLE_RATE / 3600, 3)
        figures["wakes"] += wakes
        show(f"{name}: {figures['by_source'][name]}")
    # With no wakes in T hours the rate is, with 95 % confidence, below 3 / T (the rule of three).
    figures["at_most_in_10_h_95"] = round(30 / figures["hours"], 1) if not figures["wakes"] else None
    return figures


def _fixture_speech() -> Iterator[tuple[str, Samples]]:
    for one in lines():
        if "wake" not in one["effects"]:
            yield one["id"], load(FIXTURES / one["audio"])


def _human_speech() -> Iterator[tuple[str, Samples]]:
    for path in sorted(HUMAN.glob("*.flac")) if HUMAN.is_dir() else ():
        yield path.name, load(path)


def _television(minutes: float) -> Iterator[tuple[str, Samples]]:
    from tools.fixtures import noises, sound, talk

    sentences = [*noises.TALK, *dict.fromkeys(one["text"] for one in lines(kind="oos") if one["text"])]
    for number in range(round(minutes)):
        split = "dev" if number % 2 else "test"
        rng = np.random.default_rng([5, number])
        _said, heard = talk.television_talk(sentences, 60.0, split, rng)  # type: ignore[arg-type]
        level = float(rng.integers(-30, -11))
        yield f"minute {number}", np.asarray(np.round(sound.to_peak(heard, level) * 32767), np.int16)


# --- its own voice


def own_voice(engine: Engine, minutes: float, show: Show, cancel: bool = True) -> Figures:
    """Its own replies come back at 0 dB, dry and through a living room: it may not wake, answer, warn or stop."""
    from tools.fixtures import rooms

    tail = rooms.impulse_response("living_2m", "dev", 0)
    tail = tail[: round(0.15 * SAMPLE_RATE)] / np.sqrt(np.sum(tail**2))
    replies = list(_replies(engine))
    spoken, faults, place = 0, [], 0
    with Pyttsx3Voice() as voice:
        for room in (Room(engine, voice=voice, echo_db=0.0, tail=one, cancel=cancel) for one in (None, tail)):
            end = room.now + round(minutes / 2 * 60 * SAMPLE_RATE)
            while room.now < end:
                reply = replies[place % len(replies)]
                place += 1
                before = len(room.events)
                room.say(reply)
                begun = room.now
                room.until_silent()
                spoken += room.now - begun
                room.quiet(3.0)
                for event in room.events[before + 1 :]:
                    if isinstance(event.effect, (Told, Hush)) or (
                        isinstance(event.effect, Cue) and event.effect.name == "awake"
                    ):
                        heard = event.effect.utterance.heard.text if isinstance(event.effect, Told) else ""
                        faults.append(
                            f"{type(event.effect).__name__} {heard!r} at {ms(event.at - begun):.0f} ms of {reply.speech!r}"
                        )
                        show(faults[-1])
                room.until_silent()
    return {
        "minutes_spoken": round(spoken / SAMPLE_RATE / 60, 1),
        "replies": place,
        "faults": len(faults),
        "where": faults,
    }


def _replies(engine: Engine) -> Iterator[Reply]:
    """What it says: answers to what the test writers ask, warnings, help, and its own wake phrase."""
    from intents.heard import Heard

    seen = set()
    yield engine.mind().greeting()
    yield Reply("command", sentences=("I'm listening. Say: hey back talk, and then your question.",), ends=True)
    for one in lines(split="test"):
        if one["text"] and one["kind"] in ("question", "urgent", "command"):
            reply = engine.mind().reply(Heard(one["text"], typed=True))
            if reply.sentences and reply.sentences not in seen:
                seen.add(reply.sentences)
                yield reply


def stop(
    engine: Engine, limit: int, show: Show, cancel: bool = True, words: str = "stop", split: str | None = None
) -> Figures:
    """Words that break in, by many voices while it speaks, 10 dB above its own at the microphone: heard, how soon."""
    from tools.fixtures import voices

    speakers = [one for one in voices.SPEAKERS if split in (None, one.split)]

    rng = np.random.default_rng(3)
    waits: list[float] = []
    missed: list[str] = []
    replies = [reply for reply in _replies(engine) if len(reply.speech) > 160 and not reply.urgent_sentences]
    with Pyttsx3Voice() as voice:
        for place in range(limit):
            speaker = speakers[place % len(speakers)]
            word = voices.speak(speaker, words, float(rng.integers(140, 180)))
            room = Room(engine, voice=voice, echo_db=-10.0, cancel=cancel)
            room.greet()
            room.say(replies[int(rng.integers(len(replies)))])
            room.quiet(float(rng.uniform(2.0, 4.0)))
            said = word * room.level / np.sqrt(np.mean(word**2))
            begun = room.now
            hushed = None
            for chunk in chunks(np.concatenate([mixed(said), np.zeros(3 * SAMPLE_RATE // 2, np.int16)]), 0.032):
                if any(isinstance(event.effect, Hush) for event in room.feed(chunk)):
                    hushed = room.now
                    break
            if hushed is None:
                missed.append(speaker.name)
                show(f"{words} not heard: {speaker.name}")
            else:
                waits.append(ms(hushed - begun - len(said)))
    return {
        **percentiles(waits),
        "trials": limit,
        "heard": len(waits),
        "share": round(len(waits) / limit, 3),
        "missed": missed,
    }


# --- what it costs


def idle(engine: Engine, seconds: float, show: Show) -> Figures:
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


def always(engine: Engine, minutes: float, show: Show) -> Figures:
    """Without a wake phrase: how often does a television get an answer?"""
    room = Room(engine, without_wake(Settings()))
    told = []
    for _label, sound in _television(minutes):
        told += [event.effect for event in room.feed(sound) if isinstance(event.effect, Told)]
    return {"minutes": minutes, "answers": len(told), "where": [one.utterance.heard.text for one in told]}
