"""Conversations as scripts: `scenarios/*.toml` say what is said and what a listener must then hear.

Each runs in real time through a virtual microphone and loudspeaker. Those marked `long = true` run only with
BACKTALK_E2E_LONG=1, so that the others stay within a minute or two.

With `echo = true` the loudspeaker comes back at the microphone at full level. A script is a list of steps:

    said = "will it get worse", recording = "will_it_go_away.flac"   somebody says that (after `wait_s` seconds)
    over = true          said over the answer: the end of what it was saying isn't waited for before
    heard = [...]        all of these words are then heard; `heard_any`: at least one of them
    within_s = 3         the first sound comes so soon after the words
    silent_within_s = 1  what it was saying has ended so soon
    nothing = true       for three seconds nothing at all is heard
    restart = true       the program is ended and started again
    device_lost = true   the microphone is pulled out; device_back = true: put in again
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

pytestmark = [pytest.mark.e2e, pytest.mark.realtime]
SCRIPTS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
LONG = "BACKTALK_E2E_LONG"
KEYS = frozenset(
    {"said", "recording", "wait_s", "over", "heard", "heard_any", "not_heard", "within_s", "silent_within_s"}
    | {"nothing", "restart", "device_lost", "device_back"}
)
WORDS = frozenset({"heard", "heard_any", "not_heard"})
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
    lines: list[str] = []
    if script.get("echo"):
        pytest.importorskip("pywebrtc_audio", reason="without it its own voice stays in the microphone")
        sound.bring_back()
    with sound.recording() as loudspeaker:
        place = _Place(loudspeaker)
        program = run(sound, "listen", "--debug-transcripts")
        number, step = 0, {"said": "nothing, it starts"}
        try:
            place.ready(program)
            for number, step in enumerate(script["step"], 1):
                if step.get("restart"):
                    assert program.end() == 0
                    lines += program.lines
                    program = run(sound, "listen", "--debug-transcripts")
                    place.ready(program)
                place.play(sound, step, number)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(_told(path, number, step, str(error), [*lines, *program.lines])) from error
        assert program.end() == 0
        # Only now: while it is asked what was heard, time would go on in the conversation.
        for number, since, end in place.to_check:
            step = script["step"][number - 1]
            heard = loudspeaker.words(listener, since, end)
            if problem := _problem(step, set(heard.split())):
                raise AssertionError(_told(path, number, step, f"heard {heard!r}: {problem}", [*lines, *program.lines]))


def _told(path: Path, number: int, step: dict[str, Any], problem: str, lines: list[str]) -> str:
    return "\n".join([f"{path.stem}, step {number} ({step.get('said', 'nothing said')!r}): {problem}", *lines])


def _problem(step: dict[str, Any], heard: set[str]) -> str:
    """What is wrong with the words that a listener heard, empty if nothing."""
    if lacking := set(step.get("heard", ())) - heard:
        return f"without {sorted(lacking)}"
    if wrong := set(step.get("not_heard", ())) & heard:
        return f"with {sorted(wrong)}"
    if "heard_any" in step and not set(step["heard_any"]) & heard:
        return f"without any of {step['heard_any']}"
    return ""


class _Place:
    """Where a listener is in the recording of the loudspeaker."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self._loudspeaker = loudspeaker
        self._since = 0
        self.to_check: list[tuple[int, int, int]] = []
        """Number of a step, and from where to where in the recording its words were said."""
        self._opened = 0

    def ready(self, program: Backtalk) -> None:
        """Waits until the program has said that it listens, and is quiet: before, nobody is heard."""
        program.wait_for("I'm listening")
        self._opened = self._loudspeaker.wait_until_quiet(self._loudspeaker.now)

    def play(self, sound: SoundSystem, step: dict[str, Any], number: int) -> None:
        before = self._since
        time.sleep(step.get("wait_s", 0.0))
        if "recording" in step:
            begun = self._loudspeaker.now
            sound.say(RECORDINGS / step["recording"])
            self._since = max(begun, self._loudspeaker.now - TRAILING)
        said = self._loudspeaker.now
        if step.get("device_lost"):
            self._since = said
            sound.lose_microphone()
        if step.get("device_back"):
            self._since = said
            sound.give_microphone()
        if "silent_within_s" in step:
            ended = self._loudspeaker.wait_until_quiet(before, quiet_s=1.0)
            assert ended - said <= step["silent_within_s"] * RATE, f"it spoke on for {(ended - said) / RATE:.1f} s"
            self._since = ended
        if step.get("nothing"):
            time.sleep(3.0)
            assert not self._loudspeaker.sounds(self._since).any(), "there was a sound"
        if "within_s" in step:
            first = self._loudspeaker.first_sound(self._since)
            assert first - said <= step["within_s"] * RATE, f"first sound after {(first - said) / RATE:.1f} s"
        if WORDS & set(step):
            opening = "recording" not in step and self._opened > self._since
            end = self._opened if opening else self._loudspeaker.wait_until_quiet(self._since)
            self.to_check.append((number, self._since, end))
            self._since = end
        elif not step.get("over") and "recording" not in step and not step.get("nothing"):
            self._since = self._loudspeaker.wait_until_quiet(self._since)
