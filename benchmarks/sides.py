"""The sides that benchmarks.latency measures, each in a process of its own: recordings and model → figures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

_Made = TypeVar("_Made")


SENTENCES = 100
"""Texts on which understanding is timed."""


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile (nearest rank) and greatest."""
    ordered = sorted(values)
    rank = max(0, -(-95 * len(ordered) // 100) - 1)
    return {"median": median(ordered), "p95": ordered[rank], "greatest": ordered[-1]}


def memory_mb(field: str = "VmHWM", process: int | str = "self") -> float:
    """Resident memory in megabytes: VmHWM is the peak, VmRSS is now. 0.0 where Linux's /proc isn't there.

    Not getrusage: its peak is inherited from the parent that started the process.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), 0.0)


def _children_mb() -> float:
    """Peak resident memory of the processes that this one has begun, together."""
    found = (path.read_text().split() for path in Path("/proc/self/task").glob("*/children"))
    return sum(memory_mb(process=int(one)) for some in found for one in some)


def _timed(make: Callable[[], _Made]) -> tuple[_Made, float]:
    begun = time.perf_counter()
    made = make()
    return made, time.perf_counter() - begun


def vosk(recordings: Sequence[Path], model: Path | None) -> dict[str, Any]:
    """The published model's free decode, fed live-sized pieces: what anybody would write first."""
    from voice.audio import frames, read_audio
    from voice.model import find_model, load_model

    loaded, load_s = _timed(lambda: load_model(find_model(model)))
    recognize, spent, seconds = [], 0.0, 0.0
    for path in recordings:
        samples = read_audio(path)
        decoder = loaded.recognizer()
        begun = time.process_time()
        for frame in frames(samples):
            decoder.AcceptWaveform(frame.tobytes())
        final, final_s = _timed(decoder.FinalResult)
        json.loads(final)
        spent += time.process_time() - begun
        seconds += len(samples) / 16_000
        recognize.append(1000 * final_s)
    return {
        "load_s": load_s,
        "recordings": len(recordings),
        "seconds": seconds,
        "real_time": spent / seconds,
        "recognize_ms": spread(recognize),
    }


def backtalk(recordings: Sequence[Path], model: Path | None) -> dict[str, Any]:
    """The same recordings through `backtalk ask`'s own code, with the first sentence of each reply made."""
    from voice.audio import frames, read_audio
    from voice.commands.ask import Asker, Question
    from voice.engine import Engine
    from voice.settings import Settings
    from voice.talk import Talk
    from voice.tts import Pyttsx3Voice

    settings = Settings()
    begun = time.perf_counter()
    engine = Engine(settings, model)
    engine.recognizer()
    load_s = time.perf_counter() - begun
    spans: dict[str, list[float]] = {"recognize": [], "understand": [], "first_audio": []}
    spent, seconds = 0.0, 0.0
    with Pyttsx3Voice() as voice:
        talk = Talk(voice, settings)
        asker = Asker(engine, talk, keep_context=False)
        for path in recordings:
            seconds += sum(len(frame) for frame in frames(read_audio(path))) / 16_000
            begun = time.process_time()
            outcome = asker.answer(Question(path.name, path=path))
            spent += time.process_time() - begun
            timing = asker.say(outcome).timing_ms
            for name, values in spans.items():
                values.append(float(timing.get(name) or 0.0))
        voice_mb = _children_mb()
    engine.close()
    return {
        "load_s": load_s,
        "recordings": len(recordings),
        "seconds": seconds,
        "real_time": spent / seconds,
        "voice_memory_mb": voice_mb,
        **{f"{name}_ms": spread(values) for name, values in spans.items()},
        "reply_ms": spread([sum(row) for row in zip(*spans.values(), strict=True)]),
    }


def understand(_recordings: Sequence[Path], _model: Path | None) -> dict[str, Any]:
    """Understanding without hearing: typed sentences through Conversation.reply."""
    from benchmarks.peers.corpus import line_key, sample, tried_writers
    from intents.conversation import Conversation
    from intents.heard import Heard
    from intents.understand import Understander

    texts = [line.text or "" for line in sample(tried_writers(), SENTENCES, line_key)]
    before = memory_mb("VmRSS")
    understander, load_s = _timed(Understander.load)
    Conversation(understander).reply(Heard.from_text("what is it"))  # the first use imports what is left
    wall, processor = [], []
    for text in texts:
        begun, begun_processor = time.perf_counter(), time.process_time()
        Conversation(understander).reply(Heard.from_text(text))
        wall.append(1000 * (time.perf_counter() - begun))
        processor.append(1000 * (time.process_time() - begun_processor))
    return {
        "load_s": load_s,
        "sentences": len(texts),
        "understand_ms": spread(wall),
        "processor_ms": spread(processor),
        "added_memory_mb": memory_mb("VmRSS") - before,
    }
