"""What runs in a replica: a model, or a voice, and nothing of any listener once a call has ended."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from voice.fleet.ear import hear
from voice.fleet.wire import PROCESS_HEADER, clip_out, heard_out, sentence_in
from voice.settings import load_settings
from voice.speech import Clip
from voice.wyoming.hearing import Listener, Listeners
from voice.wyoming.limits import Limits

T = TypeVar("T")
LONGEST_S = Limits().audio_s
"""Of one utterance; what comes after is dropped, as it is without a fleet."""


def listeners(model: str | None, packs: tuple[str, ...], idle: int) -> Listeners:
    """Makes listeners over one model, which is loaded now. Raises BacktalkError."""
    from voice.engine import Engine
    from voice.vad import SpeechDetector

    engine = Engine(load_settings(), None if model is None else Path(model), tuple(Path(one) for one in packs))
    _ = engine.model  # better told now than to the first who speaks
    return Listeners(lambda: Listener(engine.recognizer(), SpeechDetector()), idle)


class _Replica:
    """Work in threads, so that the replica answers questions about its health meanwhile."""

    def __init__(self, threads: int) -> None:
        logging.getLogger("voice").setLevel(logging.WARNING)
        self._pool = ThreadPoolExecutor(threads)

    async def _run(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)


class HearingReplica(_Replica):
    """One model; `threads` utterances at a time, for Vosk decodes without holding Python's lock."""

    def __init__(self, model: str | None, packs: tuple[str, ...], threads: int) -> None:
        """Raises BacktalkError."""
        super().__init__(threads)
        self._listeners = listeners(model, packs, threads)

    async def __call__(self, request: Any) -> Any:
        """A starlette request with the sound of a whole utterance → a response with what was heard."""
        from starlette.responses import Response

        sound = await request.body()
        heard = await self._run(lambda: hear(sound[: len(sound) - len(sound) % 2], self._listeners, LONGEST_S))
        return Response(heard_out(heard), headers={PROCESS_HEADER: str(os.getpid())}, media_type="application/json")


class SpeakingReplica(_Replica):
    """One voice engine, a process of its own."""

    def __init__(self) -> None:
        from voice.tts import Pyttsx3Voice

        super().__init__(1)
        self._voice = Pyttsx3Voice(load_settings().voice or None)

    async def __call__(self, request: Any) -> Any:
        """A starlette request with a sentence → a response with its sound."""
        from starlette.responses import Response

        sentence, rate = sentence_in(await request.body())
        clip = await self._run(lambda: Clip(self._voice.speak(sentence, rate), self._voice.sample_rate))
        body, headers = clip_out(clip)
        return Response(body, headers=headers, media_type="application/octet-stream")
