"""Text to speech: sentences in, samples out, whatever happens to the engine."""

from __future__ import annotations

import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import soundfile

from voice.errors import InputError, VoiceError
from voice.speech import Clip, Int16, has_words, level, pieces, speakable, spell_telephone, trim

log = logging.getLogger(__name__)

DEFAULT_RATE = 165
"""Words a minute."""
SLOWEST, FASTEST = 100, 300
"""Words a minute."""
URGENT_RATE = 140
"""Words a minute, at most, for a warning."""
MAX_CHARS = 5_000
"""Longer texts are no sentence; the mouth cuts them into pieces, a voice refuses them."""
START_TIMEOUT_S = 10.0
"""A cold start from a slow card may take seconds; measured here: 0.15 s."""
SENTENCE_TIMEOUT_S = 3.0
"""A sentence takes 10 to 20 ms; after this the engine hangs."""
CACHED_SENTENCES = 32

NO_VOICE = "I can't speak, because no voice engine works here. Please install espeak-ng, then start Backtalk again."
TOO_LONG = f"That text is too long to be said aloud. Please keep it under {MAX_CHARS} characters."


def refuse_if_too_long(text: str) -> None:
    """Raises InputError for what is no sentence."""
    if len(text) > MAX_CHARS:
        raise InputError(TOO_LONG, f"a text of {len(text)} characters was to be spoken")


def spoken_form(sentence: str) -> str:
    """What an engine is given, telephone numbers spelt out; empty where nothing is to be said. Raises InputError."""
    text = spell_telephone(speakable(sentence))
    refuse_if_too_long(text)
    return text if has_words(text) else ""


class Voice(Protocol):
    """Turns one sentence into samples."""

    @property
    def sample_rate(self) -> int:
        """Hertz of what `speak` returns."""
        ...

    def speak(self, sentence: str, rate: int = DEFAULT_RATE) -> Int16:
        """Mono 16-bit samples of a sentence at `rate` words a minute, levelled to SPEECH_DBFS; empty for an empty text.

        Raises VoiceError when no engine could say it, InputError when it is too long to be a sentence.
        """
        ...

    def close(self) -> None:
        """Gives the engine back."""


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A voice that an engine offers."""

    id: str
    name: str
    languages: tuple[str, ...] = ()


def clamp_rate(rate: int) -> int:
    """Words a minute that every engine can do and people can follow."""
    return max(SLOWEST, min(FASTEST, rate))


def urgent_rate(rate: int) -> int:
    """Words a minute of a warning, for someone who listens at `rate`."""
    return min(clamp_rate(rate), URGENT_RATE)


class _Child:
    """One engine process. Not reused after a failure."""

    def __init__(self, command: Sequence[str]) -> None:
        memory = Path("/dev/shm")  # what is said stays off the disk where the system allows
        base = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="backtalk-voice-", dir=base))
        self._answers: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
        try:
            self.process = subprocess.Popen(
                [*command, str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_child_environment(),
            )
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.ready = False
        threading.Thread(target=self._read, name="voice-answers", daemon=True).start()

    def _read(self) -> None:
        out = self.process.stdout
        if out is None:
            raise RuntimeError("the child was started without a pipe")
        try:
            for line in out:
                head = json.loads(line)
                length = 2 * head.get("samples", 0)
                body = out.read(length)
                if len(body) < length:
                    break
                self._answers.put((head, body))
        except ValueError as error:  # a torn line of a killed child, or a pipe closed by `kill`
            log.debug("voice engine's pipe ended: %s", error)
        self._answers.put(({"error": "the engine process ended"}, b""))

    def answer(self, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        """The next answer; raises VoiceError when it is an error, or late."""
        try:
            head, body = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise VoiceError(NO_VOICE, f"the engine gave no answer within {timeout_s:g} s") from None
        if "error" in head:
            raise VoiceError(NO_VOICE, f"{head['error']} (exit status {self.process.poll()})")
        return head, body

    def ask(self, request: dict[str, Any]) -> None:
        stdin = self.process.stdin
        try:
            if stdin is None:
                raise OSError("no pipe")
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise VoiceError(NO_VOICE, f"the engine process is gone: {error}") from error

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except OSError as error:  # unsent bytes for a dead child
                log.debug("voice engine's pipe: %s", error)
        shutil.rmtree(self._folder, ignore_errors=True)


def _child_environment() -> dict[str, str]:
    """The child must find this package, and nothing in the folder from which the person happens to start us."""
    home = str(Path(__file__).resolve().parent.parent)
    path = [home, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(part for part in path if part)}


class Pyttsx3Voice:
    """pyttsx3 in a child process, started at once in the background, replaced when it hangs, fails or dies.

    A sentence that met a failure is spoken again by the replacement, once; after that VoiceError, and the next
    sentence gets a new child again. May be used from several threads; sentences are made one at a time.
    """

    def __init__(
        self,
        voice: str | None = None,
        *,
        command: Sequence[str] | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        sentence_timeout_s: float = SENTENCE_TIMEOUT_S,
    ) -> None:
        """`voice`: an id or name as listed by `voices()`, None for the default; `command`: what starts the child."""
        self.voice = voice
        self.sample_rate = 22_050
        self._command = tuple(command or (sys.executable, "-m", "voice.tts_worker"))
        self._start_timeout_s = start_timeout_s
        self._sentence_timeout_s = sentence_timeout_s
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, int, str | None], Int16] = OrderedDict()
        self._voices: tuple[VoiceInfo, ...] = ()
        self._child: _Child | None = None
        self._closed = False
        self.restarts = 0
        """How many children were replaced."""
        try:
            self._child = _Child(self._command)
        except OSError as error:  # told when something is to be said; a voice may not stop the start
            log.warning("voice engine did not start: %s", error)

    @property
    def pid(self) -> int | None:
        """Process id of the running engine."""
        child = self._child
        return child.process.pid if child else None

    def voices(self) -> tuple[VoiceInfo, ...]:
        """What the engine offers. Raises VoiceError when there is no engine."""
        with self._lock:
            self._ready_child()
        return self._voices

    def speak(self, sentence: str, rate: int = DEFAULT_RATE) -> Int16:
        """See `Voice.speak`."""
        text = spoken_form(sentence)
        if not text:
            return np.zeros(0, dtype=np.int16)
        parts = [self._piece(piece, clamp_rate(rate)) for piece in pieces(text)]
        return np.concatenate(parts)

    def _piece(self, text: str, rate: int) -> Int16:
        key = (text, rate, self.voice)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
            try:
                samples = self._synthesise(text, rate)
            except VoiceError as first:
                log.warning("voice engine replaced: %s", first.reason)
                samples = self._synthesise(text, rate)
            self._cache[key] = samples
            if len(self._cache) > CACHED_SENTENCES:
                self._cache.popitem(last=False)
            return samples

    def _synthesise(self, text: str, rate: int) -> Int16:
        try:
            child = self._ready_child()
            child.ask({"text": text, "rate": rate, "voice": self.voice})
            head, body = child.answer(self._sentence_timeout_s)
        except VoiceError:
            self._drop_child()
            raise
        clip = Clip(np.frombuffer(body, dtype="<i2").astype(np.int16), int(head["rate"])).at(self.sample_rate)
        samples = level(trim(clip.samples, clip.rate), clip.rate)
        if not len(samples) and has_words(text):
            self._drop_child()
            raise VoiceError(NO_VOICE, "the engine made no sound for a sentence with words")
        return samples

    def _ready_child(self) -> _Child:
        if self._closed:
            raise VoiceError(NO_VOICE, "the voice was closed")
        if self._child is None:
            try:
                self._child = _Child(self._command)
            except OSError as error:
                raise VoiceError(NO_VOICE, f"the engine process can't be started: {error}") from error
        if not self._child.ready:
            try:
                head, _ = self._child.answer(self._start_timeout_s)
            except VoiceError:
                self._drop_child()
                raise
            self._child.ready = True
            self._voices = tuple(
                VoiceInfo(str(voice["id"]), str(voice["name"]), tuple(voice["languages"])) for voice in head["voices"]
            )
        return self._child

    def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            self.restarts += 1

    def close(self) -> None:
        """End the child and remove its folder. A sentence being made fails with VoiceError, and so do later ones."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()  # without the lock: whoever waits for an answer gets "ended" at once

    def __enter__(self) -> Pyttsx3Voice:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


LastResort = Literal["emergency", "no_voice"]
"""Recordings that come with the program: a general urgent warning, and "no voice engine works"."""


def last_resort(name: LastResort) -> Clip:
    """A recorded sentence for when no engine ever worked."""
    with resources.as_file(resources.files("voice") / "data" / f"{name}.flac") as path:
        samples, rate = soundfile.read(path, dtype="int16")
    return Clip(samples, rate)


class SpokenWarnings:
    """Sentences made at start-up, in the background, and kept as samples: they can be said with the engine dead."""

    def __init__(self, voice: Voice, sentences: Iterable[str] = (), rate: int = DEFAULT_RATE) -> None:
        """`rate`: the listener's words a minute; warnings are made at `urgent_rate` of it."""
        self._voice = voice
        self._rate = urgent_rate(rate)
        self._kept: dict[str, Clip] = {}
        self._threads: list[threading.Thread] = []
        self.failure: VoiceError | None = None
        """Why some sentences could not be made; for the log and the doctor."""
        self._recorded = {name: last_resort(name) for name in ("emergency", "no_voice")}
        self.add(sentences)

    def add(self, sentences: Iterable[str]) -> None:
        """Make and keep more sentences, in the background."""
        wanted = [text for text in dict.fromkeys(map(speakable, sentences)) if text and text not in self._kept]
        if wanted:
            thread = threading.Thread(target=self._make, args=(wanted,), name="voice-warnings", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _make(self, sentences: Sequence[str]) -> None:
        for text in sentences:
            try:
                self._kept[text] = Clip(self._voice.speak(text, self._rate), self._voice.sample_rate)
            except VoiceError as error:
                log.warning("a warning could not be made beforehand: %s", error.reason)
                self.failure = error
                return

    def wait(self, timeout_s: float | None = None) -> bool:
        """True when everything that was asked for is kept."""
        for thread in self._threads:
            thread.join(timeout_s)
        return self.failure is None and not any(thread.is_alive() for thread in self._threads)

    def get(self, sentence: str) -> Clip | None:
        """The kept samples of exactly this sentence, if they were made."""
        return self._kept.get(speakable(sentence))

    def recorded(self, name: LastResort) -> Clip:
        """The recording that comes with the program."""
        return self._recorded[name]
