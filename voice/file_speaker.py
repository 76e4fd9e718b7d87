"""Replies kept as WAV files, in place of a loudspeaker."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import soundfile

from voice.errors import DeviceError
from voice.speaker import gain
from voice.speech import Clip, Int16


class FileSpeaker:
    """Writes each reply, from `begin` to `end`, as one WAV, `<name>.wav`, at the rate of its first sound."""

    playing = False

    def __init__(self, folder: Path) -> None:
        self.volume = 1.0
        self.written: list[Path] = []
        self._folder = folder
        self._name = ""
        self._clips: list[Clip] = []

    def begin(self, name: str) -> None:
        """A reply called `name` starts; one that is still open is written. Raises DeviceError."""
        self.end()
        self._name = name or "reply"

    def show(self, text: str) -> None:
        """See `Speaker.show`."""

    def play(self, samples: Int16, rate: int, *, urgent: bool = False) -> None:
        """Adds mono 16-bit samples at `rate` hertz to the reply; outside a reply they are dropped."""
        if not self._name:
            return  # a cue between two replies
        clip = Clip(samples, rate).at(self._clips[0].rate if self._clips else rate)
        scaled = np.rint(clip.samples * gain(self.volume, urgent)).astype(np.int16)
        self._clips.append(Clip(scaled, clip.rate))

    def stop(self) -> None:
        """Nothing sounds: there is nothing to stop."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """True: there is nothing to wait for."""
        return True

    def end(self) -> None:
        """Write the reply. Raises DeviceError when the folder can't be written to."""
        clips, self._clips = self._clips, []
        name, self._name = self._name, ""
        if not clips:
            return
        stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or f"reply{len(self.written) + 1}"
        path = self._folder / f"{stem}.wav"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.concatenate([clip.samples for clip in clips]), clips[0].rate, subtype="PCM_16")
        except (OSError, soundfile.LibsndfileError) as error:
            raise DeviceError(
                f"I can't write the reply into the folder {self._folder}. Please choose another one.", str(error)
            ) from error
        self.written.append(path)

    def __enter__(self) -> FileSpeaker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
