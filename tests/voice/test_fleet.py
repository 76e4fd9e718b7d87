"""A fleet whose replicas die, hang or are away: what a listener gets. No Ray is needed here."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")

from wyoming.event import Event
from wyoming.tts import Synthesize
from wyoming_house import FakeConversation, FakeVoice, House, asked, opened, sound

from intents.heard import Heard, Word
from voice.commands import fleet as command
from voice.errors import BacktalkError, InputError, VoiceError
from voice.fleet.child import ClusterHere
from voice.fleet.cluster import Plan
from voice.fleet.ear import FleetEar, Open, hear
from voice.fleet.fleet import FleetError, Patience, persist
from voice.fleet.http import HttpFleet
from voice.fleet.voice import FleetVoice
from voice.fleet.wire import clip_in, clip_out, heard_in, heard_out, sentence_in, sentence_out
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.speech import Clip
from voice.wyoming.handler import LOST
from voice.wyoming.hearing import Listener, Listeners, TurnLost
from voice.wyoming.limits import Limits
from voice.wyoming.server import Server
from voice.wyoming.services import Parts, Services

FRAME = np.full(FRAME_SAMPLES, 100, np.int16)


class FakeFleet:
    """Hears how long the sound was; `failures` calls end badly first, each after so many seconds of the fake clock."""

    def __init__(self, failures: int = 0, takes_s: float = 0.0) -> None:
        self.failures = failures
        self.takes_s = takes_s
        self.now = 0.0
        self.given: list[bytes] = []
        self.allowed: list[float] = []

    def clock(self) -> float:
        return self.now

    def _fail(self, allowed: float) -> None:
        self.allowed.append(allowed)
        if self.failures:
            self.failures -= 1
            self.now += min(self.takes_s, allowed)
            raise FleetError("the replica died")

    def hear(self, sound: bytes, timeout_s: float) -> Heard:
        self.given.append(sound)
        self._fail(timeout_s)
        loud = np.abs(np.frombuffer(sound, "<i2").astype(np.int32)).max() > 20_000
        return Heard("my leg is mom", ("my leg is numb",)) if loud else Heard(f"{round(len(sound) / 3200)} tenths")

    def speak(self, sentence: str, rate: int, timeout_s: float) -> Clip:
        self._fail(timeout_s)
        return Clip(np.full(len(sentence) * 160, rate, np.int16), 16_000)


def ear(fleet: FakeFleet, local: Any = None, patience: Patience | None = None) -> FleetEar:
    return FleetEar(fleet, local, patience, clock=fleet.clock)


def test_a_turn_that_died_with_its_replica_is_asked_again_with_the_same_sound() -> None:
    fleet = FakeFleet(failures=2)
    listening = ear(fleet)
    for _ in range(50):
        listening.accept(FRAME)
    assert listening.finish().text == "16 tenths"
    assert len(fleet.given) == 3
    assert len(set(fleet.given)) == 1
    assert len(fleet.given[0]) == 50 * FRAME_SAMPLES * 2


def test_nothing_of_one_turn_is_in_the_next() -> None:
    fleet = FakeFleet()
    listening = ear(fleet)
    listening.accept(FRAME)
    listening.reset()
    assert listening.finish() == Heard("")
    listening.accept(FRAME)
    listening.finish()
    listening.accept(FRAME)
    listening.finish()
    assert [len(one) for one in fleet.given] == [FRAME_SAMPLES * 2] * 2


def test_a_turn_that_nobody_can_hear_is_lost_and_says_why() -> None:
    fleet = FakeFleet(failures=99)
    listening = ear(fleet, patience=Patience(attempts=3))
    listening.accept(FRAME)
    with pytest.raises(TurnLost) as lost:
        listening.finish()
    assert "say it once more" in str(lost.value)
    assert lost.value.reason == "the replica died"
    assert len(fleet.given) == 3
    listening.accept(FRAME)  # and the ear is ready for the next
    fleet.failures = 0
    assert listening.finish().text


def test_with_ears_of_its_own_the_front_end_hears_what_the_fleet_cannot() -> None:
    fleet = FakeFleet(failures=99)
    heard: list[bytes] = []

    def local(sound: bytes) -> Heard:
        heard.append(sound)
        return Heard("my leg is numb")

    listening = ear(fleet, local)
    listening.accept(FRAME)
    assert listening.finish().text == "my leg is numb"
    assert heard == [FRAME.astype("<i2").tobytes()]


def test_a_fleet_that_hangs_keeps_nobody_waiting_who_can_hear_by_himself() -> None:
    fleet = FakeFleet(failures=99, takes_s=1e9)
    listening = ear(fleet, lambda sound: Heard("here"))
    for _ in range(4 * SAMPLE_RATE // FRAME_SAMPLES):
        listening.accept(FRAME)
    assert listening.finish().text == "here"
    assert fleet.now <= 5.1  # of the fake clock: 3 s and half the length of the sound
    assert len(fleet.given) == 1  # what is merely slow isn't asked twice for everything


def test_one_replica_that_hangs_leaves_time_for_the_others() -> None:
    fleet = FakeFleet(failures=1, takes_s=1e9)
    listening = ear(fleet)
    listening.accept(FRAME)
    assert listening.finish().text
    assert fleet.now <= Patience().budget_s() / 2 + 0.1
    assert len(fleet.given) == 2


def test_attempts_end_with_the_time() -> None:
    fleet = FakeFleet(failures=99, takes_s=4.0)
    told: list[int] = []
    with pytest.raises(FleetError):
        persist(
            lambda seconds: fleet.speak("a", 165, seconds),
            Patience(attempts=50),
            10.0,
            lambda number, _: told.append(number),
            fleet.clock,
        )
    assert fleet.now <= 10.1
    assert told == list(range(1, len(told) + 1))


def test_where_the_fleet_is_away_the_own_voice_speaks() -> None:
    fleet = FakeFleet()
    voice = FleetVoice(fleet, FakeVoice(), clock=fleet.clock)  # type: ignore[arg-type]
    assert len(voice.speak("ten chars.")) == 10 * 160 * voice.sample_rate // 16_000
    fleet.failures = 99
    assert len(voice.speak("ten chars.", 140)) == 10 * voice.sample_rate // 100
    with pytest.raises(VoiceError):
        FleetVoice(fleet, clock=fleet.clock).speak("no voice at all")
    with pytest.raises(InputError):
        voice.speak("a" * 6_000)


def test_a_replica_hears_an_utterance_whole_and_keeps_nothing() -> None:
    made = House(Limits())
    listeners = Listeners(made._listener, 1)
    sound_of_a_second = np.full(SAMPLE_RATE, 1_000, "<i2").tobytes()
    assert hear(sound_of_a_second, listeners, 60).text == "10 tenths"
    assert hear(sound_of_a_second, listeners, 60).text == "10 tenths"
    assert hear(b"", listeners, 60) == Heard("")
    assert hear(sound_of_a_second * 3, listeners, 2).text == "20 tenths"


@asynccontextmanager
async def front(fleet: FakeFleet, clock: Callable[[], float] | None = None) -> AsyncIterator[House]:
    """The Wyoming server as a front end of `fleet`, without hearing of its own."""
    built = House(Limits())
    parts = Parts(
        listener=lambda: Listener(ear(fleet, patience=Patience(attempts=2)), Open()),
        talker=FakeConversation,
        voice=FleetVoice(fleet, FakeVoice(), clock=fleet.clock),  # type: ignore[arg-type]
        topics=["facet hypertrophy"],
        fixed_warnings=(),
        rate=165,
        lost="I lost it. Please say it once more.",
    )
    built.services.close()
    built.services = Services(parts, Limits(), decoders=8, speakers=2)
    built.server = Server(Limits())
    async with opened(built):
        yield built


def test_a_lost_turn_is_told_aloud_and_the_conversation_goes_on() -> None:
    async def test() -> None:
        fleet = FakeFleet()
        async with front(fleet) as house:
            (first,) = await house.ask(*sound(1.0, loud=30_000))
            (warned,) = await house.ask(asked(first.data["text"], satellite_id="kitchen"))
            assert warned.data["text"].startswith("Warning.")
            fleet.failures = 2
            (lost,) = await house.ask(*sound(1.0))
            assert lost.type == "transcript"  # not an error: a client that waits for text passes over it, in silence
            assert lost.data["text"] == LOST
            (told,) = await house.ask(asked(LOST, satellite_id="kitchen"))
            assert told.data["text"] == "I lost it. Please say it once more."
            (spoken,) = await house.ask(Synthesize(told.data["text"]).event())
            assert spoken.type == "audio-start"
            (again,) = await house.ask(*sound(1.0))
            assert again.data["text"] == "10 tenths"
            (answered,) = await house.ask(asked(again.data["text"], satellite_id="kitchen"))
            assert answered.data["text"] == "Turn 2."  # of the same conversation, which the lost turn didn't touch

    asyncio.run(test())


def test_a_turn_lost_in_one_room_is_not_lost_in_another() -> None:
    async def test() -> None:
        fleet = FakeFleet(failures=1)  # answered at the second attempt, from the kept sound
        async with front(fleet) as house:
            heard = await asyncio.gather(*(house.ask(*sound(seconds)) for seconds in (1.0, 2.0, 3.0)))
            assert sorted(one.data["text"] for (one,) in heard) == ["10 tenths", "20 tenths", "30 tenths"]
            assert len(fleet.given) == 4

    asyncio.run(test())


def test_a_danger_sign_in_another_reading_survives_the_way_through_the_fleet() -> None:
    async def test() -> None:
        async with front(FakeFleet(failures=1)) as house:
            (heard,) = await house.ask(*sound(1.0, loud=30_000))
            assert "numb" not in heard.data["text"]
            (reply,) = await house.ask(Event("recognize", {"text": heard.data["text"]}))
            assert reply.data["name"] == "urgent_limb"

    asyncio.run(test())


WHOLE = Heard("my leg", ("my lag",), (Word("my", 0.0, 0.25, 0.9), Word("leg", 0.25, 0.5, 1.0)))


def test_what_was_heard_crosses_the_network_whole() -> None:
    assert heard_in(heard_out(WHOLE)) == WHOLE
    assert sentence_in(sentence_out("Call now.", 140)) == ("Call now.", 140)
    clip = Clip(np.arange(-5, 5, dtype=np.int16), 22_050)
    back = clip_in(*clip_out(clip))
    assert back.rate == clip.rate
    assert (back.samples == clip.samples).all()
    plan = Plan(3, 2, 1, "/model", ("/pack",))
    assert Plan.of_json(plan.as_json()) == plan


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["text", "alternatives", "words"]), inner),
    max_leaves=12,
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_an_answer_that_is_none_is_a_failed_call_and_nothing_worse(body: bytes) -> None:
    for read in (
        heard_in,
        sentence_in,
        lambda data: clip_in(data, {}),
        lambda data: clip_in(data, {"x-backtalk-rate": "²"}),
    ):
        with suppress(FleetError):  # any other exception fails the test
            read(body)


@contextmanager
def place(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """An address that gives this answer to everything; and the paths that were asked."""
    asked_for: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked_for.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked_for
    finally:
        server.shutdown()
        server.server_close()


def test_the_fleet_is_asked_over_http() -> None:
    with place(200, heard_out(WHOLE)) as (url, asked_for):
        assert HttpFleet([url]).hear(b"\0\0", 5) == WHOLE
        assert HttpFleet([f"{url}/back/"]).hear(b"\0\0", 5) == WHOLE
        assert asked_for == ["/hear", "/back/hear"]
    with place(200, b"\1\0\2\0", {"X-Backtalk-Rate": "16000"}) as (url, _):
        clip = HttpFleet([url]).speak("Hello.", 165, 5)
        assert (clip.samples.tolist(), clip.rate) == ([1, 2], 16_000)


@pytest.mark.parametrize(("status", "body"), [(500, b"fault"), (503, b""), (200, b"no json"), (200, b"")])
def test_a_bad_answer_is_a_failed_call(status: int, body: bytes) -> None:
    with place(status, body) as (url, _), pytest.raises(FleetError):
        HttpFleet([url]).hear(b"\0\0", 5)


def test_nobody_there_or_nobody_who_answers_is_a_failed_call_and_the_next_address_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, place(200, heard_out(WHOLE)) as (url, asked_for):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            closed = f"http://127.0.0.1:{gone.getsockname()[1]}"
        fleet = HttpFleet([closed, f"http://127.0.0.1:{silent.getsockname()[1]}", url])
        with pytest.raises(FleetError):
            fleet.hear(b"\0\0", 5)
        with pytest.raises(FleetError):
            fleet.hear(b"\0\0", 0.1)
        assert fleet.hear(b"\0\0", 5) == WHOLE
        assert fleet.hear(b"\0\0", 5) == WHOLE
        assert len(asked_for) == 2


@pytest.mark.parametrize("url", ["", "10.0.0.5:8000", "ftp://a", "http://", "http://a:99999"])
def test_an_address_that_is_none_is_one_plain_sentence(url: str) -> None:
    with pytest.raises(BacktalkError, match="please give one such as"):
        HttpFleet([url])


@pytest.mark.parametrize(
    ("program", "reason"),
    [("import time; time.sleep(600)", "it ended with"), ("import sys; sys.exit('Ray said no')", "Ray said no")],
)
def test_a_cluster_that_does_not_start_is_told_and_not_waited_for(program: str, reason: str) -> None:
    with pytest.raises(BacktalkError, match="can't start the fleet") as failed:
        ClusterHere(Plan(), [sys.executable, "-c", program], start_s=1.0 if "sleep" in program else 60.0)
    assert reason in failed.value.reason


def test_a_cluster_ends_with_its_front_end() -> None:
    program = "import sys; print('ready at http://127.0.0.1:1', flush=True); sys.stdin.read()"
    here = ClusterHere(Plan(), [sys.executable, "-c", program])
    assert here.url == "http://127.0.0.1:1"
    here.close()
    assert here.process.returncode == 0
    here.close()


def test_a_missing_extra_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    result = CliRunner().invoke(command.command, [])
    assert (result.exit_code, result.output.strip()) == (1, command.MISSING)
