"""Strangers on the network: whatever they send, the server goes on, and nobody else's conversation is touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")
pytest.importorskip("zeroconf", reason="the extra wyoming is not installed")

from wyoming.event import Event
from wyoming_house import House, answer, asked, house, sound

from voice.wyoming.conversations import Conversations, conversation_id
from voice.wyoming.limits import Gate, Limits, ProtocolError, read_event

KINDS = (
    "describe",
    "ping",
    "transcribe",
    "audio-start",
    "audio-chunk",
    "audio-stop",
    "transcript",
    "recognize",
    "synthesize",
    "run-pipeline",
)
SMALL = Limits(header_bytes=2048, data_bytes=2048, payload_bytes=8192, audio_s=2, idle_s=5, event_s=5)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 50))


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
lengths = st.one_of(st.integers(-5, 40), st.sampled_from([2**31, 2**63, 10**30, -1, True, 1.5, "7", [], None]))
names = st.sampled_from(["text", "rate", "width", "channels", "context", "voice", "name", "timestamp"])
headers = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(KINDS) | json_values,
        "data": st.dictionaries(names, json_values | st.sampled_from([16_000, 2, 1, "numb"])) | json_values,
        "data_length": lengths,
        "payload_length": lengths,
        "version": json_values,
    },
)
messages = st.one_of(
    st.binary(max_size=200),
    headers.map(line),
    st.tuples(headers.map(line), st.binary(max_size=60)).map(b"".join),
    st.tuples(headers.map(line), st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]]),
)


async def goes_on(home: House) -> None:
    (event,) = await home.ask(asked("it"))
    assert event.data["text"] == "Turn 1."


NASTY = {
    "a header cut off": b'{"type": "desc',
    "no json": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without end": b"x" * 300_000,
    "deep json": b"[" * 60_000 + b"\n",
    "deep data": b'{"type": "ping", "data": ' + b'{"a":' * 8_000 + b"1" + b"}" * 8_001 + b"\n",
    "many digits": b'{"type": "ping", "payload_length": ' + b"9" * 5_000 + b"}\n",
    "a huge payload announced": line({"type": "audio-chunk", "payload_length": 2**40}),
    "a huge payload sent": line({"type": "audio-chunk", "payload_length": 2**24}) + bytes(2**22),
    "huge data announced": line({"type": "transcript", "data_length": 2**31}),
    "a negative length": line({"type": "ping", "data_length": -1}),
    "a length that is true": line({"type": "ping", "payload_length": True}),
    "an infinite length": b'{"type": "ping", "payload_length": Infinity}\n',
    "a payload cut off": line({"type": "audio-chunk", "payload_length": 100}) + b"short",
    "data that is no object": line({"type": "transcript", "data_length": 2}) + b"[]",
    "data that is no text": line({"type": "transcript", "data_length": 2}) + b"\xff\xfe",
    "no type": line({"data": {}}),
    "a type that is a list": line({"type": ["describe"]}),
    "an array": line(["describe"]),
    "nulls": b"\0" * 4096 + b"\n",
}


@pytest.mark.parametrize("name", NASTY)
def test_bytes_that_are_no_event_end_their_connection_and_nothing_else(name: str) -> None:
    async def test() -> None:
        async with house() as home, home.client() as other:
            await other.write_event(asked("it"))
            assert (await answer(other)).data["text"] == "Turn 1."
            back = await home.raw(NASTY[name])
            assert back == b"" or b'"error"' in back
            await other.write_event(asked("it"))
            assert (await answer(other)).data["text"] == "Turn 2."
            await goes_on(home)

    run(test())


WRONG = {
    "no text": Event("transcript", {}),
    "text that is a number": Event("recognize", {"text": 5}),
    "too long a text": Event("synthesize", {"text": "x" * 5_001}),
    "no format": Event("audio-start", {}),
    "a format of words": Event("audio-start", {"rate": "16000", "width": "2", "channels": "1"}),
    "zero hertz": Event("audio-start", {"rate": 0, "width": 2, "channels": 1}),
    "a billion hertz": Event("audio-start", {"rate": 10**9, "width": 2, "channels": 1}),
    "no channels": Event("audio-chunk", {"rate": 16_000, "width": 2, "channels": 0}, b"ab"),
    "a pong of numbers": Event("ping", {"text": 7}),
    "a fault inside": asked("a secret fault"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_event_is_answered_with_one_sentence_and_the_connection_goes_on(name: str) -> None:
    async def test() -> None:
        async with house() as home:
            error, after = await home.ask(WRONG[name], asked("it"), answers=2)
            assert error.type == "error"
            assert "please" in error.data["text"]
            assert "secret" not in error.data["text"]
            assert after.data["text"].startswith("Turn")

    run(test())


def test_text_that_no_encoding_knows_comes_back_clean() -> None:
    async def test() -> None:
        async with house() as home:
            odd = line({"type": "transcript", "data": {"text": "it \ud800 \0", "context": {"satellite_id": "\udfff"}}})
            assert b'"handled"' in await home.raw(odd)
            assert b'"pong"' in await home.raw(line({"type": "ping", "data": {"text": "\ud800"}}))
            await goes_on(home)

    run(test())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(messages, min_size=1, max_size=5).map(b"".join), min_size=1, max_size=4))
def test_any_bytes(streams: list[bytes]) -> None:
    async def test() -> None:
        async with house(SMALL) as home, home.client() as other:
            await other.write_event(asked("it"))
            await answer(other)
            await asyncio.gather(*(home.raw(stream) for stream in streams))
            await other.write_event(asked("it"))
            assert (await answer(other)).data["text"] == "Turn 2."
            for _ in range(100):  # whoever left has given back the place
                if home.server.open_connections == 1:
                    break
                await asyncio.sleep(0.01)
            assert home.server.open_connections == 1
            assert home.services.listening.inside == 0

    run(test())


@settings(max_examples=200, deadline=None)
@given(messages)
def test_the_reader_knows_only_events_and_protocol_errors(data: bytes) -> None:
    async def test() -> None:
        reader = asyncio.StreamReader(limit=SMALL.header_bytes)
        reader.feed_data(data)
        reader.feed_eof()
        try:
            while (event := await read_event(reader, SMALL)) is not None:
                assert isinstance(event.type, str)
                assert isinstance(event.data, dict)
                assert len(event.payload or b"") <= SMALL.payload_bytes
        except ProtocolError:
            pass

    run(test())


def test_silence_ends_a_connection() -> None:
    async def test() -> None:
        async with house(Limits(idle_s=0.05)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(b'{"type": "des')  # a header that dribbles in
            assert await reader.read() == b""
            writer.close()

    run(test())


def test_a_payload_that_never_comes_ends_a_connection() -> None:
    async def test() -> None:
        async with house(Limits(event_s=0.05)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(line({"type": "audio-chunk", "payload_length": 1000}))
            assert b'"error"' in await reader.read()
            writer.close()

    run(test())


async def flood(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(line({"type": "describe"}) * 500)
        await writer.drain()
        await asyncio.sleep(0)


def test_a_client_that_never_reads_is_dropped() -> None:
    async def test() -> None:
        async with house(Limits(event_s=0.2)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port, limit=1024)
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionError):
                await flood(writer)
            writer.close()
            await goes_on(home)

    run(test())


def test_sound_without_end_ends_its_connection() -> None:
    async def test() -> None:
        async with house(Limits(audio_s=1)) as home:
            async with home.client() as client:
                for event in sound(3)[:-1]:
                    await client.write_event(event)
                assert (await answer(client)).type == "error"
                assert await client.read_event() is None
            assert home.services.listening.inside == 0

    run(test())


def test_connections_are_limited() -> None:
    async def test() -> None:
        async with house(Limits(connections=3, connections_per_address=2)) as home:
            async with home.client() as one, home.client() as two:
                for client in (one, two):
                    await client.write_event(asked("it"))
                    await answer(client)
                assert await home.raw(line({"type": "describe"})) == b""
                await one.write_event(asked("it"))
                assert (await answer(one)).data["text"] == "Turn 2."
            while home.server.open_connections:
                await asyncio.sleep(0.01)
            await goes_on(home)

    run(test())


def test_utterances_at_once_are_limited() -> None:
    async def test() -> None:
        async with house(Limits(listeners=1, listeners_per_address=1)) as home, home.client() as first:
            start, chunk, *_ = sound(1)[1:]
            await first.write_event(start)
            await first.write_event(chunk)
            await first.write_event(asked("it"))
            await answer(first)
            (busy,) = await home.ask(*sound(1))
            assert "too many people" in busy.data["text"]
            await first.write_event(Event("audio-stop"))
            assert (await answer(first)).type == "transcript"
            (event,) = await home.ask(*sound(1))
            assert event.data["text"] == "10 tenths"

    run(test())


def test_a_flood_of_small_events_does_not_keep_others_waiting() -> None:
    async def test() -> None:
        async with house() as home:
            floods = [asyncio.create_task(home.raw(line({"type": "x"}) * 20_000)) for _ in range(4)]
            for _ in range(5):
                await goes_on(home)
            assert await asyncio.gather(*floods) == [b""] * 4

    run(test())


def test_one_address_can_not_fill_a_gate() -> None:
    gate = Gate(3, 2)
    assert [gate.enter("a") for _ in range(3)] == [True, True, False]
    assert gate.enter("b")
    assert not gate.enter("c")
    gate.leave("a")
    assert gate.enter("c")


def test_a_flood_of_names_costs_only_its_sender() -> None:
    made: list[object] = []

    def make() -> Any:
        made.append(object())
        return made[-1]

    talks = Conversations(make, Limits(conversations=10), lambda: 0.0)
    mine = talks.of("kitchen", ("satellite_id", "1"))
    for number in range(500):
        talks.of("stranger", ("satellite_id", str(number)))
    assert talks.of("stranger", ("satellite_id", "1")) is not mine
    assert talks.of("kitchen", ("satellite_id", "1")) is mine
    assert len(talks) == 10


@given(json_values | st.dictionaries(st.sampled_from(["satellite_id", "device_id", "conversation_id"]), json_values))
def test_any_context(context: object) -> None:
    name = conversation_id(context)
    assert name is None or (isinstance(name[1], str) and 0 < len(name[1]) <= 200)
