"""The speech model: where it is, whether it is whole, and loading it. Fetching it is in fetch.py."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import platformdirs

from voice.errors import ModelError
from voice.frame import SAMPLE_RATE
from voice.native import native_errors
from voice.progress import Progress, silent

MODEL_VARIABLE = "BACKTALK_MODEL"
"""Environment variable that names a model folder."""

MODEL_NAME = "vosk-model-en-0.3.45"
"""Name of the published model's folder in the cache."""

MANIFEST = "backtalk-model.json"
"""Written into a fetched model last of all: {"sha256": of the artifact, "files": {path: bytes}}."""

_FST_MAGIC = struct.pack("<i", 2125659606)
_KALDI_RATE = 16_000.0
"""Hertz: what Kaldi takes when mfcc.conf doesn't say (feat/mel-computations.h, FrameExtractionOptions)."""


def models_folder() -> Path:
    """Where fetched models are kept: a folder of the user's cache."""
    return Path(platformdirs.user_cache_dir("backtalk", appauthor=False)) / "models"


def cached_model() -> Path:
    """Where the published model is, or would be. A Vosk model put there by hand is taken as well."""
    return models_folder() / MODEL_NAME


def named_model(explicit: Path | None) -> Path | None:
    """The folder that the person named: by option, else by BACKTALK_MODEL; None when neither."""
    if explicit is not None:
        return explicit
    named = os.environ.get(MODEL_VARIABLE, "").strip()
    return Path(named).expanduser() if named else None


def find_model(explicit: Path | None = None) -> Path:
    """The model folder, checked: `explicit`, else BACKTALK_MODEL, else the cache. Raises ModelError."""
    named = named_model(explicit)
    if named is not None:
        check_model(named)
        return named
    cached = cached_model()
    if not cached.exists():
        raise ModelError("The speech model isn't there yet: please run backtalk setup first.", f"no {cached}")
    try:
        check_model(cached)
    except ModelError as error:
        raise ModelError(
            "The speech model on this computer is damaged: please run backtalk setup to repair it.", error.reason
        ) from error
    return cached


def ensure_model(explicit: Path | None = None, progress: Progress = silent) -> Path:
    """Like find_model, but fetches or repairs the published model when none was named. Raises ModelError."""
    if named_model(explicit) is not None:
        return find_model(explicit)
    try:
        return find_model()
    except ModelError:
        from voice.fetch import fetch_model  # imports jgo and requests: only who fetches pays for them

        fetch_model(cached_model(), progress)
        return find_model()


def check_model(path: Path) -> None:
    """Raises ModelError unless `path` looks like a whole Vosk model for 16 kHz. Quick: reads no big file."""
    try:
        _check(path)
    except OSError as error:
        raise ModelError(
            f"The speech model folder {path} can't be read: please check the folder's permissions.", str(error)
        ) from error


def _check(path: Path) -> None:
    if not path.exists():
        raise ModelError(f"There is no speech model folder at {path}: please name an existing one, or none at all.")
    if not path.is_dir():
        raise ModelError(f"{path} is a file, not a speech model folder: please name the folder of a Vosk model.")
    flat = not (path / "am").is_dir()  # the layout of models before 2020: everything in one folder
    features = path / "mfcc.conf" if flat else path / "conf" / "mfcc.conf"
    graphs = path if flat else path / "graph"
    needed = (
        [path / "final.mdl", features] if flat else [path / "am" / "final.mdl", path / "conf" / "model.conf", features]
    )
    static = graphs / "HCLG.fst"
    transducers = [static] if static.exists() else [graphs / "HCLr.fst", graphs / "Gr.fst"]
    for file in [*needed, *transducers]:
        if not file.is_file() or not file.stat().st_size:
            raise ModelError(
                f"{path} isn't a whole Vosk speech model: please fetch it again.", f"{file} is missing or empty"
            )
    for file in transducers:
        # Vosk loads a model with a damaged HCLr.fst without complaint and crashes at the first word.
        with file.open("rb") as stream:
            if stream.read(4) != _FST_MAGIC:
                raise ModelError(
                    f"{path} holds a damaged speech model: please fetch it again.", f"{file} is not an OpenFst file"
                )
    _check_rate(path, features)
    _check_manifest(path)


def _check_rate(path: Path, features: Path) -> None:
    rate = _KALDI_RATE
    for line in features.read_text("utf-8", "replace").splitlines():
        option, _, value = line.split("#")[0].strip().partition("=")
        if option.strip() == "--sample-frequency":
            try:
                rate = float(value)
            except ValueError as error:
                raise ModelError(
                    f"{path} holds a damaged speech model: please fetch it again.", f"{features}: {line}"
                ) from error
    if rate != SAMPLE_RATE:
        raise ModelError(
            f"The speech model at {path} is for sound of {rate:g} hertz, but Backtalk needs one for {SAMPLE_RATE}:"
            " please name another model."
        )


def _check_manifest(path: Path) -> None:
    """A model that was fetched by us must have every file at its full size; others have no manifest."""
    manifest = path / MANIFEST
    if not manifest.exists():
        return
    damaged = f"{path} holds a damaged speech model: please fetch it again."
    try:
        sizes = json.loads(manifest.read_text("utf-8"))["files"].items()
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(damaged, f"{manifest}: {error}") from error
    for name, size in sizes:
        file = path / name
        if not file.is_file() or file.stat().st_size != size:
            raise ModelError(damaged, f"{file} is missing or not {size} bytes long")


class SpeechModel:
    """A loaded Vosk model: costly, read-only, shared by many recognizers (and threads)."""

    def __init__(self, path: Path, vosk_model: Any) -> None:
        self.path = path
        self.vosk = vosk_model
        """The vosk.Model."""
        self.takes_grammars = not any((path / place / "HCLG.fst").exists() for place in ("", "graph"))
        """False for big models with a fixed graph: Vosk would ignore a grammar and decode freely a second time."""

    def knows(self, word: str) -> bool:
        """Whether the word is in the vocabulary: Vosk drops others from a grammar without a word."""
        return bool(word) and self.vosk.vosk_model_find_word(word) >= 0

    def recognizer(self, grammar: Sequence[str] | None = None) -> Any:
        """A new vosk.KaldiRecognizer at 16 kHz, bound to the phrases of `grammar` if given. Raises ModelError."""
        import vosk

        options = [] if grammar is None else [json.dumps(list(grammar), ensure_ascii=False)]
        try:
            return vosk.KaldiRecognizer(self.vosk, float(SAMPLE_RATE), *options)
        except Exception as error:  # vosk raises the bare class
            raise ModelError("The speech model can't be used: please run backtalk setup again.", str(error)) from error


def unheard_words(model: SpeechModel, words: Sequence[str]) -> tuple[str, ...]:
    """Those of `words` that the model can never hear, in order, each once."""
    return tuple(word for word in dict.fromkeys(words) if not model.knows(word))


def load_model(path: Path) -> SpeechModel:
    """Loads a Vosk model folder (0.7 s for the small one). Raises ModelError. Prints nothing."""
    check_model(path)
    import vosk

    vosk.SetLogLevel(-1)
    with native_errors() as messages:
        try:
            loaded = vosk.Model(str(path))
        except Exception as error:  # vosk raises the bare class
            raise ModelError(
                f"The speech model at {path} can't be loaded: please fetch it again, or name another one.",
                "; ".join([str(error), *messages()]),
            ) from error
    return SpeechModel(path, loaded)
