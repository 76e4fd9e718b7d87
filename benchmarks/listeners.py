"""Listeners who ask recorded questions in real time, many at once: the load of benchmarks.capacity and benchmarks.fleet."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from wyoming.event import Event, async_read_event, async_write_event

from voice.frame import SAMPLE_RATE, Samples

CHUNK = SAMPLE_RATE // 10
"""Samples in one message: a tenth of a second, sent when its last sample would have been spoken."""
VOSK_CHUNK = SAMPLE_RATE // 4
"""What vosk-server's own microphone client sends at a time."""
FORM = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}
TURN_TIMEOUT_S = 30.0
SPREAD_S = 12.0
"""Seconds over which those who hear replies out begin to talk: about one turn."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A question without the silence before and after it."""

    name: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and how long after its last sample things came, in seconds; None for what never came."""

    name: str
    text: str
    at: float
    """When the speech ended, by time.perf_counter."""
    text_s: float | None = None
    sound_s: float | None = None
    """First sample of the reply."""
    reply_s: float = 0.0
    """Length of the reply's sound."""
    problem: str = ""


Ask = Callable[[Recorded], Awaitable[Asked]]
"""One listener's way to ask; made anew for each of them."""


def speech_only(path: Path) -> Recorded:
    """The recording from its first to its last detected speech: its last sample is the end of speech. Raises InputError."""
    from voice.audio import frames, read_audio
    from voice.vad import SpeechDetector

    samples = read_audio(path)
    detector = SpeechDetector()
    spoken = []
    for number, frame in enumerate(frames(samples)):
        detector.accept(frame)
        if detector.speaking and not detector.silence:
            spoken.append(number * len(frame))
    if not spoken:
        return Recorded(path.name, samples)
    return Recorded(path.name, samples[max(0, spoken[0] - SAMPLE_RATE // 2) : spoken[-1] + SAMPLE_RATE // 20])


async def in_real_time(samples: Samples, send: Callable[[bytes], Awaitable[None]], chunk: int = CHUNK) -> float:
    """Sends the sound as fast as it would be spoken; when the last sample was spoken, by time.perf_counter."""
    begun = time.perf_counter()
    for start in range(0, len(samples), chunk):
        piece = samples[start : start + chunk]
        wait = begun + (start + len(piece)) / SAMPLE_RATE - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        await send(piece.astype("<i2").tobytes())
    return begun + len(samples) / SAMPLE_RATE


class WyomingListener:
    """As a satellite with its assistant: hearing, answering and speaking over one connection, which stays open."""

    def __init__(self, port: int, number: int) -> None:
        """number: from 0; each listener has an address of its own, as rooms have."""
        self._port = port
        self._address = f"127.0.0.{number + 2}"
        self._client: _Client | None = None

    async def ask(self, question: Recorded) -> Asked:
        """Raises OSError or asyncio.TimeoutError where the server is lost."""
        client = self._client = self._client or await _Client.to(self._port, self._address)
        await client.write_event(Event("transcribe", {"language": "en"}))
        await client.write_event(Event("audio-start", FORM))
        ended = await in_real_time(question.samples, lambda data: client.write_event(Event("audio-chunk", FORM, data)))
        await client.write_event(Event("audio-stop"))
        heard = await client.answer()
        text_s = time.perf_counter() - ended
        text = str(heard.data.get("text", ""))
        if heard.type != "transcript":
            return Asked(question.name, text, ended, problem=heard.type)
        context = {"satellite_id": self._address}
        await client.write_event(Event("transcript", {"text": text, "language": "en", "context": context}))
        reply = await client.answer()
        await client.write_event(Event("synthesize", {"text": str(reply.data.get("text", ""))}))
        sound_s, reply_s = None, 0.0
        while (event := await client.answer()).type != "audio-stop":
            if event.type == "error":
                return Asked(question.name, text, ended, text_s, problem="error")
            if event.type == "audio-chunk":
                sound_s = sound_s or time.perf_counter() - ended
                reply_s += len(event.payload or b"") / 2 / event.data["rate"]
        return Asked(question.name, text, ended, text_s, sound_s, reply_s)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.disconnect()
            self._client = None


class _Client:
    """The library's reading and writing, from an address of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int, address: str) -> _Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))

    async def write_event(self, event: Event) -> None:
        await async_write_event(event, self._writer)

    async def answer(self) -> Event:
        event: Event | None = await asyncio.wait_for(async_read_event(self._reader), TURN_TIMEOUT_S)
        if event is None:
            raise ConnectionError("the server closed the connection")
        return event

    async def disconnect(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


class VoskServerListener:
    """As vosk-server's clients: a websocket for each question, for its server ends it after the last result. Text only."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port

    async def ask(self, question: Recorded) -> Asked:
        """Raises OSError, a websockets exception or asyncio.TimeoutError where the server is lost."""
        import websockets

        words: list[str] = []

        async def receive() -> None:
            async for message in socket:
                words.append(json.loads(message).get("text", ""))

        async with websockets.connect(f"ws://127.0.0.1:{self._port}", max_size=None) as socket:
            await socket.send(json.dumps({"config": {"sample_rate": SAMPLE_RATE}}))
            receiving = asyncio.create_task(receive())
            ended = await in_real_time(question.samples, socket.send, VOSK_CHUNK)
            await socket.send('{"eof" : 1}')
            await asyncio.wait_for(receiving, TURN_TIMEOUT_S)
        return Asked(question.name, " ".join(filter(None, words)), ended, time.perf_counter() - ended)

    async def close(self) -> None:
        """Nothing is kept."""


class KeptVoskServerListener:
    """One websocket, and one recognizer, for all questions of a listener, with a second of silence after each.

    vosk-server can't be told then that a question has ended. The text is there when the answer to the last piece of speech is:
    a partial result, of which the last word may still be missing.
    """

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._socket: Any = None

    async def ask(self, question: Recorded) -> Asked:
        """See VoskServerListener.ask."""
        import websockets

        if self._socket is None:
            self._socket = await websockets.connect(f"ws://127.0.0.1:{self._port}", max_size=None)
            await self._socket.send(json.dumps({"config": {"sample_rate": SAMPLE_RATE}}))
        speech = -(-len(question.samples) // VOSK_CHUNK)
        silence = SAMPLE_RATE // VOSK_CHUNK
        receiving = asyncio.create_task(self._receive(speech, silence))
        ended = await in_real_time(question.samples, self._socket.send, VOSK_CHUNK)
        await in_real_time(np.zeros(SAMPLE_RATE, np.int16), self._socket.send, VOSK_CHUNK)
        text, at = await asyncio.wait_for(receiving, TURN_TIMEOUT_S)
        return Asked(question.name, text, ended, at - ended)

    async def _receive(self, speech: int, silence: int) -> tuple[str, float]:
        """The words, and when the answer to the last piece of speech came."""
        words: list[str] = []
        at = 0.0
        for number in range(1, speech + silence + 1):
            answer = json.loads(await self._socket.recv())
            if number == speech:
                at = time.perf_counter()
                words.append(answer.get("partial", ""))
            words.append(answer.get("text", ""))
        return " ".join(filter(None, words)), at

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


async def ask_for(
    make: Callable[[int], Any],
    listeners: int,
    questions: Sequence[Recorded],
    seconds: float,
    warm: int = 0,
    hear_out: bool = False,
) -> list[Asked]:
    """`listeners` ask one question after the other for `seconds`, each beginning elsewhere in the list.

    hear_out: as people do, they hear a reply to its end before they ask the next; they don't begin all at once then.
    The first `warm` questions of each don't count. Whoever loses the server stops; that turn is in the list, with its problem.
    """
    found: list[Asked] = []
    until = time.perf_counter() + seconds

    async def one(number: int) -> None:
        listener = make(number)
        # People don't begin in the same millisecond.
        await asyncio.sleep(number / max(1, listeners) * (SPREAD_S if hear_out else 1.0))
        turn = 0
        try:
            while time.perf_counter() < until or turn <= warm:
                question = questions[(number * 7 + turn) % len(questions)]
                try:
                    asked = await listener.ask(question)
                except (OSError, asyncio.TimeoutError) as error:
                    found.append(Asked(question.name, "", time.perf_counter(), problem=type(error).__name__))
                    return
                if turn >= warm:
                    found.append(asked)
                turn += 1
                if hear_out:
                    await asyncio.sleep(asked.reply_s)
        finally:
            await listener.close()

    await asyncio.gather(*(one(number) for number in range(listeners)))
    return found
