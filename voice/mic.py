"""Microphones: whatever gives 16 kHz frames. The real ones are opened by miniaudio."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import miniaudio
import numpy as np

from voice.audio import frames
from voice.errors import DeviceError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.native import native_errors

log = logging.getLogger(__name__)

LOST_S = 2.0
"""Seconds without a single sample after which a microphone counts as unplugged."""

FIRST_S = 6.0
"""Seconds that it may take until the first sample: a sound server that was asleep takes one or two."""

QUEUE_FRAMES = 10 * SAMPLE_RATE // FRAME_SAMPLES
"""Frames that may wait for the listener (10 s); then the oldest are dropped, and counted."""

LOOK_S = 1.0
"""Seconds between two looks whether the microphone is still there: a sound server moves what recorded from one that was
pulled out to whatever is left, which may be what the loudspeaker plays. A look takes 1 ms of processor."""

PERIOD_MS = 1000 * FRAME_SAMPLES // SAMPLE_RATE
"""Milliseconds of sound that the device hands over at a time: a frame. Less would only wake the processor more often."""

BUFFER_PERIODS = 31
"""Periods that the sound server keeps for us, a second. With miniaudio's own three, every pause of the machine longer than 0.1 s (a slow memory card,
another program) tore as much out of what was said: 0.27 s of 8 s in measured freezes of 0.25 s; with these nothing, and sound comes no later."""

BACKENDS = [
    miniaudio.Backend.PULSEAUDIO,  # PipeWire speaks it too
    miniaudio.Backend.ALSA,
    miniaudio.Backend.COREAUDIO,
    miniaudio.Backend.WASAPI,
]
"""In this order. Never miniaudio's null backend: it "hears" silence where there is no device."""

_NONE = "I can't find a microphone: please plug one in and start me again."
_UNOPENED = "The microphone can't be opened: please check that it is plugged in."
_LOST = "The microphone was lost: please plug it in again."


class Microphone(Protocol):
    """Context manager that gives frames while it is open."""

    def __enter__(self) -> Microphone: ...

    def __exit__(self, *_: object) -> None: ...

    def read(self) -> Samples:
        """The next frame, shape (FRAME_SAMPLES,); blocks until it is there.

        Raises DeviceError when the device was lost, EOFError at the end of a recording.
        """


@dataclass(frozen=True)
class Device:
    """A sound device that the system knows."""

    name: str
    """As people read it."""
    id: str
    """As the sound server names it; the same at every start."""
    handle: Any
    """miniaudio's device id."""
    backend: miniaudio.Backend
    monitor: bool
    """True when it hears what a loudspeaker plays: not a microphone unless named by the person."""


def microphones() -> list[Device]:
    """All devices that can be recorded from, monitors of loudspeakers too. Empty when there is none."""
    for backend in BACKENDS:
        captures = _captures(backend)
        if captures is not None:
            return [_device(capture, backend) for capture in captures]
    return []


def _captures(backend: miniaudio.Backend) -> list[dict[str, Any]] | None:
    """None where the system hasn't got that kind of sound server, or it can't tell its devices."""
    with native_errors() as messages:
        captures = _listed(backend)
        if captures is None:
            log.debug("%s: %s", backend, messages())
    return captures


def _listed(backend: miniaudio.Backend) -> list[dict[str, Any]] | None:
    try:
        captures: list[dict[str, Any]] = miniaudio.Devices([backend]).get_captures()
    except miniaudio.MiniaudioError as error:
        log.debug("%s: %s", backend, error)
        return None
    return captures


def _device(capture: dict[str, Any], backend: miniaudio.Backend) -> Device:
    name, handle = capture["name"], capture["id"]
    if backend in (miniaudio.Backend.PULSEAUDIO, miniaudio.Backend.ALSA):
        # There the id, a union that cffi shows only as bytes, is a string.
        identity = bytes(miniaudio.ffi.buffer(handle)).split(b"\0")[0].decode("utf-8", "replace")
    else:
        identity = name
    return Device(name, identity, handle, backend, monitor=identity == "null" or identity.endswith(".monitor"))


def default_microphone() -> str | None:
    """Name of a microphone, None when there is none (a loudspeaker's monitor is none)."""
    return next((device.name for device in microphones() if not device.monitor), None)


def find_microphone(wanted: str) -> Device:
    """The device with that id or name, else the only one whose name has `wanted` in it. Raises DeviceError."""
    devices = microphones()
    key = wanted.strip().casefold()
    exact = [device for device in devices if key in (device.id.casefold(), device.name.casefold())]
    similar = exact or [device for device in devices if key and key in device.name.casefold()]
    if len(similar) == 1 or exact:
        return similar[0]
    known = ", ".join(device.name for device in devices if not device.monitor) or "none"
    problem = "More than one microphone is" if similar else "No microphone is"
    raise DeviceError(f"{problem} called {wanted}: please choose one of these: {known}.")


class SystemMicrophone:
    """A real microphone, at 16 kHz mono whatever its own rate: the sound server converts."""

    def __init__(self, device: str | None = None, clean: Callable[[Samples], Samples] | None = None) -> None:
        """`device`: id or name (see `find_microphone`); None takes the system's default. `clean` gets each frame in the
        moment in which it was recorded, in the device's own thread, and gives one of the same length."""
        self._wanted = device
        self._clean = clean
        self._capture: Any = None
        self._frames: queue.Queue[Samples] = queue.Queue(QUEUE_FRAMES)
        self._gone, self._closed = threading.Event(), threading.Event()
        self._heard = False  # whether a frame has come since it was opened
        self.overflowed = 0
        """Samples dropped because nobody read them in time."""

    def __enter__(self) -> SystemMicrophone:
        """Opens the device. Raises DeviceError when there is none or it can't be opened."""
        if self._wanted is not None:
            chosen = find_microphone(self._wanted)
            handle, backend, needed = chosen.handle, chosen.backend, {chosen.id}
        else:
            there = [device for device in microphones() if not device.monitor]
            if not there:
                raise DeviceError(_NONE)
            handle, backend = None, there[0].backend  # which of several is the default, the sound server knows
            needed = {device.id for device in there}
        self._frames, self._heard = queue.Queue(QUEUE_FRAMES), False
        self._gone.clear()
        self._closed.clear()
        with native_errors() as messages:
            try:
                self._open(handle, backend)
            except miniaudio.MiniaudioError as error:
                self._close()
                reason = "; ".join([str(error), *messages()])
                raise DeviceError(_UNOPENED, reason) from error
        threading.Thread(target=self._look, args=(needed, backend), name="microphone-there", daemon=True).start()
        return self

    def _look(self, needed: set[str], backend: miniaudio.Backend) -> None:
        while not self._closed.wait(LOOK_S):
            captures = _listed(backend)
            if captures is not None and not needed <= {_device(capture, backend).id for capture in captures}:
                return self._gone.set()

    def _open(self, handle: Any, backend: miniaudio.Backend) -> None:
        self._capture = miniaudio.CaptureDevice(
            input_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=1,
            sample_rate=SAMPLE_RATE,
            buffersize_msec=PERIOD_MS,
            callback_periods=BUFFER_PERIODS,
            device_id=handle,
            backends=[backend],
            app_name="Backtalk",
        )
        receiver = self._receive()
        next(receiver)
        self._capture.start(receiver)

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._close()

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def _receive(self) -> Generator[None, bytearray, None]:
        """Runs in the device's thread: regroups what it hands over into frames."""
        rest = np.zeros(0, np.int16)
        while True:
            data = yield
            rest = np.concatenate([rest, np.frombuffer(data, np.int16)])
            whole = len(rest) // FRAME_SAMPLES * FRAME_SAMPLES
            for frame in rest[:whole].reshape(-1, FRAME_SAMPLES):
                self._keep(frame if self._clean is None else self._clean(frame))
            rest = rest[whole:]

    def _keep(self, frame: Samples) -> None:
        while True:
            try:
                return self._frames.put_nowait(frame)
            except queue.Full:
                try:
                    self.overflowed += len(self._frames.get_nowait())
                except queue.Empty:
                    continue  # the listener took it in this moment: there is room now

    def read(self) -> Samples:
        """See Microphone. Blocks at most LOST_S seconds, FIRST_S at first."""
        if self._capture is None:
            raise DeviceError(_LOST, "read from a closed microphone")
        if self._gone.is_set():
            raise DeviceError(_LOST, "the sound server has it no more")
        patience = LOST_S if self._heard else FIRST_S
        try:
            frame = self._frames.get(timeout=patience)
        except queue.Empty:
            raise DeviceError(_LOST, f"no sample for {patience} s") from None
        self._heard = True
        return frame

    @property
    def waiting(self) -> int:
        """Samples recorded, but not yet read."""
        return self._frames.qsize() * FRAME_SAMPLES


class FileMicrophone:
    """A recording as a microphone: as fast as it is read, with the same frames each time."""

    def __init__(self, samples: Samples, tail_s: float = 0.0) -> None:
        """`samples`: 16 kHz mono. `tail_s`: seconds of silence after them."""
        self._samples, self._tail_s = samples, tail_s
        self._frames: Iterator[Samples] = iter(())

    def __enter__(self) -> FileMicrophone:
        self._frames = frames(self._samples, self._tail_s)
        return self

    def __exit__(self, *_: object) -> None:
        self._frames = iter(())

    def read(self) -> Samples:
        """The next frame. Raises EOFError after the last one."""
        frame = next(self._frames, None)
        if frame is None:
            raise EOFError("the recording is over")
        return frame

    waiting = 0
    """Nothing is recorded before it is read."""
