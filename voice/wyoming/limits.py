"""What a stranger on the network may ask for, and a reader that holds it. The library's own reader trusts every length."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from wyoming.event import Event

from voice.errors import BacktalkError, InputError
from voice.speech import speakable


@dataclass(frozen=True, slots=True)
class Limits:
    """Generous for every honest client, and small enough that a dishonest one can't fill the memory."""

    header_bytes: int = 64 * 1024
    """Longest line that begins an event; older clients put the data into it."""
    data_bytes: int = 64 * 1024
    payload_bytes: int = 1024 * 1024
    """Sound in one event: half a minute at 16 kHz. Most clients send a tenth of a second."""
    text_chars: int = 5_000
    """Longest text to answer or to say."""
    audio_s: float = 60.0
    """Of one utterance so much is heard; the same again is taken and dropped, then the connection ends."""
    connections: int = 64
    connections_per_address: int = 48
    listeners: int = 16
    """Utterances that are heard at the same time: each has a recognizer of its own."""
    listeners_per_address: int = 12
    idle_s: float = 60.0
    """Seconds without a whole header after which a connection ends."""
    event_s: float = 10.0
    """Seconds for the rest of an event to come, or for the client to take ours."""
    conversations: int = 256
    conversation_s: float = 600.0
    """Seconds without a word after which a satellite's conversation begins anew."""
    recall_s: float = 30.0
    """Seconds for which all readings of an utterance are kept, until its best one comes back as text."""


class ProtocolError(BacktalkError):
    """Bytes that are no Wyoming event, or one beyond the limits: nothing after them can be trusted."""

    def __init__(self, reason: str) -> None:
        super().__init__("This was not a message that I can read, so I close the connection.", reason)


class Idle(Exception):
    """Nothing came for too long."""


class Gate:
    """Counts who is inside: at most `most`, and of one address at most `per_address`, so that one can't shut out all."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._inside: Counter[str] = Counter()

    @property
    def inside(self) -> int:
        return self._inside.total()

    def enter(self, address: str) -> bool:
        """False when it is full; only after True may, and must, `leave` be called."""
        if self.inside >= self._most or self._inside[address] >= self._per_address:
            return False
        self._inside[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]


async def read_event(reader: asyncio.StreamReader, limits: Limits) -> Event | None:
    """The next event; None at the end of the stream.

    `reader` must have been made with a limit of `header_bytes`. Raises ProtocolError, Idle, or ConnectionError.
    """
    try:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), limits.idle_s)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ProtocolError("the stream ended inside a header") from None
        return None
    except asyncio.LimitOverrunError:
        raise ProtocolError(f"a header longer than {limits.header_bytes} bytes") from None
    except asyncio.TimeoutError:
        raise Idle from None
    kind, data, data_length, payload_length = _header(line, limits)
    try:
        rest = await asyncio.wait_for(reader.readexactly(data_length + payload_length), limits.event_s)
    except asyncio.IncompleteReadError:
        raise ProtocolError("the stream ended inside an event") from None
    except asyncio.TimeoutError:
        raise ProtocolError(f"the rest of an event did not come within {limits.event_s:g} s") from None
    if data_length:
        data = {**data, **_object(rest[:data_length], "data")}
    return Event(kind, data, rest[data_length:] if payload_length else None)


def _header(line: bytes, limits: Limits) -> tuple[str, dict[str, Any], int, int]:
    header = _object(line, "header")
    kind, data = header.get("type"), header.get("data")
    if not isinstance(kind, str):
        raise ProtocolError("an event without a type")
    if data is not None and not isinstance(data, dict):
        raise ProtocolError("event data that is no object")
    return (
        kind,
        data or {},
        _length(header.get("data_length"), limits.data_bytes),
        _length(header.get("payload_length"), limits.payload_bytes),
    )


def _object(text: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, too many digits; too deep
        raise ProtocolError(f"{name}: {type(error).__name__}") from None  # the error's text may hold what was said
    if not isinstance(value, dict):
        raise ProtocolError(f"{name} that is no object")
    return value


def _length(value: object, most: int) -> int:
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= most:
        raise ProtocolError(f"a length that is no number from 0 to {most}")
    return value


def text_in(data: dict[str, Any], limits: Limits) -> str:
    """The event's text in one line, without what can't be said or sent. Raises InputError."""
    text = data.get("text")
    if not isinstance(text, str):
        raise InputError("This message has no text: please send one.", f"text is {type(text).__name__}")
    if len(text) > limits.text_chars:
        raise InputError(
            f"This text is too long: please send at most {limits.text_chars} characters.", f"{len(text)} characters"
        )
    return speakable(text)
