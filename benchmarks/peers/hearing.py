"""Hearing peers: a recording → its words. What was heard can be kept in a file, for decoding takes longest."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Protocol

from benchmarks.peers.peer import Missing, need
from intents.heard import Heard
from intents.understand import Understander
from voice.audio import frames, read_audio
from voice.errors import BacktalkError
from voice.evaluate.manifest import Line
from voice.frame import SAMPLE_RATE, Samples
from voice.model import SpeechModel, find_model, load_model


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one hearing peer made of one recording."""

    hearing: str
    version: str
    """Of the recognizer or its model: a transcript of another version is of no use."""
    recording: str
    """SHA-256 of the recording, or its name where the manifest has none."""
    text: str
    alternatives: tuple[str, ...] = ()
    seconds: float = 0.0
    """Processor time of the decoding."""
    length: float = 0.0
    """Seconds of sound."""

    @property
    def heard(self) -> Heard:
        """As the product's understanding takes it."""
        return Heard(self.text, self.alternatives)


class Hearing(Protocol):
    """One speech recognizer."""

    def hear(self, samples: Samples) -> Heard:
        """16 kHz mono."""


class Sphinx:
    """pocketsphinx with the model of its wheel, a whole recording at once, else as it comes."""

    def __init__(self) -> None:
        pocketsphinx = need("pocketsphinx", "install the extra peers")
        self._decoder = pocketsphinx.Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def hear(self, samples: Samples) -> Heard:
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return Heard(found.hypstr if found is not None else "")


class PlainVosk:
    """The published model and Vosk's default decode, with nothing of ours: its final results, one after the other."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model

    def hear(self, samples: Samples) -> Heard:
        decoder = self._model.recognizer()
        texts = []
        for start in range(0, len(samples), SAMPLE_RATE // 4):
            if decoder.AcceptWaveform(samples[start : start + SAMPLE_RATE // 4].tobytes()):
                texts.append(json.loads(decoder.Result()).get("text", ""))
        texts.append(json.loads(decoder.FinalResult()).get("text", ""))
        return Heard(" ".join(filter(None, texts)))


class Ours:
    """Backtalk's hearing, as `backtalk ask`: voice activity, the taught model, several readings."""

    def __init__(self, model: SpeechModel) -> None:
        from voice.stt import Recognizer

        self._recognizer = Recognizer(model)

    def hear(self, samples: Samples) -> Heard:
        from voice.recording import hear
        from voice.vad import SpeechDetector

        found = hear(frames(samples), self._recognizer, SpeechDetector(), time.perf_counter)
        return max((one.utterance.heard for one in found), key=lambda one: len(one.text), default=Heard(""))


@dataclass(frozen=True, slots=True)
class Recognizer:
    """One hearing peer, not loaded yet."""

    name: str
    version: str
    make: Callable[[], Hearing]
    how: str


def pocketsphinx(_model: Path | None, _understander: Understander) -> Recognizer:
    """Raises Missing."""
    need("pocketsphinx", "install the extra peers")
    return Recognizer(
        "pocketsphinx",
        package_version("pocketsphinx"),
        Sphinx,
        "its wheel's model and settings, a whole recording at once",
    )


def vosk(model: Path | None, _understander: Understander) -> Recognizer:
    """Raises Missing."""
    path = _found(lambda: find_model(model))
    return Recognizer(
        "vosk",
        _version(path),
        lambda: PlainVosk(load_model(path)),
        "the published small model, free decode, nothing of ours",
    )


def backtalk(model: Path | None, understander: Understander) -> Recognizer:
    """Raises Missing. Teaches the model first where that hasn't been done."""
    from voice.prepare import taught_model

    path = _found(lambda: taught_model(model, understander.sentences))
    taught = path != _found(lambda: find_model(model))
    how = f"voice activity, the same model {'taught the wordings of the pack' if taught else 'NOT taught'}, several readings"
    return Recognizer("backtalk", _version(path), lambda: Ours(load_model(path)), how)


HEARINGS = {"pocketsphinx": pocketsphinx, "vosk": vosk, "backtalk": backtalk}


def _version(model: Path) -> str:
    """Model folders of one name differ in their language model's size, if in anything."""
    sizes = sorted(f"{path.relative_to(model)} {path.stat().st_size}" for path in model.rglob("*") if path.is_file())
    return hashlib.sha256("\n".join([*sizes, package_version("vosk")]).encode()).hexdigest()[:12]


def _found(find: Callable[[], Path]) -> Path:
    try:
        return find()
    except BacktalkError as error:
        raise Missing(str(error)) from error


def recording_key(line: Line) -> str:
    """Names a recording by its sound where the manifest has its digest, the same on every machine."""
    return str(line.extra.get("sha256") or line.name)


def transcribe(recognizer: Recognizer, lines: Sequence[Line], cache: Path | None) -> Iterator[Transcript]:
    """What is heard in each recording, in order; from the cache where it is there. Raises BacktalkError."""
    known = {
        one.recording: one
        for one in read_cache(cache)
        if (one.hearing, one.version) == (recognizer.name, recognizer.version)
    }
    hearing: Hearing | None = None
    with ExitStack() as files:
        out = files.enter_context(cache.open("a", encoding="utf-8")) if cache is not None else None
        for line in lines:
            key = recording_key(line)
            if key not in known:
                hearing = hearing or recognizer.make()
                known[key] = _heard(recognizer, key, hearing, line)
                if out is not None:
                    print(json.dumps(asdict(known[key])), file=out, flush=True)
            yield known[key]


def _heard(recognizer: Recognizer, key: str, hearing: Hearing, line: Line) -> Transcript:
    if line.audio is None:
        raise ValueError(f"{line.name} is no recording")
    samples = read_audio(line.audio)
    begun = time.process_time()
    heard = hearing.hear(samples)
    spent = time.process_time() - begun
    length = len(samples) / SAMPLE_RATE
    return Transcript(
        recognizer.name,
        recognizer.version,
        key,
        heard.text,
        heard.alternatives,
        round(spent, 3),
        round(length, 3),
    )


def read_cache(path: Path | None) -> list[Transcript]:
    """Transcripts kept by an earlier run; none when there is no such file."""
    if path is None or not path.is_file():
        return []
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Transcript(**{**row, "alternatives": tuple(row["alternatives"])}) for row in rows]
