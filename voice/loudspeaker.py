"""The loudspeaker of the computer."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import miniaudio
import numpy as np

from voice.errors import DeviceError
from voice.playback_buffer import PlaybackBuffer
from voice.speaker import NO_SPEAKER, gain
from voice.speech import Clip, Int16

log = logging.getLogger(__name__)

DEVICE_RATE = 48_000
"""Hertz: what nearly every loudspeaker runs at, so that the sound server converts nothing."""
PERIODS = 2
"""Times the buffer's length that ALSA keeps; PulseAudio keeps it once."""
FADE_S = 0.01
"""A stop fades out this fast, so that it doesn't click."""
LEAD_IN_S = 0.2
"""Silence before the first speech of a stream, for loudspeakers that swallow a syllable while they wake up. Later speech gets none: while the stream is
open it carries silence all the time, so that more silence wakes nothing, and would only keep who asked waiting."""
LOST_AFTER_S = 1.0
"""A running device asks for samples with every buffer; one that asked for none for so long is gone."""
LOST_AT_START_S = 3.0
"""A new stream may have to wait for the sound server's last long buffer; PulseAudio's null sink: up to two seconds."""

LOST_SPEAKER = "The loudspeaker was lost. Please connect it again."
_BACKENDS = [backend for backend in miniaudio.Backend if backend.name not in ("NULL", "CUSTOM")]
"""Without the null backend, which would play to nobody without a word."""


_alsa_handler: Any = None


def quiet_alsa() -> None:
    """Keep ALSA from writing a screen of complaints about missing cards: a screen reader would read it all."""
    global _alsa_handler
    if _alsa_handler is None and sys.platform.startswith("linux"):
        kind = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
        _alsa_handler = kind(lambda *_: None)
        try:
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_alsa_handler)
        except (OSError, AttributeError) as error:
            log.debug("no ALSA to keep quiet: %s", error)


def _playbacks() -> list[dict[str, Any]]:
    quiet_alsa()
    try:
        return list(miniaudio.Devices(_BACKENDS).get_playbacks())
    except miniaudio.MiniaudioError as error:
        log.info("no sound system: %s", error)
        return []


def loudspeakers() -> tuple[str, ...]:
    """Names of the loudspeakers that there are now, the system's order; empty when there is none."""
    return tuple(str(device["name"]) for device in _playbacks())


def find_loudspeaker(device: str | None = None, *, keep_alive: bool = True) -> SystemSpeaker | None:
    """An opened loudspeaker, or None when there is none that works."""
    speaker = SystemSpeaker(device, keep_alive=keep_alive)
    try:
        speaker.open()
    except DeviceError as error:
        log.info("no loudspeaker: %s", error.reason)
        return None
    return speaker


@dataclass(slots=True)
class _Queued:
    samples: Int16
    urgent: bool
    at: int = field(default=0)


class SystemSpeaker:
    """The loudspeaker of the computer, through miniaudio.

    Opened when first needed, again after it was lost. With `keep_alive` it stays open between sentences (Bluetooth
    loudspeakers fall asleep otherwise); without, it is closed whenever a `wait` finds everything played.
    """

    def __init__(
        self,
        device: str | None = None,
        *,
        keep_alive: bool = True,
        lead_in_s: float = LEAD_IN_S,
        played: Callable[[Int16, int], None] | None = None,
    ) -> None:
        """`device`: a name, or part of one, as listed by `loudspeakers()`; None or empty for the system's default.

        `played` is told everything that is played, silence too, and its rate, by the device's own thread: be quick.
        """
        self._played = played
        self.volume = 1.0
        self.played_samples = 0
        """Samples of sound given to the device since it was made, at DEVICE_RATE; silence between sounds isn't counted."""
        self._name = device or ""
        self._keep_alive = keep_alive
        self._lead_in_s = lead_in_s
        self._device: miniaudio.PlaybackDevice | None = None
        self._queue: deque[_Queued] = deque()
        self._changed = threading.Condition()
        self._opening = threading.Lock()
        self._quiet_samples = 0
        self._fresh = True  # nothing was played since it was opened
        self._asked = 0
        self._asked_at = 0.0
        self._buffer = PlaybackBuffer()
        self._fading: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._last_gain = 1.0
        self._gone = False

    @property
    def playing(self) -> bool:
        """True while something sounds or waits to."""
        return bool(self._queue) or self._fading is not None

    @property
    def lost(self) -> bool:
        """True when the device was open and has gone away; noticed within LOST_AFTER_S."""
        patience_s = LOST_AFTER_S if self._asked > 2 * PERIODS else LOST_AT_START_S
        return self._device is not None and (self._gone or time.monotonic() - self._asked_at > patience_s)

    def open(self) -> None:
        """Start the device. Raises DeviceError when there is none, or none of that name."""
        with self._opening:
            if self._device is not None and not self.lost:
                return
            self._shut()
            quiet_alsa()
            try:
                device = miniaudio.PlaybackDevice(
                    output_format=miniaudio.SampleFormat.SIGNED16,
                    nchannels=1,
                    sample_rate=DEVICE_RATE,
                    buffersize_msec=self._buffer.ms,
                    callback_periods=PERIODS,
                    device_id=self._id(),
                    backends=_BACKENDS,
                    app_name="Backtalk",
                )
                stream = self._stream()
                next(stream)
                self._gone = False
                self._asked, self._asked_at = 0, time.monotonic()
                device.start(stream)
            except miniaudio.MiniaudioError as error:
                raise DeviceError(NO_SPEAKER, f"loudspeaker {self._name or 'default'}: {error}") from error
            device.stop_callback = self._stopped
            self._quiet_samples, self._fresh = DEVICE_RATE, True
            self._device = device

    def _id(self) -> Any:
        if not self._name:
            return None
        devices = _playbacks()
        wanted = self._name.casefold()
        for same in (str.__eq__, str.__contains__):
            for device in devices:
                if same(device["name"].casefold(), wanted):
                    return device["id"]
        raise DeviceError(
            f"There is no loudspeaker called {self._name}. Please choose another one in the settings.",
            f"loudspeakers: {[device['name'] for device in devices]}",
        )

    def _stopped(self) -> None:
        self._gone = True
        with self._changed:
            self._changed.notify_all()

    def _stream(self) -> Generator[bytes | Int16, int, None]:
        """What the device's own thread asks for samples: never blocks for long, never raises."""
        wanted = yield b""
        while True:
            block = self._next(wanted)
            if self._played is not None:
                self._played(block[:, 0], DEVICE_RATE)
            wanted = yield block

    def _next(self, wanted: int) -> Int16:
        self._asked += 1
        now, before = time.monotonic(), self._asked_at
        self._asked_at = now
        if self._quiet_samples == 0:  # what came before this was sound, so a late question for more tore it
            self._buffer.asked_after(now - before)
        if not self.playing:  # the usual case, fifty times a second
            self._quiet_samples += wanted
            return np.zeros((wanted, 1), dtype=np.int16)
        block = np.zeros(wanted, dtype=np.float32)
        filled = 0
        with self._changed:
            if self._fading is not None:
                filled = min(len(self._fading), wanted)
                block[:filled] = self._fading[:filled]
                self._fading = self._fading[filled:] if filled < len(self._fading) else None
            while self._queue and filled < wanted:
                item = self._queue[0]
                part = item.samples[item.at : item.at + wanted - filled]
                now = gain(self.volume, item.urgent)
                block[filled : filled + len(part)] = part * np.linspace(self._last_gain, now, len(part))
                self._last_gain = now
                item.at += len(part)
                filled += len(part)
                if item.at >= len(item.samples):
                    self._queue.popleft()
            self.played_samples += filled
            self._quiet_samples = 0
            if not self.playing:
                self._changed.notify_all()
        return block.astype(np.int16).reshape(-1, 1)

    def begin(self, name: str) -> None:
        """See `Speaker.begin`."""

    def show(self, text: str) -> None:
        """See `Speaker.show`."""

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        """See `Speaker.play`; opens the device where it isn't open."""
        self.open()
        sound = Clip(samples, rate).at(DEVICE_RATE).samples
        with self._changed:
            if not self._queue:
                self._last_gain = gain(self.volume, urgent)
                if self._fresh:
                    self._fresh = False
                    sound = np.concatenate([np.zeros(round(self._lead_in_s * DEVICE_RATE), dtype=np.int16), sound])
            self._queue.append(_Queued(sound, urgent))

    def stop(self) -> None:
        """See `Speaker.stop`: fades out within FADE_S."""
        with self._changed:
            if self._queue and self._device is not None and not self.lost:
                item = self._queue[0]
                part = item.samples[item.at : item.at + round(FADE_S * DEVICE_RATE)]
                self._fading = (part * np.linspace(self._last_gain, 0.0, len(part))).astype(np.float32)
            self._queue.clear()
            self._changed.notify_all()

    def wait(self, timeout_s: float | None = None) -> bool:
        """See `Speaker.wait`; without `keep_alive` the device is closed afterwards."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self.playing:
                if self.lost:
                    self._queue.clear()
                    self._fading = None
                    raise DeviceError(LOST_SPEAKER, f"loudspeaker {self._name or 'default'} stopped asking for samples")
                left = LOST_AFTER_S / 4 if until is None else min(LOST_AFTER_S / 4, until - time.monotonic())
                if left <= 0:
                    return False
                self._changed.wait(left)
        if not self._keep_alive:
            self.close()
        return True

    def end(self) -> None:
        """See `Speaker.end`. Where the machine is too slow for the buffer, or no longer, the next reply gets another."""
        ms = self._buffer.fit()
        if ms == self._buffer.ms or self.playing or self.lost:
            return
        log.info("the loudspeaker's buffer is %d ms from now on, it was %d", ms, self._buffer.ms)
        was_open = self._device is not None
        self.close()
        self._buffer.ms = ms
        if not was_open:
            return
        try:
            self.open()
        except DeviceError as error:  # the next `play` tries again, and tells the listener
            log.warning("the loudspeaker was not opened anew: %s", error.reason)
        else:
            self._fresh = False  # it was awake a moment ago

    def close(self) -> None:
        """Let the last buffers sound, then give the device back."""
        with self._opening:
            if self._device is not None and not self.lost and self._quiet_samples < DEVICE_RATE:
                time.sleep((PERIODS + 1) * self._buffer.ms / 1000)
            self._shut()

    def _shut(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.stop_callback = None
            # a device whose server died may never come back from its own stop
            threading.Thread(target=device.close, name="loudspeaker-close", daemon=True).start()

    def __enter__(self) -> SystemSpeaker:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait_quietly()
        self.close()

    def wait_quietly(self) -> None:
        """`wait`, on the way out, when a loss has been told already or no longer matters."""
        with contextlib.suppress(DeviceError):
            self.wait()
