"""How Backtalk describes itself, so that Home Assistant offers it as ears, as an answerer and as a voice."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wyoming.event import Event
from wyoming.info import Info

NAME = "Backtalk"
LANGUAGES = ("en", "en-US", "en-GB")
"""The first is what Home Assistant matches a pipeline's language against; the others are its exact choices."""


def describe(topics: Sequence[str], hears: bool = True, speaks: bool = True) -> Event:
    """The `info` event. `topics`: what can be asked about, as it is said ("facet hypertrophy")."""
    about = f"Answers spoken questions about {' and '.join(topics)}. Danger signs are warned of first."
    data: dict[str, Any] = {
        "handle": [_program(about, models=[_artifact("backtalk", about)], supports_home_control=False)],
        "intent": [_program(about, models=[_artifact("backtalk", about)])],
    }
    if hears:
        hearing = "Speech to text by Vosk, taught the words of the articles."
        data["asr"] = [_program(hearing, models=[_artifact("backtalk", hearing)], requires_external_vad=True)]
    if speaks:
        voice = "The voice chosen in Backtalk's settings; warnings are spoken slowly."
        data["tts"] = [_program(voice, voices=[_artifact("backtalk", voice)])]
    return Info.from_event(Event("info", data)).event()  # through the library: only what its version knows goes out


def _artifact(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "attribution": {"name": "The Backtalk contributors", "url": ""},
        "installed": True,
        "version": _version(),
        "languages": list(LANGUAGES),
    }


def _program(description: str, **more: Any) -> dict[str, Any]:
    return {**_artifact(NAME, description), **more}


def _version() -> str | None:
    try:
        return version("backtalk")
    except PackageNotFoundError:  # run from a source tree
        return None
