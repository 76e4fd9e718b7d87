"""A real satellite program, wyoming-satellite, in a room of files: its microphone and its loudspeaker are commands.

A satellite doesn't talk to services by itself: Home Assistant stands between. The hub below does what Home Assistant's
pipeline does, and no more. The program pins an old version of the library, so it lives in an environment of its own:
name it in BACKTALK_SATELLITE, or have `wyoming-satellite` on the path.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import socket
import sys
from pathlib import Path

import pytest

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")
pytest.importorskip("zeroconf", reason="the extra wyoming is not installed")

import numpy as np
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.satellite import RunSatellite
from wyoming.tts import Synthesize
from wyoming_house import HOST, RATE, WARNING, House, answer, asked, house

SATELLITE = os.environ.get("BACKTALK_SATELLITE") or shutil.which("wyoming-satellite")
FORM = {"rate": 16_000, "width": 2, "channels": 1}
SECONDS = 1.0

MIC = """
import sys, time
tone = (30000).to_bytes(2, "little") * 512
while True:  # as a microphone does, for ever
    sys.stdout.buffer.write(tone)
    sys.stdout.buffer.flush()
    time.sleep(0.032)
"""
SND = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    while data := sys.stdin.buffer.read1(4096):
        file.write(data)
"""


def command(folder: Path, name: str, code: str, *more: str) -> str:
    (folder / name).write_text(code)
    return shlex.join([sys.executable, str(folder / name), *more])


async def connected(port: int) -> AsyncTcpClient:
    """A client of the satellite, as soon as it listens."""
    while True:
        client = AsyncTcpClient(HOST, port)
        try:
            await client.connect()
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return client


async def one_turn(home: House, satellite: AsyncTcpClient) -> str:
    """What Home Assistant does between a satellite and its services; the reply's text."""
    await satellite.write_event(RunSatellite().event())
    async with home.client() as ears:
        await ears.write_event(Event("audio-start", FORM))
        heard_s = 0.0
        while heard_s < SECONDS:
            event = await answer(satellite)
            if event.type == "audio-chunk":
                await ears.write_event(event)
                heard_s += len(event.payload or b"") / 2 / 16_000
        await ears.write_event(Event("audio-stop"))
        text = (await answer(ears)).data["text"]
    await satellite.write_event(Transcript(text).event())
    (reply,) = await home.ask(asked(text, satellite_id="kitchen"))
    async with home.client() as voice:
        await voice.write_event(Synthesize(reply.data["text"]).event())
        while (event := await answer(voice)).type != "audio-stop":
            await satellite.write_event(event)
        await satellite.write_event(event)
    return str(reply.data["text"])


@pytest.mark.skipif(SATELLITE is None, reason="no wyoming-satellite: name it in BACKTALK_SATELLITE")
def test_a_warning_reaches_the_loudspeaker_of_a_satellite(tmp_path: Path) -> None:
    loudspeaker = tmp_path / "loudspeaker.raw"
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]

    async def test() -> None:
        program = await asyncio.create_subprocess_exec(
            str(SATELLITE), "--uri", f"tcp://{HOST}:{port}", "--no-zeroconf", "--name", "kitchen",
            "--mic-command", command(tmp_path, "mic.py", MIC),
            "--snd-command", command(tmp_path, "snd.py", SND, str(loudspeaker)), "--snd-command-rate", str(RATE),
        )  # fmt: skip
        try:
            async with house() as home:
                satellite = await connected(port)
                said = await one_turn(home, satellite)
                assert said.startswith(WARNING[0])
                # the fake voice's samples are its rate: a warning's 140, then 165
                expected = len(WARNING[0]) * RATE // 100
                while not loudspeaker.exists() or loudspeaker.stat().st_size < 2 * len(said) * RATE // 100:
                    await asyncio.sleep(0.1)
                samples = np.frombuffer(loudspeaker.read_bytes(), "<i2")
                assert set(samples[:expected].tolist()) == {140}
                assert set(samples.tolist()) == {0, 140, 165}
                await satellite.disconnect()
        finally:
            program.terminate()
            await program.wait()

    asyncio.run(asyncio.wait_for(test(), 50))
