"""The hands-free figures that need devices: the program on a private PulseAudio, in real time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.handsfree_fast import E2E, FIXTURES, ROOT, lines, percentiles, spread
from benchmarks.handsfree_room import load, speech_end
from tests.e2e.sound import RATE, SoundSystem, missing
from voice.frame import SAMPLE_RATE

START = "from voice.cli import main; main()"
READY_S = 90.0
SOUND = 200
"""Louder samples (of 32,767) are sound: null sinks add no noise."""
STEP = RATE // 100
"""Sounds are looked for in 10 ms."""
GAP = round(0.15 * SAMPLE_RATE)
"""Samples of silence between the wake phrase and the question: one breath."""
TOO_SOON_S = 0.25
"""Seconds before the end of a question in which a sound is a reply: the cue that it is awake is over by then."""


class Monitor:
    """Records what goes through a device, and when: positions can be compared between devices to about 10 ms."""

    def __init__(self, environment: dict[str, str], device: str) -> None:
        command = ["parecord", f"--device={device}", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1"]
        self._process = subprocess.Popen([*command, "--latency-msec=10"], env=environment, stdout=subprocess.PIPE)
        self._data = bytearray()
        self._began = float("inf")
        """Clock seconds of the first sample: the piece that came with the least delay tells."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            raise RuntimeError("parecord was started without a pipe")
        while piece := stream.read1(4096):  # type: ignore[attr-defined]
            self._data += piece
            self._began = min(self._began, time.monotonic() - len(self._data) / 2 / RATE)

    def sounds(self, since: float) -> list[float]:
        """Clock seconds of each 10 ms with sound, from `since` on."""
        if not self._data:
            return []
        first = max(0, round((since - self._began) * RATE))
        samples = np.frombuffer(bytes(self._data[2 * first : len(self._data) // 2 * 2]), np.int16).astype(np.int32)
        whole = len(samples) // STEP * STEP
        loud = np.flatnonzero(np.abs(samples[:whole]).reshape(-1, STEP).max(axis=1, initial=0) > SOUND)
        return [since + float(place) * STEP / RATE for place in loud]

    def first(self, since: float, timeout_s: float) -> float | None:
        """When it first sounds after that; None when it does not in time."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if found := self.sounds(since):
                return found[0]
            time.sleep(0.02)
        return None

    def quiet(self, since: float, seconds: float, timeout_s: float = 60.0) -> float:
        """Waits until it has been silent so long; when the last sound was (`since` without any). Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.sounds(since)
            last = found[-1] if found else since
            if time.monotonic() - last >= seconds:
                return last
            time.sleep(0.05)
        raise TimeoutError("it speaks without end")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def live(trials: int, show: Callable[[str], None], model: Path | None = None) -> dict[str, Any]:
    """End of speech → first sound, "stop" → silence, processor while silent. Raises RuntimeError without PulseAudio."""
    if lacking := missing():
        raise RuntimeError(f"the live part needs {lacking}: apt-get install pulseaudio pulseaudio-utils")
    with tempfile.TemporaryDirectory(prefix="handsfree-") as folder:
        base = Path(folder)
        (base / "pulse").mkdir(mode=0o700)
        (base / "config" / "backtalk").mkdir(parents=True)
        (base / "config" / "backtalk" / "settings.toml").touch()
        system = SoundSystem(base / "pulse")
        system.start()
        environment = {**system.environment, "XDG_CONFIG_HOME": str(base / "config"), "PYTHONPATH": str(ROOT)}
        if model is not None:
            environment["BACKTALK_MODEL"] = str(model)
        program = subprocess.Popen(
            [sys.executable, "-c", START], env=environment, cwd=base, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        monitors = [Monitor(system.environment, device) for device in ("voice.monitor", "loudspeaker.monitor")]
        try:
            return _conversation(system, program, monitors[0], monitors[1], questions(trials, base), show)
        finally:
            for monitor in monitors:
                monitor.close()
            program.terminate()
            program.wait(15)
            system.stop()


def questions(trials: int, folder: Path) -> list[Path]:
    """As many clean test questions, each after the wake phrase in one breath, written into the folder."""
    found = [one for one in lines(split="test", noise="none", room="none", kind="question") if not one["effects"]]
    wake = load(E2E / "wake_alone.flac")
    made: list[Path] = []
    for one in spread(found, trials):
        path = folder / f"{Path(one['audio']).stem}.wav"
        sound = [wake[: speech_end(wake)], np.zeros(GAP, np.int16), load(FIXTURES / one["audio"])]
        soundfile.write(path, np.concatenate(sound), SAMPLE_RATE)
        made.append(path)
    return made


def _conversation(
    system: SoundSystem,
    program: subprocess.Popen[bytes],
    person: Monitor,
    loudspeaker: Monitor,
    asked_of_it: Sequence[Path],
    show: Callable[[str], None],
) -> dict[str, Any]:
    if loudspeaker.first(0.0, READY_S) is None:
        raise RuntimeError("the program did not say that it listens")
    loudspeaker.quiet(time.monotonic(), 2.0)
    before, cpu = time.monotonic(), _cpu_s(program.pid)
    time.sleep(12)
    idle = 100 * (_cpu_s(program.pid) - cpu) / (time.monotonic() - before)
    show(f"silent room: {idle:.1f} % of a core")
    firsts: list[float] = []
    stops: list[float] = []
    unanswered = unstopped = talked_over = 0
    for question in asked_of_it:
        began = time.monotonic()
        system.say(question)
        asked = person.quiet(began, 0.15)
        # The cue that it is awake sounds while the question is asked; what sounds as it ends is a reply that came too soon.
        talked_over += any(at < asked for at in loudspeaker.sounds(asked - TOO_SOON_S))
        first = loudspeaker.first(asked, 6.0)
        if first is None:
            unanswered += 1
            continue
        firsts.append(1000 * (first - asked))
        time.sleep(max(0.0, first + 2.5 - time.monotonic()))
        began = time.monotonic()
        system.say(E2E / "stop.flac")
        said = person.quiet(began, 0.15)
        silent = loudspeaker.quiet(began, 1.0)
        if silent - said > 3.0:
            unstopped += 1
        else:
            stops.append(1000 * (silent - said))
        show(f"{question.stem}: first sound after {firsts[-1]:.0f} ms, silent after {1000 * (silent - said):.0f} ms")
        loudspeaker.quiet(time.monotonic(), 0.5)
    return {
        "first_sound": {**percentiles(firsts), "unanswered": unanswered, "talked_over": talked_over},
        "stop_to_silence": {**percentiles(stops), "not_stopped": unstopped},
        "idle_percent_of_a_core": round(idle, 1),
    }


def _cpu_s(pid: int) -> float:
    """Seconds of processor that a process and its living children have used (Linux)."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if pid in (int(stat.parent.name), int(fields[1])):
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total
