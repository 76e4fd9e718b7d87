"""The child process in which pyttsx3 lives, so that a hung or crashed engine can be killed.

Run as `python -m voice.tts_worker FOLDER`. One JSON object a line on standard input asks: `{"text": ..., "rate": words
a minute, "voice": id, name or null}`. Answers go to what was standard output when it started: one JSON line
`{"samples": n, "rate": hertz}` followed by n little-endian 16-bit samples, or `{"error": "..."}`; the first line,
before anything is asked, is `{"voices": [...]}` or an error. `FOLDER` holds one WAV for the milliseconds between engine
and pipe; it is removed when the parent goes away, however that happens. No numpy here: the child must start fast and
stay small.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import shutil
import signal
import sys
import threading
import wave
from pathlib import Path
from typing import Any, BinaryIO

PREFERRED_VOICE = "en-us"
"""Used when the listener named none and the engine has it; else the engine's own default."""


def supply_espeak(bundled: bool = False) -> None:
    """Make espeak-ng findable for pyttsx3 on Linux: the system's, else (or when `bundled`) espeakng-loader's.

    Must run before pyttsx3 is imported: it loads `libespeak-ng.so.1` by name, and a library already loaded globally
    under that name is what the system's loader then finds.
    """
    if not sys.platform.startswith("linux"):
        return
    if not bundled:
        try:
            ctypes.CDLL("libespeak-ng.so.1")
            return
        except OSError:
            pass  # the usual case on a fresh machine: the next lines supply it
    import espeakng_loader

    os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)


class Engine:
    """pyttsx3, one sentence at a time to samples."""

    def __init__(self, folder: Path, bundled: bool = False) -> None:
        supply_espeak(bundled)
        import pyttsx3

        self._engine = pyttsx3.init()
        self._wav = str(folder / "sentence.wav")
        self._finished: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._engine.connect("finished-utterance", lambda name, completed: self._finished.put(completed))
        self._over = threading.Event()
        self._over.set()
        if str(self._engine) == "espeak":
            self._tame_espeak()
        self.voices = [
            {"id": voice.id, "name": voice.name, "languages": [str(code) for code in voice.languages or []]}
            for voice in self._engine.getProperty("voices")
        ]
        self._known = {key.casefold(): voice["id"] for voice in self.voices for key in (voice["name"], voice["id"])}
        # espeak-ng's ids are file names ("gmw/en-us"): people know the last part
        for known in list(self._known):
            self._known.setdefault(known.rsplit("/", 1)[-1], self._known[known])
        self._voice = ""
        self._default = str(self._engine.getProperty("voice") or "")

    def _choose(self, voice: str | None) -> None:
        """Raises ValueError for an unknown voice: pyttsx3 itself would keep the old one without a word."""
        name, plus, variant = (voice or "").partition("+")
        found = self._known.get(name.casefold()) if name else self._known.get(PREFERRED_VOICE, self._default)
        if found is None:
            raise ValueError(f"unknown voice {voice!r}")
        wanted = found + plus + variant
        if wanted and wanted != self._voice:
            self._engine.setProperty("voice", wanted)
            self._voice = wanted

    def _tame_espeak(self) -> None:
        """Wait for the end of espeak-ng's own last word on a sentence, and never cancel.

        pyttsx3 reports `finished-utterance` from espeak-ng's thread, and only then empties its queue, ends its loop and
        cancels. A sentence begun in that moment came back empty or at the old rate: about two in a thousand.
        """
        from pyttsx3.drivers import _espeak

        driver = self._engine.proxy._driver
        driver.stop = lambda: None  # only the end of a loop calls it here, to cancel a sentence that is over
        heard = driver._onSynth

        def on_synth(wav: Any, count: int, events: Any) -> int:
            try:
                return int(heard(wav, count, events))
            finally:
                if not driver._speaking:
                    self._over.set()

        _espeak.SetSynthCallback(on_synth)

    def speak(self, text: str, rate: int, voice: str | None) -> tuple[bytes, int]:
        """Little-endian 16-bit mono samples and their rate in hertz; no samples where the engine made no sound."""
        self._choose(voice)
        self._engine.setProperty("rate", rate)
        if str(self._engine) == "espeak":
            self._over.clear()
        self._engine.save_to_file(text, self._wav)
        self._engine.runAndWait()
        if not self._finished.get():  # `runAndWait` may return long before; the parent's timeout ends an endless wait
            raise RuntimeError("the engine did not finish the sentence")
        self._over.wait()
        try:
            return read_wav(self._wav)
        finally:
            Path(self._wav).unlink(missing_ok=True)


def read_wav(path: str) -> tuple[bytes, int]:
    """Samples and rate of what the engine wrote: 16-bit mono WAV from espeak, AIFF or other widths elsewhere."""
    try:
        with wave.open(path, "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) == (1, 2):
                return file.readframes(file.getnframes()), file.getframerate()
    except wave.Error:
        pass  # not a WAV: macOS writes AIFF
    import soundfile

    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return samples[:, 0].astype("<i2").tobytes(), rate


def answer(out: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    out.write(json.dumps(head).encode() + b"\n" + body)
    out.flush()


def serve(requests: BinaryIO, out: BinaryIO, folder: Path, bundled: bool = False) -> None:
    """Answer requests until the parent closes the pipe, or dies."""
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in requests:
            asked.put(line)
        # Also while the engine hangs: nobody is left to kill us, or to tidy up.
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    try:
        engine = Engine(folder, bundled)
    except Exception as error:  # noqa: BLE001 - any failure must reach the parent as a line
        answer(out, {"error": f"no engine: {type(error).__name__}: {error}"})
        return
    threading.Thread(target=read, daemon=True).start()
    answer(out, {"voices": engine.voices})
    while True:
        request = json.loads(asked.get())
        try:
            samples, rate = engine.speak(request["text"], request["rate"], request["voice"])
        except Exception as error:  # noqa: BLE001 - as above
            answer(out, {"error": f"{type(error).__name__}: {error}"})
        else:
            answer(out, {"samples": len(samples) // 2, "rate": rate}, samples)


def main(arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it still has to say goodbye
    out = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # pyttsx3 prints "Audio saved to ..." after each sentence
    serve(sys.stdin.buffer, out, Path(arguments[0]), bundled="--bundled" in arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
