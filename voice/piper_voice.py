"""A natural voice: Piper, from the extra `backtalk[natural]`, with a voice folder that the listener supplies."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import VoiceError
from voice.speech import Clip, Int16, has_words, level, pieces, trim
from voice.tts import DEFAULT_RATE, clamp_rate, spoken_form

log = logging.getLogger(__name__)

PIPER_RATE = 165
"""Words a minute of a Piper voice at length scale 1: its speakers read at about the default rate."""

NOT_INSTALLED = (
    "The natural voice is not installed. Please run: pip install 'backtalk[natural]', then start Backtalk again."
)
NO_FOLDER = "I can't find a natural voice in {folder}. Please put a Piper voice there: one onnx file and its json file."
DAMAGED = "The natural voice in {folder} can't be used. Please fetch it again, or choose another voice in the settings."
FAILED = "The natural voice failed. Please choose another voice in the settings."


def find_voice(folder: Path) -> Path:
    """The `.onnx` file, with its `.onnx.json` beside it, in a folder or at a path; the first by name.

    Raises VoiceError when there is none.
    """
    try:
        candidates = [folder] if folder.suffix == ".onnx" else sorted(folder.glob("*.onnx"))
        for model in candidates:
            if model.is_file() and Path(f"{model}.json").is_file():
                return model
    except OSError as error:
        raise VoiceError(NO_FOLDER.format(folder=folder), str(error)) from error
    raise VoiceError(NO_FOLDER.format(folder=folder), f"no .onnx with an .onnx.json in {folder}")


class PiperVoice:
    """A `Voice` by Piper. Loads in the background when it is made; a failure is told when something is to be said."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `<name>.onnx` and `<name>.onnx.json`. Raises VoiceError when they or the extra are missing."""
        self._model = find_voice(Path(folder))
        try:
            import piper
        except ImportError as error:
            raise VoiceError(NOT_INSTALLED, str(error)) from error
        self._piper: Any = piper
        self._voice: Any = None
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._loading = threading.Thread(target=self._load, name="piper-load", daemon=True)
        self._loading.start()

    def _load(self) -> None:
        try:
            self._voice = self._piper.PiperVoice.load(self._model)
        except Exception as error:  # noqa: BLE001 - onnxruntime has its own kinds; told by `_loaded`
            self._failure = error

    def _loaded(self) -> Any:
        self._loading.join()
        if self._voice is None:
            raise VoiceError(DAMAGED.format(folder=self._model.parent), f"{self._model}: {self._failure!r}")
        return self._voice

    @property
    def sample_rate(self) -> int:
        """Hertz, as the voice's own json file states it. Waits until the voice is loaded."""
        return int(self._loaded().config.sample_rate)

    def stream(self, text: str, rate: int = DEFAULT_RATE) -> Iterator[Clip]:
        """One levelled clip a sentence, each as soon as it is made. Raises VoiceError when Piper fails."""
        voice = self._loaded()
        scale = PIPER_RATE / clamp_rate(rate) * float(voice.config.length_scale)
        config = self._piper.SynthesisConfig(length_scale=scale)
        # "[[" would make Piper read what follows as phonemes
        for piece in pieces(text.replace("[[", "[ [")):
            try:
                with self._lock:
                    chunks = list(voice.synthesize(piece, config)) if has_words(piece) else []
            except Exception as error:  # whatever it throws is one thing to the listener
                raise VoiceError(FAILED, f"piper: {error!r}") from error
            for chunk in chunks:
                samples = trim(np.asarray(chunk.audio_int16_array, dtype=np.int16), chunk.sample_rate)
                yield Clip(level(samples, chunk.sample_rate), chunk.sample_rate)

    def speak(self, sentence: str, rate: int = DEFAULT_RATE) -> Int16:
        """See `voice.tts.Voice.speak`."""
        text = spoken_form(sentence)
        if not text:
            return np.zeros(0, dtype=np.int16)
        clips = [clip.samples for clip in self.stream(text, rate)]
        if not any(map(len, clips)):
            raise VoiceError(FAILED, "piper made no sound for a sentence with words")
        return np.concatenate(clips)

    def close(self) -> None:
        """Let the model go."""
        self._loading.join()
        self._voice, self._failure = None, RuntimeError("the voice was closed")
