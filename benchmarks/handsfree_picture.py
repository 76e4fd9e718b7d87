"""A timeline of one turn as a picture: what came in, when it was speech, when it had ended, when the reply began."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.handsfree_fast import E2E, ROOT, ms
from benchmarks.handsfree_room import Room, load, speech_end
from voice.effects import Say, State
from voice.engine import Engine
from voice.frame import FRAME_SAMPLES, Samples
from voice.tts import Pyttsx3Voice

PICTURE = ROOT / "docs" / "images" / "turn.svg"
LEFT, WIDTH, HEIGHT = 110, 860, 330
COLOURS = {State.ASLEEP: "#cfd8dc", State.LISTENING: "#b3e5fc", State.HEARING: "#ffe082", State.SPEAKING: "#a5d6a7"}


def draw(engine: Engine, path: Path | None = None) -> dict[str, Any]:
    """Runs one turn through the state machine and draws it; returns its moments in milliseconds."""
    sound = load(E2E / "wake_definition.flac")
    ended = speech_end(sound)
    sound = np.concatenate([sound[:ended], np.zeros(-ended % FRAME_SAMPLES + 40 * FRAME_SAMPLES, np.int16)])
    room = Room(engine)
    levels, speech, states = [], [], []
    awake: float | None = None
    decided: float | None = None
    computing = 0.0
    reply = ""
    for frame in sound.reshape(-1, FRAME_SAMPLES):
        clock = time.perf_counter()
        events = room.feed(frame)
        spent = 1000 * (time.perf_counter() - clock)
        levels.append(_level(frame))
        speech.append(room.loop._detector.probability)  # type: ignore[attr-defined]
        states.append(room.loop.state)
        if awake is None and room.loop.state is not State.ASLEEP:
            awake = ms(room.now)
        for event in events:
            if decided is None and isinstance(event.effect, Say):
                decided, computing, reply = ms(event.at), spent, event.effect.reply.sentences[0]
    if decided is None or awake is None:
        raise RuntimeError("the turn of the picture was not answered")
    with Pyttsx3Voice() as voice:
        voice.speak("One sentence first, so that it is awake.")
        clock = time.perf_counter()
        voice.speak(reply)
        synthesis = 1000 * (time.perf_counter() - clock)
    moments = {
        "wake_phrase_known": round(awake),
        "last_speech": round(ms(ended)),
        "endpoint": round(decided),
        "understood": round(decided + computing),
        "first_sound": round(decided + computing + synthesis),
    }
    path = path or PICTURE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_svg(levels, speech, states, moments), "utf-8")
    return {**moments, "picture": path.name}


def _level(frame: Samples) -> float:
    return float(np.abs(frame.astype(np.int32)).max()) / 32768


def _svg(levels: Sequence[float], speech: Sequence[float], states: Sequence[State], moments: dict[str, int]) -> str:
    frame_ms = ms(FRAME_SAMPLES)
    scale = (WIDTH - LEFT - 20) / (len(levels) * frame_ms)

    def x(milliseconds: float) -> float:
        return round(LEFT + milliseconds * scale, 1)

    wide = round(frame_ms * scale, 2)
    words = ", ".join(f"{name.replace('_', ' ')} at {at} ms" for name, at in moments.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d" '
        'font-family="sans-serif" font-size="12">',
        '<title id="t">One turn, frame by frame</title>',
        f'<desc id="d">{escape("Hey back talk, what is facet hypertrophy: " + words)}.</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for top, name in ((45, "microphone"), (115, "speech?"), (165, "state")):
        parts.append(f'<text x="8" y="{top + 5}" fill="#222">{name}</text>')
    for place, (level, probability, state) in enumerate(zip(levels, speech, states, strict=True)):
        left = x(place * frame_ms)
        tall = max(1.0, round(60 * level, 1))
        parts.append(f'<rect x="{left}" y="{round(45 - tall / 2, 1)}" width="{wide}" height="{tall}" fill="#455a64"/>')
        tall = max(0.5, round(40 * probability, 1))
        parts.append(f'<rect x="{left}" y="{round(135 - tall, 1)}" width="{wide}" height="{tall}" fill="#1565c0"/>')
        parts.append(f'<rect x="{left}" y="152" width="{wide + 0.2}" height="22" fill="{COLOURS[state]}"/>')
    for place, state in enumerate(states):
        if place == 0 or states[place - 1] is not state:
            parts.append(f'<text x="{x(place * frame_ms) + 3}" y="167" fill="#222">{state.value}</text>')
    for place, (name, at) in enumerate(moments.items()):
        down = 200 + 22 * place
        parts.append(f'<line x1="{x(at)}" y1="8" x2="{x(at)}" y2="{down}" stroke="#b71c1c" stroke-dasharray="3 3"/>')
        side = "end" if at * scale > (WIDTH - LEFT) * 0.6 else "start"
        parts.append(
            f'<text x="{x(at)}" y="{down + 12}" text-anchor="{side}" fill="#b71c1c">{name.replace("_", " ")}: {at} ms</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
