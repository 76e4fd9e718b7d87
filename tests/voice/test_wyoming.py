"""The Wyoming service as its clients see it: the library's own client, on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")
pytest.importorskip("zeroconf", reason="the extra wyoming is not installed")

from wyoming.audio import AudioChunk
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.intent import Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize
from wyoming_house import RATE, WARNING, answer, asked, house, sound

from voice.wyoming.handler import ELSEWHERE
from voice.wyoming.limits import Limits


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


async def spoken(client: AsyncTcpClient) -> list[AudioChunk]:
    assert (await answer(client)).type == "audio-start"
    chunks = []
    while (event := await answer(client)).type != "audio-stop":
        chunks.append(AudioChunk.from_event(event))
    return chunks


def test_describes_ears_answers_and_voice() -> None:
    async def test() -> None:
        async with house() as home:
            info = Info.from_event((await home.ask(Describe().event()))[0])
            for programs in (info.asr, info.handle, info.intent, info.tts):
                assert [(one.name, one.installed) for one in programs] == [("Backtalk", True)]
            assert "en" in info.asr[0].models[0].languages
            assert "en" in info.handle[0].models[0].languages
            assert "en" in info.tts[0].voices[0].languages
            assert "facet hypertrophy" in (info.handle[0].description or "")
            assert not info.wake

    run(test())


@pytest.mark.parametrize(("hears", "speaks"), [(False, True), (True, False)])
def test_offers_only_what_it_can_do(hears: bool, speaks: bool) -> None:
    async def test() -> None:
        async with house(hears=hears, speaks=speaks) as home:
            info = Info.from_event((await home.ask(Describe().event()))[0])
            assert (bool(info.asr), bool(info.tts), bool(info.handle)) == (hears, speaks, True)
            asked_for = sound(1) if speaks else [Synthesize("Hello.").event()]
            (error,) = await home.ask(*asked_for)
            assert error.type == "error"
            assert "please" in error.data["text"]

    run(test())


def test_pong() -> None:
    async def test() -> None:
        async with house() as home:
            assert Pong.from_event((await home.ask(Ping("here").event()))[0]).text == "here"
            assert Pong.from_event((await home.ask(Ping().event()))[0]).text is None

    run(test())


@pytest.mark.parametrize(
    ("rate", "channels", "chunk"), [(16_000, 1, 1024), (48_000, 2, 1024), (8_000, 1, 999), (16_000, 1, 10**6)]
)
def test_sound_becomes_text(rate: int, channels: int, chunk: int) -> None:
    async def test() -> None:
        async with house() as home:
            (event,) = await home.ask(*sound(2, rate=rate, channels=channels, chunk=chunk))
            assert event.type == "transcript"
            assert event.data["text"] in ("20 tenths", "21 tenths")

    run(test())


def test_samples_may_be_cut_anywhere() -> None:
    async def test() -> None:
        async with house() as home:
            start, stop = sound(0)[1:]
            form = start.data
            odd = [Event("audio-chunk", form, b"\x01\x02\x03"), Event("audio-chunk", form, b"\x04" * 16_001)]
            (event,) = await home.ask(start, *odd, stop)
            assert event.data["text"] == "5 tenths"

    run(test())


def test_no_sound_is_no_text() -> None:
    async def test() -> None:
        async with house() as home:
            assert [event.data["text"] for event in await home.ask(*sound(0))] == [""]
            assert [event.data["text"] for event in await home.ask(Event("audio-stop"))] == [""]

    run(test())


def test_one_connection_may_speak_again_and_again() -> None:
    async def test() -> None:
        async with house() as home:
            events = await home.ask(*sound(1), *sound(3), *sound(2), answers=3)
            assert [event.data["text"] for event in events] == ["10 tenths", "30 tenths", "20 tenths"]
            await home.ask(*sound(1))
            assert len(home.ears) == 1  # one recognizer served them all, one after the other

    run(test())


def test_the_beginning_of_very_long_speech_is_heard() -> None:
    async def test() -> None:
        async with house(Limits(audio_s=5)) as home:
            (event,) = await home.ask(*sound(9))
            assert event.data["text"] == "50 tenths"

    run(test())


@pytest.mark.parametrize(
    ("text", "kind", "reply"),
    [
        ("what is it", "handled", "Turn 1."),
        ("what is the weather", "not-handled", "I can't help with that."),
        ("my leg is numb and what is it", "handled", " ".join(WARNING)),
        ("louder", "handled", ELSEWHERE),
        ("", "not-handled", "I can't help with that."),
    ],
)
def test_text_becomes_a_reply(text: str, kind: str, reply: str) -> None:
    async def test() -> None:
        async with house() as home:
            (event,) = await home.ask(asked(text, conversation_id="1", device_id="kitchen"))
            assert (event.type, event.data["text"]) == (kind, reply)

    run(test())


def test_text_becomes_an_intent() -> None:
    async def test() -> None:
        async with house() as home:
            (event,) = await home.ask(Recognize("what is it").event())
            assert (event.type, event.data["name"], event.data["text"]) == ("intent", "definition", "Turn 1.")
            (event,) = await home.ask(Recognize("my leg is numb").event())
            assert (event.type, event.data["name"]) == ("intent", "urgent_limb")
            assert event.data["text"].startswith(WARNING[0])
            (event,) = await home.ask(Recognize("the weather").event())
            assert (event.type, event.data["text"]) == ("not-recognized", "I can't help with that.")

    run(test())


def test_a_danger_sign_in_another_reading_is_warned_of_over_the_way_by_text() -> None:
    """Hearing and answering are two connections, and only the best reading goes from one to the other."""

    async def test() -> None:
        async with house() as home:
            (heard,) = await home.ask(*sound(1, loud=30_000))
            assert "numb" not in heard.data["text"]
            (event,) = await home.ask(asked(heard.data["text"], satellite_id="kitchen"))
            assert event.data["text"].startswith(WARNING[0])
            (event,) = await home.ask(asked(heard.data["text"], satellite_id="kitchen"))
            assert event.data["text"] == "Turn 2."  # typed by somebody, later
            await home.ask(*sound(1, loud=30_000))
            home.now += 31
            (event,) = await home.ask(asked(heard.data["text"], satellite_id="kitchen"))
            assert event.data["text"] == "Turn 3."

    run(test())


def test_a_conversation_a_satellite() -> None:
    async def test() -> None:
        async with house() as home:
            kitchen, bedroom = {"satellite_id": "kitchen", "conversation_id": "1"}, {"satellite_id": "bedroom"}
            said = [(await home.ask(asked("it", **room)))[0] for room in (kitchen, kitchen, bedroom, kitchen)]
            assert [event.data["text"] for event in said] == ["Turn 1.", "Turn 2.", "Turn 1.", "Turn 3."]
            assert said[0].data["context"] == {"satellite_id": "kitchen"}
            (other,) = await home.ask(asked("it", satellite_id="kitchen", conversation_id="2"))
            assert other.data["text"] == "Turn 4."
            home.now += 601
            (later,) = await home.ask(asked("it", **kitchen))
            assert later.data["text"] == "Turn 1."

    run(test())


def test_without_a_name_a_conversation_a_connection() -> None:
    async def test() -> None:
        async with house() as home:
            same = await home.ask(asked("it"), asked("it"), answers=2)
            (other,) = await home.ask(asked("it"))
            assert [event.data["text"] for event in (*same, other)] == ["Turn 1.", "Turn 2.", "Turn 1."]

    run(test())


def test_text_becomes_sound_at_the_voice_own_rate() -> None:
    async def test() -> None:
        async with house() as home, home.client() as client:
            await client.write_event(Synthesize("One sentence. And another one.").event())
            chunks = await spoken(client)
            assert {(chunk.rate, chunk.width, chunk.channels) for chunk in chunks} == {(RATE, 2, 1)}
            samples = np.frombuffer(b"".join(chunk.audio for chunk in chunks), "<i2")
            assert len(samples) == pytest.approx(RATE * (0.13 + 0.2 + 0.16 + 0.2), abs=5)
            assert set(samples.tolist()) == {0, 165}

    run(test())


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01"])
def test_nothing_to_say_is_a_moment_of_silence(text: str) -> None:
    async def test() -> None:
        async with house() as home, home.client() as client:
            await client.write_event(Synthesize(text).event())
            assert not any(b"".join(chunk.audio for chunk in await spoken(client)))

    run(test())


def test_a_warning_is_spoken_slowly_and_what_follows_is_not() -> None:
    async def test() -> None:
        async with house() as home:
            (reply,) = await home.ask(asked("my leg is numb"))
            async with home.client() as client:
                await client.write_event(Synthesize(reply.data["text"]).event())
                samples = np.frombuffer(b"".join(chunk.audio for chunk in await spoken(client)), "<i2")
            tenth = RATE // 100
            slow, fast = (int((samples == rate).sum()) // tenth for rate in (140, 165))
            assert abs(slow - len(WARNING[0] + WARNING[1])) <= 1
            assert fast == len(WARNING[2])
            assert samples[0] == 140

    run(test())


def test_a_warning_is_heard_with_the_voice_broken() -> None:
    async def test() -> None:
        async with house() as home:
            (reply,) = await home.ask(asked("my leg is numb"))
            home.voice.broken = True
            async with home.client() as client:
                await client.write_event(Synthesize(reply.data["text"]).event())
                chunks = await spoken(client)
            assert sum(chunk.seconds for chunk in chunks) > 3
            assert len({chunk.rate for chunk in chunks}) == 1
            async with home.client() as client:
                await client.write_event(Synthesize("An answer.").event())
                assert any(b"".join(chunk.audio for chunk in await spoken(client)))

    run(test())


def test_no_words_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with house() as home:
            await home.ask(asked("the unspeakable ailment"))
            await home.ask(asked("a secret fault"))
            await home.ask(*sound(1))
            await home.raw(b'{"type": "transcript", "data": {"text": "the unspeakable ailment"')

    with caplog.at_level(logging.DEBUG):
        run(test())
    assert caplog.records
    for word in ("unspeakable", "secret", "tenths", "Turn"):
        assert word not in caplog.text


def test_words_in_the_log_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with house() as home:
            home.services.show_words = True
            await home.ask(asked("the ailment"))

    with caplog.at_level(logging.INFO):
        run(test())
    assert "the ailment" in caplog.text
    assert "Turn 1." in caplog.text


class Turnstile:
    """Lets decoding jobs pass one at a time, first come, first served, when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Event] = []

    async def run(self, job: Any) -> Any:
        mine = asyncio.Event()
        self.waiting.append(mine)
        await mine.wait()
        return job()

    def close(self) -> None: ...


def test_decoding_takes_turns() -> None:
    """Whoever speaks briefly isn't kept waiting until somebody else's half minute is decoded."""

    async def test() -> None:
        async with house() as home, home.client() as slow:
            jobs = home.services.decoding = Turnstile()  # type: ignore[assignment]
            for event in sound(30, chunk=480_000)[:-1]:
                await slow.write_event(event)
            while not jobs.waiting:
                await asyncio.sleep(0.001)
            quick = asyncio.create_task(home.ask(*sound(1, chunk=16_000)))
            while not quick.done():
                if len(jobs.waiting) > 1:
                    jobs.waiting.pop(0).set()
                await asyncio.sleep(0.001)
            assert (await quick)[0].data["text"] == "10 tenths"
            frames = [home.order.count(id(ear)) for ear in home.ears]
            assert frames[0] < 2 * frames[1]
            assert frames[0] < 30 * 16_000 / 512 / 10

    run(test())
