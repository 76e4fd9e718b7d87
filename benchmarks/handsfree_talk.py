"""Speech that is not for it, or not meant as a question: who wakes it, what it makes of its own voice, what breaks in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from benchmarks.handsfree_fast import FIXTURES, ROOT, Figures, Show, lines, ms, percentiles
from benchmarks.handsfree_room import Room, chunks, load, mixed, without_wake
from intents.reply import Reply
from voice.effects import Cue, Hush, State, Told
from voice.engine import Engine
from voice.frame import SAMPLE_RATE, Samples
from voice.settings import Settings
from voice.tts import Pyttsx3Voice

HUMAN = ROOT.parent / "shared" / "human_speech"
SNR_DB = 12.0
MOST_AWAKE_S = 180
"""Seconds after which a television that keeps it awake is turned off."""


# --- waking


def wake(engine: Engine, limit: int) -> Figures:
    """The wake phrase by test voices, 2 m away in a living room, in a kitchen's noise at 12 dB."""
    from tools.fixtures import noises, rooms, sound, voices

    rng = np.random.default_rng(11)
    continuations = ("what is facet hypertrophy", "", "is it serious", "how is it treated", "my legs feel numb")
    crowd = voices.of("test")
    missed: list[str] = []
    delays: list[float] = []
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
        if awake is None:
            missed.append(f"{speaker.name}: hey back talk {after}".strip())
        else:
            delays.append(ms(awake - round(1.5 * SAMPLE_RATE) - len(phrase)))
    return {
        "trials": limit,
        "hits": len(delays),
        "share": round(len(delays) / max(1, limit), 4),
        "missed": missed,
        "after_the_phrase": percentiles(delays),
    }


def false_wakes(engine: Engine, minutes: float, show: Show, talk: Sequence[str] = ()) -> Figures:
    """Speech that is not for it: fixtures without the phrase, people, a television (which says `talk`, see _television).

    Once woken it goes on as at home: what it then answers, and what it warns of, is counted too.
    """
    figures: Figures = {"hours": 0.0, "wakes": 0, "answers": 0, "warnings": 0, "by_source": {}, "where": []}
    for name, source in (
        ("fixtures", _fixture_speech()),
        ("people", _human_speech()),
        ("television", _television(minutes, talk)),
    ):
        room = Room(engine)
        counts = {"wakes": 0, "answers": 0, "warnings": 0}
        fed = 0

        def count(what: str, where: str, counts: dict[str, int] = counts) -> None:
            counts[what] += 1
            figures["where"].append(f"{what}: {where}")
            show(figures["where"][-1])

        for label, sound in source:
            room.quiet(0.3)
            for chunk in chunks(sound):
                asleep = room.loop.state is State.ASLEEP
                for event in room.feed(chunk):
                    if isinstance(event.effect, Told):
                        reply = event.effect.reply
                        what = "warnings" if reply.action == "warn" else "answers"
                        count(what, f"{name}: {label}: {reply.action}: {event.effect.utterance.heard.text}")
                if asleep and room.loop.state is not State.ASLEEP:
                    count("wakes", f"{name}: {label}")
            room.events.clear()
            fed += len(sound)
        hours = fed / SAMPLE_RATE / 3600
        figures["by_source"][name] = {"hours": round(hours, 3), **counts}
        figures["hours"] = round(figures["hours"] + hours, 3)
        for what, number in counts.items():
            figures[what] += number
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


def _television(
    minutes: float, sentences: Sequence[str] = (), only: str | None = None
) -> Iterator[tuple[str, Samples]]:
    """Minutes of two voices in turn over music; without `sentences` they say what the fixtures know that is out of scope.

    only: the split whose voices speak; every second minute is of the other.
    """
    from tools.fixtures import noises, sound, talk

    sentences = sentences or [*noises.TALK, *dict.fromkeys(one["text"] for one in lines(kind="oos") if one["text"])]
    for number in range(round(minutes)):
        split = "dev" if number % 2 else "test"
        if only not in (None, split):
            continue
        rng = np.random.default_rng([5, number])
        _said, heard = talk.television_talk(sentences, 60.0, split, rng)  # type: ignore[arg-type]
        level = float(rng.integers(-30, -11))
        yield f"minute {number}", np.asarray(np.round(sound.to_peak(heard, level) * 32767), np.int16)


def woken(engine: Engine, limit: int, show: Show, talk: Sequence[str] = (), split: str = "test") -> Figures:
    """A television that has woken it, `limit` times: how long it listens, and what it says meanwhile.

    Wakes are too rare to be waited for: a key stands for the phrase that was heard wrongly, in the middle of the talk.
    """
    awake: list[float] = []
    told: list[str] = []
    warned = 0
    evening = round(MOST_AWAKE_S / 60)
    television = _television(limit * 2 * evening, talk, split)
    for place in range(limit):
        room, begun = Room(engine), 0
        for _label, sound in list(islice(television, evening)):
            if not begun:
                room.feed(sound[: 2 * SAMPLE_RATE])
                room.call()
                begun = room.now
            for chunk in chunks(sound[2 * SAMPLE_RATE :]):
                room.feed(chunk)
                if room.loop.state is State.ASLEEP:
                    break
            if room.loop.state is State.ASLEEP:
                break
        awake.append((room.now - begun) / SAMPLE_RATE)
        said = [event.effect for event in room.events if isinstance(event.effect, Told)]
        warned += any(one.reply.action == "warn" for one in said)
        told += [f"{place}: {one.reply.action}: {one.utterance.heard.text}" for one in said]
        show(f"{place}: {awake[-1]:.0f} s, {[one.reply.action for one in said]}")
    return {
        "trials": limit,
        "warned": warned,
        "answers": len(told),
        "warnings": sum(": warn: " in one for one in told),
        "median_s": round(float(np.median(awake)), 1),
        "p95_s": round(float(np.percentile(awake, 95)), 1),
        "longest_s": round(max(awake), 1),
        "where": told,
    }


def always(engine: Engine, minutes: float, talk: Sequence[str] = ()) -> Figures:
    """Without a wake phrase: how often does a television get an answer, how often a warning?"""
    room = Room(engine, without_wake(Settings()))
    told = []
    for _label, sound in _television(minutes, talk):
        told += [event.effect for event in room.feed(sound) if isinstance(event.effect, Told)]
    return {
        "minutes": minutes,
        "answers": len(told),
        "warnings": sum(one.reply.action == "warn" for one in told),
        "where": [f"{one.reply.action}: {one.utterance.heard.text}" for one in told],
    }


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
