"""A house for the Wyoming tests: a server on loopback without model and engine, and clients that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

from intents.heard import Heard
from intents.reply import Reply
from voice.errors import VoiceError
from voice.vad import Activity
from voice.wyoming.hearing import Listener
from voice.wyoming.limits import Limits
from voice.wyoming.server import Server
from voice.wyoming.services import Parts, Services

HOST = "127.0.0.1"
RATE = 22_050
ANSWER_S = 10.0
"""Only so that a test that fails ends."""
WARNING = ("Warning. Call now.", "You said that your leg went numb.", "Shall I repeat that?")


class FakeConversation:
    """Counts its turns; knows one danger sign, in any reading, and one text that breaks it."""

    def __init__(self) -> None:
        self.turn = 0

    def reply(self, heard: Heard) -> Reply:
        self.turn += 1
        if any("numb" in reading for reading in heard.readings):
            return Reply("warn", "definition", urgent=("urgent_limb",), sentences=WARNING, urgent_sentences=2)
        if "louder" in heard.text:
            return Reply("command", "louder", sentences=("Louder.",))
        if "weather" in heard.text or not heard.text:
            return Reply("reject", sentences=("I can't help with that.",))
        if "secret fault" in heard.text:
            raise IndexError(heard.text)
        return Reply("answer", "definition", sentences=(f"Turn {self.turn}.",))


class FakeEar:
    """Hears how long the sound was; loud sound is heard as words of which another reading is a danger sign."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._fed = 0
        self._loudest = 0

    def accept(self, frame: Any) -> None:
        self._house.order.append(id(self))
        self._fed += len(frame)
        self._loudest = max(self._loudest, int(abs(frame).max()))

    def partial(self) -> str:
        return "something"

    def finish(self) -> Heard:
        text = f"{round(self._fed / 1600)} tenths"
        if self._loudest > 20_000:
            text = "my leg is mom"
        self.reset()
        return Heard(text, ("my leg is numb",) if "mom" in text else ())

    def reset(self) -> None:
        self._fed = self._loudest = 0


class FakeDetector:
    state = Activity.SPEAKING

    def accept(self, frame: Any) -> None: ...

    def reset(self) -> None: ...


class FakeVoice:
    """Ten milliseconds a character at a level that tells the rate."""

    sample_rate = RATE
    broken = False

    def speak(self, sentence: str, rate: int = 165) -> Any:
        if self.broken:
            raise VoiceError("I can't speak.", "broken")
        return np.full(len(sentence) * RATE // 100, rate, np.int16)

    def close(self) -> None: ...


class House:
    """A running server and what is behind it."""

    def __init__(self, limits: Limits, hears: bool = True, speaks: bool = True) -> None:
        self.voice = FakeVoice()
        self.order: list[int] = []
        """The ears, in the order in which frames were decoded."""
        self.ears: list[FakeEar] = []
        self.now = 0.0
        self.port = 0
        parts = Parts(
            listener=self._listener if hears else None,
            talker=FakeConversation,
            voice=self.voice if speaks else None,
            topics=["facet hypertrophy"],
            fixed_warnings=WARNING[:1],
            rate=165,
        )
        self.server = Server(limits)
        self.services = Services(parts, limits, decoders=1, clock=lambda: self.now)

    def _listener(self) -> Listener:
        self.ears.append(FakeEar(self))
        return Listener(self.ears[-1], FakeDetector())

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncTcpClient]:
        async with AsyncTcpClient(HOST, self.port) as client:
            yield client

    async def ask(self, *events: Event, answers: int = 1) -> list[Event]:
        """Sends the events on a connection of their own, as Home Assistant does, and returns the answers."""
        async with self.client() as client:
            for event in events:
                await client.write_event(event)
            return [await answer(client) for _ in range(answers)]

    async def raw(self, data: bytes) -> bytes:
        """Sends bytes, then the end of the stream; everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(data)
            await writer.drain()
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), ANSWER_S)
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def answer(client: AsyncTcpClient) -> Event:
    event = await asyncio.wait_for(client.read_event(), ANSWER_S)
    assert event is not None, "the server closed the connection"
    return event


@asynccontextmanager
async def house(limits: Limits | None = None, **more: bool) -> AsyncIterator[House]:
    async with opened(House(limits or Limits(), **more)) as built:
        yield built


@asynccontextmanager
async def opened(built: House) -> AsyncIterator[House]:
    """The house with its server running."""
    built.port = await built.server.open(HOST, 0)
    await built.server.serve(built.services)
    try:
        yield built
    finally:
        await built.server.close()
        built.services.close()


def asked(text: str, **context: str) -> Event:
    """As Home Assistant's conversation agent asks."""
    return Event("transcript", {"text": text, "language": "en", **({"context": context} if context else {})})


def sound(seconds: float, loud: int = 1_000, rate: int = 16_000, channels: int = 1, chunk: int = 1024) -> list[Event]:
    """As Home Assistant's speech to text sends it, from `transcribe` to `audio-stop`."""
    form = {"rate": rate, "width": 2, "channels": channels}
    samples = np.full(round(seconds * rate) * channels, loud, "<i2")
    chunks = [samples[at : at + chunk].tobytes() for at in range(0, len(samples), chunk)]
    return [
        Event("transcribe", {"language": "en"}),
        Event("audio-start", form),
        *(Event("audio-chunk", form, data) for data in chunks),
        Event("audio-stop"),
    ]
