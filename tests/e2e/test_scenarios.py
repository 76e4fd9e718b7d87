"""Conversations as scripts: `scenarios/*.toml` say what is said and what a listener must then hear.

Each runs in real time through a virtual microphone and loudspeaker. Those marked `long = true` run only with
BACKTALK_E2E_LONG=1, so that the others stay within a minute or two.

A script is a list of steps:

    said = "will it get worse", recording = "will_it_go_away.flac"   somebody says that (after `wait_s` seconds)
    over = true          said over the answer: the end of what it was saying isn't waited for before
    heard = [...]        all of these words are then heard; `heard_any`: at least one of them
    within_s = 3         the first sound comes so soon after the words
    silent_within_s = 1  what it was saying has ended so soon
    nothing = true       for three seconds nothing at all is heard
    restart = true       the program is ended and started again
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vosk

from tests.e2e.conftest import RECORDINGS, Backtalk
from tests.e2e.sound import RATE, Loudspeaker, SoundSystem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.e2e
SCRIPTS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
LONG = "BACKTALK_E2E_LONG"
KEYS = frozenset(
    {"said", "recording", "wait_s", "over", "heard", "heard_any", "not_heard", "within_s", "silent_within_s"}
    | {"nothing", "restart"}
)
TRAILING = round(0.4 * RATE)
"""Samples before a recording's end in which the reply may begin: recordings end in silence."""
Run = Callable[..., Backtalk]


def _script(path: Path) -> dict[str, Any]:
    script = tomllib.loads(path.read_text("utf-8"))
    for step in script["step"]:
        unknown = set(step) - KEYS
        if unknown:
            raise ValueError(f"{path.name} has a step with {sorted(unknown)}")
    return script


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scenario(path: Path, sound: SoundSystem, run: Run, listener: vosk.Model, tmp_path: Path) -> None:
    script = _script(path)
    if script.get("long") and not os.environ.get(LONG):
        pytest.skip(f"long: runs with {LONG}=1")
    settings = tmp_path / "config" / "backtalk" / "settings.toml"
    if script.get("first_start"):
        settings.unlink()
    elif "settings" in script:
        settings.write_text(script["settings"], "utf-8")
    with sound.recording() as loudspeaker:
        program = run(sound)
        program.wait_for("I'm listening")
        place = _Place(loudspeaker, listener)
        for number, step in enumerate(script["step"], 1):
            if step.get("restart"):
                assert program.end() == 0
                program = run(sound)
                program.wait_for("I'm listening")
            try:
                place.play(sound, step)
            except (AssertionError, TimeoutError) as error:
                told = f"{path.stem}, step {number} ({step.get('said', 'nothing said')!r}): {error}"
                raise AssertionError(told) from error
    assert program.end() == 0


class _Place:
    """Where a listener is in the recording of the loudspeaker."""

    def __init__(self, loudspeaker: Loudspeaker, listener: vosk.Model) -> None:
        self._loudspeaker = loudspeaker
        self._listener = listener
        self._since = 0

    def play(self, sound: SoundSystem, step: dict[str, Any]) -> None:
        before = self._since
        time.sleep(step.get("wait_s", 0.0))
        if "recording" in step:
            begun = self._loudspeaker.now
            sound.say(RECORDINGS / step["recording"])
            self._since = max(begun, self._loudspeaker.now - TRAILING)
        said = self._loudspeaker.now
        if "silent_within_s" in step:
            ended = self._loudspeaker.wait_until_quiet(before, quiet_s=1.0)
            assert ended - said <= step["silent_within_s"] * RATE, f"it spoke on for {(ended - said) / RATE:.1f} s"
            self._since = ended
        if step.get("nothing"):
            time.sleep(3.0)
            heard = self._loudspeaker.words(self._listener, self._since)
            assert not self._loudspeaker.sounds(self._since).any(), f"heard {heard!r}"
        if "within_s" in step:
            first = self._loudspeaker.first_sound(self._since)
            assert first - said <= step["within_s"] * RATE, f"first sound after {(first - said) / RATE:.1f} s"
        if {"heard", "heard_any", "not_heard"} & set(step):
            end = self._loudspeaker.wait_until_quiet(self._since)
            words = self._loudspeaker.words(self._listener, self._since, end)
            assert set(step.get("heard", ())) <= set(words.split()), f"heard {words!r}"
            assert not set(step.get("not_heard", ())) & set(words.split()), f"heard {words!r}"
            if "heard_any" in step:
                assert set(step["heard_any"]) & set(words.split()), f"heard {words!r}"
            self._since = end
        elif not step.get("over") and "recording" not in step and not step.get("nothing"):
            self._since = self._loudspeaker.wait_until_quiet(self._since)
