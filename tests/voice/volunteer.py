"""A volunteer's side of a recording session: sentences to read, takes, an ear with a script and a mouth unheard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from intents.heard import Heard
from voice.frame import SAMPLE_RATE, Samples
from voice.record.take import Prompt, Take

PROMPTS = [
    Prompt("definition_1", "what is facet hypertrophy", "definition", "question"),
    Prompt("stop_1", "stop", "stop", "command"),
    Prompt("cold_1", "i've got cold feet about the wedding", "out_of_scope", "oos", {"counter": True}),
]


def tone(dbfs: float, length_s: float = 1.0) -> Samples:
    """A sine with its peak at `dbfs`, cut off at full scale."""
    wave = np.sin(2 * np.pi * 220 * np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.clip(wave * 32767 * 10 ** (dbfs / 20), -32768, 32767).astype(np.int16)


def take(text: str) -> Take:
    """A good take, heard as `text`."""
    return Take(tone(-20), text)


class ScriptedEar:
    """Hears what the script says, one text an utterance."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)

    def accept(self, frame: Samples) -> None: ...

    def partial(self) -> str:
        return ""

    def finish(self) -> Heard:
        return Heard(next(self._texts))

    def reset(self) -> None: ...


class StillMouth:
    """Remembers what it should say, and is never heard."""

    def __init__(self, busy_frames: int = 0) -> None:
        self.said: list[str] = []
        self.stops = 0
        self._busy_frames, self._left = busy_frames, 0

    def say(self, sentences: Sequence[str], urgent_sentences: int = 0, name: str = "reply") -> None:
        self.said += sentences
        self._left = self._busy_frames

    def stop(self, force: bool = False) -> bool:
        self.stops += 1
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        return True

    @property
    def speaking(self) -> bool:
        self._left -= 1
        return self._left >= 0
