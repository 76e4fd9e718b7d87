"""What a person has chosen: one small TOML file that Backtalk keeps and that can be edited by hand."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

from voice.errors import BacktalkError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

log = logging.getLogger(__name__)

PATIENCES = ("brisk", "normal", "patient")
"""How long a pause may be before a question counts as ended; see voice/endpoint.py."""
CUES = ("sounds", "words", "off")

SLOWEST, FASTEST, RATE_STEP = 100, 300, 25
"""Words a minute."""
QUIETEST, LOUDEST, VOLUME_STEP = 10, 100, 15
"""Percent of the loudest that the loudspeaker's own setting allows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Each value is valid: a bad one in the file is told and gives way to the default."""

    emergency_number: str = "911"
    """Said in urgent warnings."""
    crisis_line: str = "988"
    """Said when somebody speaks of harming themselves."""
    rate: int = 165
    """Words a minute, 100 to 300."""
    volume: int = 100
    """Percent, 10 to 100."""
    voice: str = ""
    """Name of a voice; empty: the default one."""
    patience: str = "normal"
    """One of PATIENCES."""
    wake_phrase: str = "hey back talk"
    """Words that wake it; empty: it always listens."""
    follow_up_s: float = 8.0
    """Seconds after an answer in which a question needs no wake phrase, 0 to 120."""
    cues: str = "sounds"
    """One of CUES: short sounds, words in their place, or neither."""
    microphone: str = ""
    """Part of a device's name; empty: the system's default."""
    loudspeaker: str = ""
    """Part of a device's name; empty: the system's default."""

    def slower(self) -> Settings:
        """One step, down to SLOWEST."""
        return replace(self, rate=max(SLOWEST, self.rate - RATE_STEP))

    def faster(self) -> Settings:
        """One step, up to FASTEST."""
        return replace(self, rate=min(FASTEST, self.rate + RATE_STEP))

    def quieter(self) -> Settings:
        """One step, down to QUIETEST."""
        return replace(self, volume=max(QUIETEST, self.volume - VOLUME_STEP))

    def louder(self) -> Settings:
        """One step, up to LOUDEST."""
        return replace(self, volume=min(LOUDEST, self.volume + VOLUME_STEP))


def settings_path() -> Path:
    """The file in the user's own configuration folder; it need not exist."""
    return Path(platformdirs.user_config_dir("backtalk")) / "settings.toml"


def load_settings(path: Path | None = None, tell: Callable[[str], None] | None = None) -> Settings:
    """The settings kept in `path`. Never fails: what can't be used is logged, told, and left at its default."""
    path = path or settings_path()
    problems: list[str] = []
    settings = parse_settings(_read(path, problems), problems)
    for problem in problems:
        log.warning("%s: %s", path, problem)
        if tell is not None:
            tell(problem)
    return settings


def parse_settings(document: Mapping[str, Any], problems: list[str]) -> Settings:
    """The settings in a document; adds one plain sentence to `problems` for each value that can't be used."""
    chosen: dict[str, Any] = {}
    defaults = asdict(Settings())
    for key, value in document.items():
        if key not in _CHECKS:
            problems.append(f"The settings have a key that I don't know, {_said(key)}: I leave it alone.")
            continue
        check, wanted = _CHECKS[key]
        usable = check(value)
        if usable is None:
            problems.append(f"The setting {key} must be {wanted}: I use {defaults[key]!r} for now.")
        else:
            chosen[key] = usable
    return replace(Settings(), **chosen)


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Keeps what differs from the defaults or stands in the file already, in one atomic step. Raises BacktalkError."""
    path = path or settings_path()
    document = dict(_read(path, []))
    defaults = asdict(Settings())
    document |= {key: value for key, value in asdict(settings).items() if key in document or value != defaults[key]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".settings-")
        try:
            with os.fdopen(handle, "wb") as file:
                tomli_w.dump(document, file)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BacktalkError(
            "I couldn't keep your settings: please make room on the disk or check its permissions.", str(error)
        ) from error


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append("I can't read the settings file, so I use the defaults: please correct it or delete it.")
        log.warning("settings unreadable: %s", error)
        return {}


def _said(key: str) -> str:
    return "".join(letter if letter.isalnum() else " " for letter in key[:40]).strip() or "without a name"


def _whole(low: int, high: int) -> Callable[[Any], int | None]:
    return lambda value: (
        value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None
    )


def _number(low: float, high: float) -> Callable[[Any], float | None]:
    return lambda value: (
        float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
        else None
    )


def _one_of(*names: str) -> Callable[[Any], str | None]:
    return lambda value: value if isinstance(value, str) and value in names else None


def _line(shortest: int, longest: int) -> Callable[[Any], str | None]:
    return lambda value: (
        value.strip()
        if isinstance(value, str) and shortest <= len(value.strip()) <= longest and value.isprintable()
        else None
    )


def _phone(value: Any) -> str | None:
    """A number written as a number is fine too: 911."""
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return (
        text
        if 2 <= len(text) <= 20 and any(c.isdigit() for c in text) and all(c.isdigit() or c in "+ -" for c in text)
        else None
    )


_CHECKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "emergency_number": (_phone, "a telephone number"),
    "crisis_line": (_phone, "a telephone number"),
    "rate": (_whole(SLOWEST, FASTEST), f"a whole number of words a minute from {SLOWEST} to {FASTEST}"),
    "volume": (_whole(QUIETEST, LOUDEST), f"a whole number of percent from {QUIETEST} to {LOUDEST}"),
    "voice": (_line(0, 200), "the name of a voice"),
    "patience": (_one_of(*PATIENCES), "one of " + ", ".join(PATIENCES)),
    "wake_phrase": (_line(0, 60), "a few words, or empty to listen always"),
    "follow_up_s": (_number(0, 120), "a number of seconds from 0 to 120"),
    "cues": (_one_of(*CUES), "one of " + ", ".join(CUES)),
    "microphone": (_line(0, 200), "part of a microphone's name"),
    "loudspeaker": (_line(0, 200), "part of a loudspeaker's name"),
}
if {field.name for field in fields(Settings)} != set(_CHECKS):  # a new setting needs its check
    raise TypeError("every setting needs a check in voice/settings.py")
