"""A sound system of our own: a private PulseAudio whose loudspeaker is recorded and whose microphone we speak into."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import vosk

from tests.pulse import PulseServer, lacking

RATE = 16_000
QUIET = 200
"""Samples below this are silence: null sinks add no noise."""
BLOCK = RATE // 20
"""Samples in which sound is looked for: 50 ms."""

MODULES = (
    "module-null-sink sink_name=loudspeaker sink_properties=device.description=Loudspeaker",
    "module-null-sink sink_name=voice sink_properties=device.description=Voice",
    "module-remap-source source_name=microphone master=voice.monitor source_properties=device.description=Microphone",
)


def missing() -> str:
    """Names of the programs that are not installed."""
    return lacking("paplay", "parecord")


class SoundSystem(PulseServer):
    """The server, and what can be done to its devices."""

    def __init__(self, folder: Path, microphone: bool = True) -> None:
        super().__init__(folder, MODULES if microphone else MODULES[:1])
        self._microphone = microphone

    def start(self) -> None:
        super().start()
        self.pactl("set-default-sink", "loudspeaker")
        if self._microphone:
            self.pactl("set-default-source", "microphone")

    def bring_back(self) -> None:
        """From now on the microphone hears the loudspeaker as loud as a person."""
        self.pactl("load-module", "module-loopback", "source=loudspeaker.monitor", "sink=voice", "latency_msec=60")

    def lose_microphone(self) -> None:
        """Somebody pulls it out: PulseAudio moves what recorded from it to the next default."""
        self.pactl("set-default-source", "voice.monitor")  # else the loudspeaker's, and that recording would move too
        self.pactl("unload-module", "module-remap-source")

    def give_microphone(self) -> None:
        """Somebody puts it in again."""
        self.pactl("load-module", *MODULES[2].split())
        self.pactl("set-default-source", "microphone")

    def say(self, recording: Path, wait: bool = True) -> subprocess.Popen[bytes]:
        """Plays a recording into the microphone."""
        player = subprocess.Popen(["paplay", "--device=voice", str(recording)], env=self.environment)
        if wait:
            player.wait(30)
        return player

    @contextmanager
    def recording(self) -> Iterator[Loudspeaker]:
        """What the loudspeaker plays from now on."""
        loudspeaker = Loudspeaker(self.environment)
        try:
            yield loudspeaker
        finally:
            loudspeaker.close()


class Loudspeaker:
    """Listens to the loudspeaker. Positions are samples since the start."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = ["parecord", "--device=loudspeaker.monitor", "--raw", "--format=s16le", f"--rate={RATE}"]
        self._process = subprocess.Popen(
            [*command, "--channels=1", "--latency-msec=20"], env=environment, stdout=subprocess.PIPE
        )
        self._data = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while piece := stream.read1(4096):  # type: ignore[attr-defined]
            self._data += piece

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def now(self) -> int:
        return len(self._data) // 2

    def samples(self, since: int = 0) -> np.ndarray:
        whole = len(self._data) // 2 * 2
        return np.frombuffer(bytes(self._data[2 * since : whole]), np.int16)

    def sounds(self, since: int) -> np.ndarray:
        """Which blocks since then have sound."""
        samples = self.samples(since)
        whole = len(samples) // BLOCK * BLOCK
        return np.abs(samples[:whole].astype(np.int32)).reshape(-1, BLOCK).max(axis=1, initial=0) > QUIET

    def first_sound(self, since: int, timeout_s: float = 30.0) -> int:
        """Position of the first sound since then; waits for it. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = np.flatnonzero(self.sounds(since))
            if len(found):
                return since + int(found[0]) * BLOCK
            time.sleep(0.02)
        raise TimeoutError(f"nothing was said for {timeout_s} s")

    def wait_until_quiet(self, since: int, quiet_s: float = 1.6, timeout_s: float = 90.0) -> int:
        """Waits until what began after `since` is over; returns the position of its end. Raises TimeoutError."""
        self.first_sound(since)
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = np.flatnonzero(self.sounds(since))
            last = since + (int(found[-1]) + 1) * BLOCK
            if self.now - last >= quiet_s * RATE:
                return last
            time.sleep(0.05)
        raise TimeoutError("it speaks without end")

    def words(self, model: vosk.Model, since: int, until: int | None = None) -> str:
        """What a listener understands."""
        samples = self.samples(since)[: None if until is None else until - since]
        recognizer = vosk.KaldiRecognizer(model, float(RATE))
        recognizer.AcceptWaveform(samples.tobytes() + bytes(RATE))
        return str(json.loads(recognizer.FinalResult())["text"])


def seconds(recording: Path) -> float:
    return float(soundfile.info(recording).duration)
