"""`backtalk doctor`: what works, what doesn't, and what to do about it, in words and aloud."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from voice.commands.shared import model_option, packs_option
from voice.errors import BacktalkError, DeviceError
from voice.settings import Settings, load_settings

log = logging.getLogger(__name__)

LISTEN_FRAMES = 20
"""Frames of sound that a working microphone gives: 0.6 seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, and how it is."""

    part: str
    ok: bool
    sentence: str
    """What is so, or what to do."""

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.part}: {'OK' if self.ok else 'Problem'}. {self.sentence}"


Check = Callable[[], str]
"""Returns one sentence when all is well. Raises BacktalkError otherwise."""


def examine(part: str, check: Check) -> Finding:
    """The finding of one check, whatever it meets."""
    try:
        return Finding(part, True, check())
    except BacktalkError as error:
        log.info("%s: %s", part, error.reason)
        return Finding(part, False, str(error))


def summary(findings: list[Finding]) -> str:
    """What is said aloud: short when all is well, else each problem."""
    problems = [finding for finding in findings if not finding.ok]
    if not problems:
        return "Everything works."
    count = "One thing needs" if len(problems) == 1 else f"{len(problems)} things need"
    return f"{count} your help. " + " ".join(f"{finding.part}: {finding.sentence}" for finding in problems)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object and say nothing.")
@model_option
@packs_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, model: Path | None, packs: tuple[Path, ...]) -> None:
    """Check everything that is needed, and say the result aloud and in words.

    One line each for speech model, answers, warnings, voice, loudspeaker, microphone and echo: OK, or the problem and
    what to do.
    The exit status is 1 when there is a problem.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    problems: list[str] = []
    settings = load_settings(tell=problems.append)
    findings = [Finding("Settings", not problems, " ".join(problems) or "They can be used.")]
    for part, check in _checks(settings, model, packs):
        findings.append(examine(part, check))
        if not as_json:
            click.echo(findings[-1].line)
    if as_json:
        ok = all(finding.ok for finding in findings)
        click.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}))
    else:
        if problems:
            click.echo(findings[0].line)
        _say(summary(findings), settings)
    ctx.exit(0 if all(finding.ok for finding in findings) else 1)


def _checks(settings: Settings, model: Path | None, packs: tuple[Path, ...]) -> list[tuple[str, Check]]:
    return [
        ("Speech model", lambda: _model(model, settings)),
        ("Answers", lambda: _pack(packs)),
        ("Warnings", lambda: _warnings(settings)),
        ("Voice", lambda: _voice(settings)),
        ("Loudspeaker", lambda: _loudspeaker(settings)),
        ("Microphone", lambda: _microphone(settings)),
        ("Echo", _echo),
    ]


def _model(explicit: Path | None, settings: Settings) -> str:
    from voice.model import find_model, load_model
    from voice.wake import check_phrase

    path = find_model(explicit)
    loaded = load_model(path)
    if settings.wake_phrase:
        check_phrase(loaded, settings.wake_phrase)
    return f"It is in {path}."


def _pack(packs: tuple[Path, ...]) -> str:
    from intents.heard import Heard
    from voice.engine import Engine

    engine = Engine(Settings(), packs=packs, hears=False)
    try:
        reply = engine.mind().reply(Heard.from_text("help"))
    finally:
        engine.close()
    if not reply.sentences:
        raise BacktalkError("They can't be used: please run backtalk pack check.", "no reply to help")
    return "They can be used."


def _warnings(settings: Settings) -> str:
    """Nobody should learn in an emergency that the number is another country's."""
    return f"They say to call {settings.emergency_number}, and in a crisis {settings.crisis_line}; both are settings."


def _voice(settings: Settings) -> str:
    from voice.tts import Pyttsx3Voice

    with Pyttsx3Voice(settings.voice or None) as voice:
        samples = voice.speak("This is a test.", settings.rate)
        return (
            f"It speaks at {settings.rate} words a minute, {len(samples) / voice.sample_rate:.1f} seconds for a test."
        )


def _loudspeaker(settings: Settings) -> str:
    from voice.loudspeaker import SystemSpeaker, loudspeakers
    from voice.speaker import NO_SPEAKER

    names = loudspeakers()
    if not names:
        raise DeviceError(NO_SPEAKER)
    speaker = SystemSpeaker(settings.loudspeaker or None)
    try:
        speaker.open()
    finally:
        speaker.close()
    return f"I use {settings.loudspeaker or 'the default one'}, of {len(names)}."


def _microphone(settings: Settings) -> str:
    from voice.mic import SystemMicrophone

    with SystemMicrophone(settings.microphone or None) as microphone:
        frames = [microphone.read() for _ in range(LISTEN_FRAMES)]
    loudest = max(int(abs(frame.astype("int32")).max()) for frame in frames)
    heard = "It gives no sound at all, is it muted?" if not loudest else "It gives sound."
    return f"I use {settings.microphone or 'the default one'}. {heard}"


def _echo() -> str:
    """No problem where it can't be had: it works then, only "stop" is harder to say."""
    from voice.canceller import echo_taken_away

    if echo_taken_away()[1] is None:
        return "My own voice stays in the microphone: a headset helps, or listen with --echo-cancel."
    return "My own voice is taken out of the microphone."


def _say(sentence: str, settings: Settings) -> None:
    """Aloud, if it can be: what keeps it from being heard was found above and is on the screen."""
    from intents.reply import Reply
    from voice.loudspeaker import find_loudspeaker
    from voice.talk import Talk
    from voice.tts import Pyttsx3Voice

    click.echo(sentence)
    speaker = find_loudspeaker(settings.loudspeaker or None)
    if speaker is None:
        return
    with Pyttsx3Voice(settings.voice or None) as voice, speaker:
        try:
            Talk(voice, settings, None, speaker).say(Reply("command", sentences=(sentence,)), "doctor")
        except BacktalkError as error:
            log.info("not said: %s", error.reason)
