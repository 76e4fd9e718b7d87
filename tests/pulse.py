"""A PulseAudio of a test's own: no sound leaves it, and no other program hears it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

START_S = 10.0
"""Seconds within which the server answers."""


def lacking(*programs: str) -> str:
    """Names of the programs, of the server and of these, that are not installed."""
    return ", ".join(name for name in ("pulseaudio", "pactl", *programs) if shutil.which(name) is None)


class PulseServer:
    """A server in a folder, with these modules."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        self.variables = {
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_RUNTIME_PATH": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_COOKIE": str(folder / "cookie"),
        }
        """By these a program finds this server."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PULSE_")}
        self.environment = others | self.variables
        """For programs that shall use this server and no other."""
        self._folder = folder
        self._modules = modules
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError when it doesn't."""
        options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disallow-module-loading=no"]
        loads = [f"--load=module-native-protocol-unix socket={self._folder}/native auth-anonymous=1"]
        loads += [f"--load={module}" for module in self._modules]
        self._process = subprocess.Popen(
            ["pulseaudio", *options, *loads], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.pactl("info", check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError("pulseaudio did not start")

    def pactl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A question or an order to the server."""
        return subprocess.run(
            ["pactl", *arguments], env=self.environment, capture_output=True, text=True, check=check, timeout=10
        )

    def stop(self) -> None:
        """Ends it in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """Ends it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
