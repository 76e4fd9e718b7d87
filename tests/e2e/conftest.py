"""The installed program on a private sound system."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import vosk

from tests.e2e.sound import SoundSystem, missing

RECORDINGS = Path(__file__).parent / "recordings"


def _program() -> list[str]:
    """The installed command, or the one named in BACKTALK_E2E_COMMAND."""
    named = os.environ.get("BACKTALK_E2E_COMMAND")
    if named:
        return shlex.split(named)
    beside = Path(sys.executable).with_name("backtalk")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "voice.cli"]


class Backtalk:
    """The running program; its standard output and error are collected line by line."""

    def __init__(self, arguments: list[str], environment: dict[str, str], folder: Path) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*_program(), *arguments],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, text: str, timeout_s: float = 180.0) -> None:
        """Until a line with `text` was printed. Raises AssertionError with all that was printed."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if any(text in line for line in self.lines):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not printed, but: {self.lines}")

    def end(self) -> int:
        """Ends it as systemd would; returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)


@pytest.fixture(scope="session")
def listener(model_dir: Path) -> vosk.Model:
    """Somebody who listens to the loudspeaker."""
    vosk.SetLogLevel(-1)
    return vosk.Model(str(model_dir))


@pytest.fixture(scope="session")
def _has_pulseaudio() -> None:
    lacking = missing()
    if lacking:
        reason = f"end-to-end tests need {lacking}: apt-get install pulseaudio pulseaudio-utils"
        if os.environ.get("BACKTALK_REQUIRE_E2E"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def sound(_has_pulseaudio: None, tmp_path: Path) -> Iterator[SoundSystem]:
    folder = tmp_path / "pulse"
    folder.mkdir(mode=0o700)
    system = SoundSystem(folder)
    system.start()
    yield system
    system.stop()


@pytest.fixture
def deaf_sound(_has_pulseaudio: None, tmp_path: Path) -> Iterator[SoundSystem]:
    """A loudspeaker and no microphone."""
    folder = tmp_path / "pulse"
    folder.mkdir(mode=0o700)
    system = SoundSystem(folder, microphone=False)
    system.start()
    yield system
    system.stop()


@pytest.fixture
def run(model_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Backtalk]]:
    """Starts the program on a sound system, in a home folder of its own."""
    started: list[Backtalk] = []
    (tmp_path / "config" / "backtalk").mkdir(parents=True)
    (tmp_path / "config" / "backtalk" / "settings.toml").touch()  # not the first start: no long greeting

    def start(system: SoundSystem | None, *arguments: str) -> Backtalk:
        environment = {**(system.environment if system else os.environ)}
        if system is None:
            environment |= {"PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": str(tmp_path)}
        environment |= {"BACKTALK_MODEL": str(model_dir), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        started.append(Backtalk(list(arguments), environment, tmp_path))
        return started[-1]

    yield start
    for program in started:
        program.end()
