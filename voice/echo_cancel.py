"""Taking the loudspeaker's sound out of the microphone's, where PulseAudio or PipeWire offers that."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from voice.errors import DeviceError

log = logging.getLogger(__name__)

MICROPHONE, LOUDSPEAKER = "BacktalkMicrophone", "BacktalkLoudspeaker"
_TIMEOUT_S = 10
_HELP = "Echo cancellation isn't offered by this sound system: please start me without it and lower the volume."


@dataclass(frozen=True, slots=True)
class CancelledDevices:
    """Names of the devices to use in place of the default ones."""

    microphone: str
    loudspeaker: str


@contextmanager
def echo_cancelled() -> Iterator[CancelledDevices]:
    """Loads the module on the default devices, and unloads it at the end. Raises DeviceError where it isn't offered."""
    number = _pactl(
        "load-module",
        "module-echo-cancel",
        "aec_method=webrtc",
        "rate=48000",
        "channels=1",
        "source_name=backtalk_microphone",
        "sink_name=backtalk_loudspeaker",
        f"source_properties=device.description={MICROPHONE}",
        f"sink_properties=device.description={LOUDSPEAKER}",
    ).strip()
    try:
        yield CancelledDevices(MICROPHONE, LOUDSPEAKER)
    finally:
        try:
            _pactl("unload-module", number)
        except DeviceError as error:  # the sound server went away, and the module with it
            log.info("echo cancellation not unloaded: %s", error.reason)


def _pactl(*arguments: str) -> str:
    program = shutil.which("pactl")
    if program is None:
        raise DeviceError("Echo cancellation needs the program pactl: please install pulseaudio-utils.", "no pactl")
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceError(_HELP, str(error)) from error
    if done.returncode:
        raise DeviceError(_HELP, done.stderr.strip())
    return done.stdout
