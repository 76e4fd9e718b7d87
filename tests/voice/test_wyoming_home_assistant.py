"""Home Assistant itself, set up without hands through its API: it takes Backtalk for ears and voice.

Home Assistant needs an environment of its own: name its program `hass` in BACKTALK_HASS, or have it on the path. Tried
with 2025.3.4 and with 2024.3.3, whose Wyoming integration has no conversation agent yet. What newer versions send with a
question is sent in test_wyoming.py.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")
pytest.importorskip("zeroconf", reason="the extra wyoming is not installed")

from wyoming_house import HOST, RATE, WARNING, house

HASS = os.environ.get("BACKTALK_HASS") or shutil.which("hass")
START_S = 60
CONFIGURATION = """
homeassistant:
  name: Test
  time_zone: UTC
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
onboarding:
conversation:
stt:
tts:
"""


class HomeAssistant:
    """Its API, as a new owner uses it."""

    def __init__(self, port: int) -> None:
        self.base = f"http://{HOST}:{port}"
        self.entities: set[str] = set()
        self._headers: dict[str, str] = {}

    def fetch(self, path: str, data: bytes | None = None, **headers: str) -> bytes:
        request = urllib.request.Request(self.base + path, data, {**self._headers, **headers})
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())

    def post(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.fetch(path, json.dumps(value).encode(), **{"Content-Type": "application/json"})
        )
        return found

    def wait(self) -> None:
        for _ in range(2 * START_S):
            try:
                self.fetch("/api/onboarding")
            except OSError:
                time.sleep(0.5)
            else:
                return
        pytest.fail("Home Assistant did not start")

    def log_in(self) -> None:
        client = self.base + "/"
        owner = {"client_id": client, "name": "Owner", "username": "owner", "password": "owner-of-it", "language": "en"}
        code = self.post("/api/onboarding/users", owner)["auth_code"]
        form = f"client_id={client}&grant_type=authorization_code&code={code}".encode()
        token = json.loads(self.fetch("/auth/token", form))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}


@contextmanager
def home_assistant(folder: Path) -> Iterator[HomeAssistant]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=port))
    with (folder / "out.log").open("w") as out:
        process = subprocess.Popen([str(HASS), "-c", str(folder), "--skip-pip"], stdout=out, stderr=out)
        try:
            home = HomeAssistant(port)
            home.wait()
            yield home
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextmanager
def backtalk() -> Iterator[int]:
    """A server in a thread of its own; its port."""
    ports: list[int] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with house() as home:
            ports.append(home.port)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        stop.set()
        thread.join(10)


@contextmanager
def furnished(folder: Path) -> Iterator[HomeAssistant]:
    """Home Assistant with Backtalk set up in it."""
    with backtalk() as port, home_assistant(folder) as home:
        home.log_in()
        flow = home.post("/api/config/config_entries/flow", {"handler": "wyoming"})
        entry = home.post(f"/api/config/config_entries/flow/{flow['flow_id']}", {"host": HOST, "port": port})
        assert (entry["type"], entry["title"]) == ("create_entry", "Backtalk")
        for _ in range(2 * START_S):
            states = json.loads(home.fetch("/api/states"))
            home.entities = {state["entity_id"] for state in states}
            if {"stt.backtalk", "tts.backtalk"} <= home.entities:
                break
            time.sleep(0.5)
        yield home


needs_home_assistant = pytest.mark.skipif(
    HASS is None, reason="no Home Assistant: name its program hass in BACKTALK_HASS"
)


@needs_home_assistant
def test_home_assistant_hears_and_speaks_with_it(tmp_path: Path) -> None:
    with furnished(tmp_path) as home:
        content = "format=wav; codec=pcm; sample_rate=16000; bit_rate=16; channel=1; language=en-US"
        sound = (1000).to_bytes(2, "little") * 32_000
        heard = json.loads(home.fetch("/api/stt/stt.backtalk", sound, **{"X-Speech-Content": content}))
        assert heard == {"text": "20 tenths", "result": "success"}

        wanted = {"engine_id": "tts.backtalk", "message": WARNING[0], "options": {"preferred_format": "wav"}}
        path = home.post("/api/tts_get_url", wanted)["path"]
        with wave.open(io.BytesIO(home.fetch(path))) as spoken:
            assert spoken.getframerate() == RATE
            assert spoken.getnframes() == pytest.approx(RATE * (len(WARNING[0]) / 100 + 0.2), abs=50)


@needs_home_assistant
def test_home_assistant_answers_with_it(tmp_path: Path) -> None:
    with furnished(tmp_path) as home:
        if "conversation.backtalk" not in home.entities:
            pytest.skip("this Home Assistant's Wyoming integration has no conversation agent yet")

        def said(text: str, conversation: str) -> str:
            asked = {
                "text": text,
                "agent_id": "conversation.backtalk",
                "conversation_id": conversation,
                "language": "en",
            }
            return str(home.post("/api/conversation/process", asked)["response"]["speech"]["plain"]["speech"])

        assert said("my leg is numb", "kitchen") == " ".join(WARNING)
        assert said("what is it", "bedroom") == "Turn 1."
        assert said("what is the weather", "kitchen") == "I can't help with that."
        # 2025.3.4 means to send the conversation's id, but its version of the library leaves it out
        assert said("what is it", "bedroom") in ("Turn 1.", "Turn 2.")
