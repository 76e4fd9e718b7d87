"""`backtalk serve`: the program itself, and how Home Assistant finds it."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")
pytest.importorskip("zeroconf", reason="the extra wyoming is not installed")

import soundfile
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize
from wyoming_house import HOST, asked
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from voice.commands import serve
from voice.commands.shared import URI
from voice.errors import BacktalkError
from voice.wyoming.discovery import SERVICE, Announcement, default_name, reachable
from voice.wyoming.server import address_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("uri", ["", "127.0.0.1:1", "tcp://127.0.0.1", "tcp://:5", "unix:///a", "tcp://h:99999"])
def test_a_bad_address_is_one_plain_sentence(uri: str) -> None:
    result = CliRunner().invoke(serve.command, ["--uri", uri])
    assert result.exit_code == 1
    assert "please give an address" in result.output
    assert len(result.output.splitlines()) == 1


def test_addresses() -> None:
    assert address_of("tcp://127.0.0.1:10500") == ("127.0.0.1", 10500)
    assert address_of("tcp://[::1]:0") == ("::1", 0)
    assert URI == "tcp://127.0.0.1:10500"


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.create_server((HOST, 0)) as taken:
        result = CliRunner().invoke(serve.command, ["--uri", f"tcp://{HOST}:{taken.getsockname()[1]}"])
    assert result.exit_code == 1
    assert "choose another port" in result.output


def test_loopback_is_not_announced() -> None:
    result = CliRunner().invoke(serve.command, ["--uri", f"tcp://{HOST}:0", "--zeroconf"])
    assert result.exit_code == 1
    assert "Only this computer can reach me" in result.output
    with pytest.raises(BacktalkError):
        reachable("localhost")


def test_is_found_by_the_name_that_home_assistant_looks_for() -> None:
    async def test() -> None:
        listener = AsyncZeroconf(interfaces=["127.0.0.1"])
        found: asyncio.Queue[str] = asyncio.Queue()

        def changed(zeroconf: object, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change is ServiceStateChange.Added:
                found.put_nowait(name)

        browser = AsyncServiceBrowser(listener.zeroconf, SERVICE, handlers=[changed])
        announcement = Announcement(10500, "127.0.0.1", "backtalk-test", ["127.0.0.1"])
        try:
            await announcement.start()
            name = await asyncio.wait_for(found.get(), 20)
            info = await listener.async_get_service_info(SERVICE, name, 20_000)
            assert info is not None
            assert (name, info.port) == (f"backtalk-test.{SERVICE}", 10500)
            assert info.parsed_addresses() == ["127.0.0.1"]
        finally:
            await announcement.stop()
            await browser.async_cancel()
            await listener.async_close()

    try:
        asyncio.run(test())
    except BacktalkError as error:
        pytest.skip(f"no multicast here: {error.reason}")


def test_the_name_fits_into_a_service_name() -> None:
    assert re.fullmatch(r"backtalk[A-Za-z0-9-]{0,50}", default_name())


@contextmanager
def program(model: Path, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The program as it is started by hand; its port, and its process."""
    command = [sys.executable, "-m", "voice.cli", "serve", "--uri", f"tcp://{HOST}:0", "--model", str(model), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    lines: queue.Queue[str] = queue.Queue()
    out = process.stdout
    assert out is not None
    threading.Thread(target=lambda: [lines.put(one) for one in out], daemon=True).start()
    try:
        found = re.search(r"ready at tcp://127.0.0.1:(\d+)", lines.get(timeout=120))
        assert found is not None
        yield int(found[1]), process
    finally:
        process.kill()
        process.communicate()


def speech(name: str) -> list[Event]:
    """A recording as Home Assistant's speech to text sends it."""
    samples, rate = soundfile.read(ROOT / "audio_fixtures" / name, dtype="int16")
    form = {"rate": rate, "width": 2, "channels": 1}
    chunks = [samples[at : at + 1024].tobytes() for at in range(0, len(samples), 1024)]
    return [Event("audio-start", form), *(Event("audio-chunk", form, data) for data in chunks), Event("audio-stop")]


async def exchange(port: int, *events: Event, until: str = "") -> list[Event]:
    """Answers up to the one of type `until`, else the first, on a connection of their own."""
    async with AsyncTcpClient(HOST, port, read_timeout=30) as client:
        for event in events:
            await client.write_event(event)
        answers: list[Event] = []
        while not answers or (until and answers[-1].type != until):
            event_back = await client.read_event()
            assert event_back is not None
            answers.append(event_back)
        return answers


@pytest.mark.model
def test_the_program_hears_answers_speaks_and_ends(model_dir: Path) -> None:
    """As Home Assistant does it: each step on a connection of its own, only text between them."""

    async def test(port: int) -> None:
        info = Info.from_event((await exchange(port, Describe().event()))[0])
        assert all((info.asr, info.handle, info.intent, info.tts))
        heard, other = await asyncio.gather(exchange(port, *speech(DANGER)), exchange(port, *speech(QUESTION)))
        (warned,) = await exchange(port, asked(heard[0].data["text"], satellite_id="kitchen"))
        assert warned.type == "handled"
        assert warned.data["text"].startswith("Warning.")
        (answered,) = await exchange(port, asked(other[0].data["text"], satellite_id="bedroom"))
        assert answered.type == "handled"
        assert "haven't called" not in answered.data["text"]
        (again,) = await exchange(port, asked("what causes it", satellite_id="kitchen"))
        assert again.data["text"].startswith("If you haven't called")
        sound = await exchange(port, Synthesize(warned.data["text"]).event(), until="audio-stop")
        assert sum(len(one.payload or b"") for one in sound) > 2 * 22_050 * 5

    with program(model_dir, "--verbose") as (port, process):
        asyncio.run(asyncio.wait_for(test(port), 60))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in err
        assert "leg" not in err


DANGER = "dev/urgent_limb_023b10aa.flac"
QUESTION = "dev/causes_032c71a6.flac"
