"""`backtalk fleet` itself, on a real Ray cluster of two replicas: one is killed under load, and nobody's turn is lost."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the extra fleet is not installed")
pytest.importorskip("wyoming", reason="the extra fleet is not installed")

import soundfile
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.tts import Synthesize
from wyoming_house import HOST, asked

from voice.wyoming.handler import LOST

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ("urgent_limb_023b10aa", "causes_0006e8e1", "definition_00975709", "urgent_limb_023b10aa")
ROUNDS = 6
"""Replicas that are killed, at most, until one took a turn with it."""
ANSWER_S = 90.0
"""Only so that a test that fails ends."""


class Program:
    """The program, and what it wrote to its log."""

    def __init__(self, port: int, process: subprocess.Popen[str], log: list[str]) -> None:
        self.port = port
        self.process = process
        self.log = log

    def replicas(self) -> list[int]:
        """Process ids of those that heard something, the latest first."""
        found = [int(one) for line in self.log for one in re.findall(r"heard by replica (\d+)", line)]
        return list(dict.fromkeys(reversed(found)))

    def lost(self) -> int:
        return sum("turn lost by a replica" in line for line in self.log)


@contextmanager
def fleet(model: Path, *options: str) -> Iterator[Program]:
    command = [
        sys.executable,
        "-m",
        "voice.cli",
        "fleet",
        "--uri",
        f"tcp://{HOST}:0",
        "--model",
        str(model),
        "--verbose",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    out, err = process.stdout, process.stderr
    assert out is not None
    assert err is not None
    lines: queue.Queue[str] = queue.Queue()
    log: list[str] = []
    threading.Thread(target=lambda: [lines.put(one) for one in out], daemon=True).start()
    threading.Thread(target=lambda: [log.append(one) for one in err], daemon=True).start()
    try:
        found = re.search(r"ready at tcp://127.0.0.1:(\d+)", lines.get(timeout=180))
        assert found is not None
        yield Program(int(found[1]), process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def speech(name: str) -> list[Event]:
    samples, rate = soundfile.read(ROOT / "audio_fixtures" / "dev" / f"{name}.flac", dtype="int16")
    form = {"rate": rate, "width": 2, "channels": 1}
    chunks = [samples[at : at + 1024].tobytes() for at in range(0, len(samples), 1024)]
    return [Event("audio-start", form), *(Event("audio-chunk", form, data) for data in chunks), Event("audio-stop")]


class Room:
    """One connection and its conversation."""

    def __init__(self, port: int, name: str) -> None:
        self._client = AsyncTcpClient(HOST, port, read_timeout=ANSWER_S)
        self.name = name

    async def open(self) -> None:
        await self._client.connect()

    async def answer(self, *events: Event) -> Event:
        for event in events:
            await self._client.write_event(event)
        event_back = await self._client.read_event()
        assert event_back is not None
        return event_back

    async def hears(self, recording: str) -> str:
        heard = await self.answer(*speech(recording))
        assert heard.type == "transcript", heard.data
        return str(heard.data["text"])

    async def replies(self, text: str) -> str:
        return str((await self.answer(asked(text, satellite_id=self.name))).data["text"])


async def both(program: Program, room: Room) -> tuple[int, ...]:
    """Asks until two replicas have answered; a dead one is replaced meanwhile."""
    known = len(program.log)
    for _ in range(200):
        await room.hears(RECORDINGS[1])
        seen = Program(program.port, program.process, program.log[known:]).replicas()
        if len(seen) >= 2:
            return tuple(seen)
    raise AssertionError("the second replica never answered")


@pytest.mark.model
def test_a_replica_killed_under_load_loses_nobodys_turn(model_dir: Path) -> None:
    async def test(program: Program) -> None:
        rooms = [Room(program.port, f"room {number}") for number in range(len(RECORDINGS))]
        for room in rooms:
            await room.open()
        alone = [await room.hears(name) for room, name in zip(rooms, RECORDINGS, strict=True)]
        assert all(alone)
        for _ in range(ROUNDS):
            victim = (await both(program, rooms[0]))[0]
            turns = [asyncio.create_task(room.hears(name)) for room, name in zip(rooms, RECORDINGS, strict=True)]
            await asyncio.wait(turns, timeout=0.5)
            os.kill(victim, signal.SIGKILL)
            heard = await asyncio.gather(*turns)
            assert LOST not in heard
            assert list(heard) == alone
            if program.lost():
                break
        assert program.lost(), "no replica took a turn with it, so nothing was tried"
        warned = await rooms[0].replies(heard[0])
        assert warned.startswith("Warning.")
        assert "Warning." not in await rooms[1].replies("what is facet hypertrophy")
        # Each conversation goes on where it was: it was never in the replica.
        assert (await rooms[0].replies("what causes it")).startswith("If you haven't called")
        assert not (await rooms[1].replies("what causes it")).startswith("If you haven't called")
        started = await rooms[2].answer(Synthesize(warned).event())
        assert started.type == "audio-start"

    with fleet(model_dir, "--no-local-hearing") as program:
        asyncio.run(asyncio.wait_for(test(program), 400))
    assert program.process.returncode == 0
    assert not any("Traceback" in line for line in program.log)
    assert not any("leg" in line for line in program.log), "words of a listener are in the log"


def family(process: int) -> list[int]:
    """The process and all that descend from it."""
    children = [
        int(child) for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()
    ]
    return [process, *(one for child in children for one in family(child))]


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="descendants are found by Linux's /proc only")
def test_with_all_of_ray_dead_the_front_end_hears_warns_and_speaks_by_itself(model_dir: Path) -> None:
    async def test(program: Program) -> None:
        room = Room(program.port, "kitchen")
        await room.open()
        heard = await room.hears(RECORDINGS[0])
        assert program.replicas()
        cluster = [one for one in family(program.process.pid)[1:] if _is_ray(one)]
        assert cluster
        for one in cluster:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        again = await room.hears(RECORDINGS[0])
        assert again == heard
        assert any("heard without the fleet" in line for line in program.log)
        warned = await room.replies(again)
        assert warned.startswith("Warning.")
        assert (await room.answer(Synthesize(warned).event())).type == "audio-start"

    with fleet(model_dir, "--replicas", "1") as program:
        asyncio.run(asyncio.wait_for(test(program), 200))


def _is_ray(process: int) -> bool:
    """Whether it belongs to the cluster: all but the front end's own voice."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"voice.tts_worker" not in command
