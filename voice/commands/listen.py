"""`backtalk`, and `backtalk listen`: the hands-free conversation."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from intents.reply import Reply
from voice.commands.shared import model_option, packs_option, plain_end
from voice.effects import Told
from voice.engine import Engine
from voice.frame import SAMPLE_RATE
from voice.loop import Loop
from voice.notify import notify
from voice.settings import PATIENCES, Settings, load_settings, save_settings, settings_path
from voice.wake import DEFAULT_PHRASE, PhraseError, PhraseSpotter, check_phrase

if TYPE_CHECKING:
    from voice.speaker import Speaker
    from voice.tts import Pyttsx3Voice

log = logging.getLogger(__name__)

REPLIES = Path("backtalk-replies")
"""Where spoken replies go when there is no microphone."""
NO_MICROPHONE = "I can't find a microphone, so I answer the questions that came with me."
BREAK_IN = ("stop", "wait", "be quiet")
"""Words that silence it, besides the wake phrase."""
PAUSE = round(0.25 * SAMPLE_RATE)
"""Samples of silence after which new sound must last again to be speech: the endpoint is decided by voice.endpoint."""
PATIENCE_S = 2.0
"""Loading that takes longer is told: the first time it fetches and teaches the speech model."""
GETTING_READY = "One moment please, I am getting ready."
STALLED = 70
"""Exit status after a step that hung: the service starts again."""


@click.command()
@click.option(
    "--no-wake", is_flag=True, help="Listen always, without a wake phrase. Only sure answers are spoken then."
)
@click.option("--wake-phrase", help="Words that wake it. The default is: hey back talk.")
@click.option("--patience", type=click.Choice(PATIENCES), help="How long a pause may be before a question has ended.")
@click.option(
    "--echo-cancel", is_flag=True, help="Take its own voice out of the microphone, with PulseAudio or PipeWire."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for spoken replies when there is no microphone.")
@model_option
@packs_option
@click.option("--debug-transcripts", is_flag=True, help="Print what was heard and said. Without it no words are kept.")
@click.pass_context
def command(
    ctx: click.Context,
    no_wake: bool,
    wake_phrase: str | None,
    patience: str | None,
    echo_cancel: bool,
    out: Path | None,
    model: Path | None,
    packs: tuple[Path, ...],
    debug_transcripts: bool,
) -> None:
    """Listen and answer, hands-free, until you press Control and C.

    Say the wake phrase and your question in one breath: hey back talk, what is facet hypertrophy? After an answer no
    wake phrase is needed for a few seconds. Say stop to silence it, help to hear what it can do. The Enter key wakes it
    as well.

    Without a microphone it answers the recorded questions that came with it, and writes the replies as WAV files.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = load_settings(tell=_tell)
    if patience is not None:
        settings = replace(settings, patience=patience)
    if wake_phrase is not None:
        settings = replace(settings, wake_phrase=wake_phrase)
    if no_wake:
        settings = replace(settings, wake_phrase="")
    with plain_end(ctx, interrupted=0):
        ctx.exit(_listen(settings, echo_cancel, out, model, packs, debug_transcripts))


def _tell(sentence: str) -> None:
    click.echo(sentence, err=True)


def _listen(
    settings: Settings, echo_cancel: bool, out: Path | None, model: Path | None, packs: tuple[Path, ...], debug: bool
) -> int:
    with ExitStack() as devices:
        # The slow parts load while the devices are looked for.
        engine = Engine(settings, model, packs)
        devices.callback(engine.close)
        if echo_cancel:
            from voice.echo_cancel import echo_cancelled

            cancelled = devices.enter_context(echo_cancelled())
            settings = replace(settings, microphone=cancelled.microphone, loudspeaker=cancelled.loudspeaker)
        from voice.tts import Pyttsx3Voice

        voice = devices.enter_context(Pyttsx3Voice(settings.voice or None))
        from voice.mic import default_microphone

        if not settings.microphone and default_microphone() is None:
            return _answer_examples(engine, settings, voice, out or REPLIES)
        return _converse(engine, settings, voice, devices, debug)


def _converse(engine: Engine, settings: Settings, voice: Pyttsx3Voice, devices: ExitStack, debug: bool) -> int:
    from voice.canceller import echo_taken_away
    from voice.loudspeaker import SystemSpeaker, loudspeakers
    from voice.mic import SystemMicrophone
    from voice.mouth import Mouth
    from voice.session import Session
    from voice.speaker import NO_SPEAKER
    from voice.tts import SpokenWarnings
    from voice.vad import SpeechDetector

    if not loudspeakers():
        _tell(NO_SPEAKER)
    played, clean = echo_taken_away()
    speaker: Speaker = devices.enter_context(SystemSpeaker(settings.loudspeaker or None, played=played))
    warnings = SpokenWarnings(voice, rate=settings.rate)  # the recorded one is there at once
    mouth = devices.enter_context(Mouth(voice, speaker, warnings, settings))
    if not engine.ready(PATIENCE_S):
        mouth.say([GETTING_READY])
    settings, problem = _with_usable_phrase(engine, settings)
    spotter = PhraseSpotter(engine.model, (settings.wake_phrase or DEFAULT_PHRASE,), instant=BREAK_IN)
    mind = engine.mind()
    warnings.add(mind.fixed_warnings())
    always = not settings.wake_phrase
    detector = SpeechDetector(min_silence=PAUSE)
    loop = Loop(engine.recognizer(), detector, mind, spotter, settings, always=always, stops=engine.stops)

    session = Session(
        loop,
        mouth,
        lambda: SystemMicrophone(settings.microphone or None, clean),
        settings,
        keep=_Keeper(voice, settings),
        tell=_tell,
        show=_show if debug else None,
        alive=lambda: notify("WATCHDOG=1"),
        voices=lambda: tuple(one for one in voice.voices() if any(code.startswith("en") for code in one.languages)),
    )
    signal.signal(signal.SIGTERM, lambda *_: session.stop())
    _watch_keys(session.press)
    opening = _opening(mind.greeting() if not settings_path().exists() else Reply("command"), settings, problem)
    _tell(opening.sentences[-1])
    notify("READY=1")
    session.run(opening, give_up=lambda: os._exit(STALLED))
    notify("STOPPING=1")
    return 0


def _with_usable_phrase(engine: Engine, settings: Settings) -> tuple[Settings, str]:
    """The settings with a wake phrase that works, and what to say when the chosen one doesn't."""
    if not settings.wake_phrase:
        return settings, ""
    try:
        return replace(settings, wake_phrase=" ".join(check_phrase(engine.model, settings.wake_phrase))), ""
    except PhraseError as error:
        log.warning("%s", error.reason)
        return replace(settings, wake_phrase=DEFAULT_PHRASE), f"{error} For now it is: {DEFAULT_PHRASE}."


def _opening(greeting: Reply, settings: Settings, problem: str) -> Reply:
    """What is said at the start: who it is (the first time), what is wrong, and that it listens."""
    ready = f"I'm listening. Say: {settings.wake_phrase}, and then your question."
    if not settings.wake_phrase:
        ready = "I'm listening. Just ask your question."
    sentences = (*greeting.sentences, *((problem,) if problem else ()), ready)
    return Reply("command", None, sentences=sentences, ends=bool(settings.wake_phrase))


class _Keeper:
    """Keeps what was changed by voice, and only that: what was given on the command line is for this time."""

    def __init__(self, voice: Pyttsx3Voice, settings: Settings) -> None:
        self._voice = voice
        self._last = settings

    def __call__(self, changed: Settings) -> None:
        differs = {name: value for name, value in asdict(changed).items() if value != getattr(self._last, name)}
        self._last = changed
        self._voice.voice = changed.voice or None
        if differs:
            save_settings(replace(load_settings(), **differs))


def _watch_keys(press: Callable[[], None]) -> None:
    """The Enter key wakes it, or interrupts it: for who can't or won't say the phrase."""
    if not sys.stdin.isatty():
        return

    def watch() -> None:
        for _line in sys.stdin:
            press()

    threading.Thread(target=watch, name="keys", daemon=True).start()


def _show(told: Told) -> None:
    print(f"Heard: {told.utterance.heard.text}", flush=True)
    print(f"Reply: {told.reply.speech}", flush=True)


def _answer_examples(engine: Engine, settings: Settings, voice: Pyttsx3Voice, out: Path) -> int:
    """Without a microphone: says so, and answers the recorded questions of the package, aloud where possible."""
    import json
    from importlib import resources

    from voice.commands.ask import Asker, Question
    from voice.loudspeaker import find_loudspeaker
    from voice.talk import Talk

    _tell(NO_MICROPHONE)
    speaker = find_loudspeaker(settings.loudspeaker or None)
    Talk(voice, settings, None, speaker).say(Reply("command", sentences=(NO_MICROPHONE,)), "notice")
    asker = Asker(engine, Talk(voice, settings, out, speaker), keep_context=False)
    failed = False
    with resources.as_file(resources.files("voice") / "data" / "examples") as folder:
        for line in (folder / "examples.jsonl").read_text("utf-8").splitlines():
            example = json.loads(line)
            outcome = asker.answer(Question(example["audio"], path=folder / example["audio"]))
            print(f"Question: {example['text']}", flush=True)
            if outcome.error is not None:
                failed = True
                print(outcome.error, flush=True)
                continue
            print(f"Heard: {outcome.transcript}\nReply: {outcome.reply.speech}", flush=True)
            print(f"Spoken reply: {asker.say(outcome).reply_audio}", flush=True)
    return int(failed)
