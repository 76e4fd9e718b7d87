"""`backtalk ask`: answers recorded or typed questions, one after the other."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import click

from intents.heard import Heard
from intents.reply import Reply
from voice.commands.shared import model_option, packs_option, plain_end
from voice.engine import Engine
from voice.errors import BacktalkError, InputError
from voice.frame import Samples
from voice.recording import Recorded, hear
from voice.second_hearing import heard_again
from voice.settings import load_settings
from voice.speaker import NO_SPEAKER
from voice.talk import Talk
from voice.turn import Utterance, hear_at_once

log = logging.getLogger(__name__)

TEXT_LIMIT = 5_000
"""Longest typed question in characters: some ten minutes of speech."""
LINE_LIMIT = 4 * TEXT_LIMIT + 4
"""Bytes of a typed line that are read: the longest question in UTF-8 and a little more. The rest is skipped."""

_ORDER = {"warn": 0, "answer": 1, "command": 2, "clarify": 3, "reject": 4}
"""Of several utterances in one recording the one that matters most is answered."""


@dataclass(frozen=True)
class Question:
    """One input: a recording or a typed line."""

    name: str
    path: Path | None = None
    text: str = ""
    error: InputError | None = None


@dataclass
class Outcome:
    """One line of the output; keys as in the documentation of the JSON."""

    input: str
    transcript: str = ""
    reply: Reply = field(default_factory=lambda: Reply("reject"))
    timing_ms: dict[str, float | None] = field(default_factory=dict)
    reply_audio: Path | None = None
    error: str | None = None

    def line(self) -> str:
        """One line of JSON in ASCII, which any terminal and any locale can carry."""
        failed = self.error is not None
        fields: dict[str, object] = {
            "input": self.input,
            "transcript": None if failed else self.transcript,
            "action": None if failed else self.reply.action,
            "intent": None if failed else self.reply.intent,
            "choices": list(self.reply.choices),
            "urgent": list(self.reply.urgent),
            "speech": None if failed else self.reply.speech,
            "confidence": None if failed else round(self.reply.confidence, 4),
            "timing_ms": None if failed else self.timing_ms,
        }
        if self.reply_audio is not None:
            fields["reply_audio"] = str(self.reply_audio)
        if failed:
            fields["error"] = self.error
        return json.dumps(fields)


class Asker:
    """Answers questions in order; without `keep_context` each in a conversation of its own."""

    def __init__(self, engine: Engine, talk: Talk, keep_context: bool) -> None:
        self._engine = engine
        self._talk = talk
        self._keep_context = keep_context
        self._mind = engine.mind()
        self._count = 0

    def answer(self, question: Question) -> Outcome:
        """Never raises for a bad input: the outcome then holds the error."""
        self._count += 1
        if not self._keep_context:
            self._mind = self._engine.mind()
        try:
            if question.error is not None:
                raise question.error
            if question.path is None:
                typed = Utterance(Heard.from_text(question.text), 0, 0)
                outcome = self._understand(question.name, [Recorded(typed, 0.0)])
            else:
                outcome = self._understand(question.name, self._hear(question.path))
        except BacktalkError as error:
            return Outcome(question.name, error=str(error))
        return outcome

    def say(self, outcome: Outcome) -> Outcome:
        """Says the reply of `outcome` and notes when it began, and where it was written. Raises BacktalkError."""
        if outcome.error is None:
            said = self._talk.say(outcome.reply, f"{self._count:02d}-{Path(outcome.input).stem[:40] or 'text'}")
            outcome.timing_ms["first_audio"], outcome.reply_audio = said.first_audio_ms, said.path
        return outcome

    def _hear(self, path: Path) -> list[Recorded]:
        from voice.audio import frames, read_audio
        from voice.vad import SpeechDetector

        samples = read_audio(path)
        return hear(frames(samples), self._engine.recognizer(), SpeechDetector(), time.perf_counter)

    def _understand(self, name: str, heard: list[Recorded]) -> Outcome:
        if len(heard) > 1:
            heard = sorted(heard, key=lambda one: _ORDER[self._mind.peek(one.utterance.heard).action])
        first = heard[0] if heard else Recorded(Utterance(Heard(""), 0, 0), 0.0)
        again_ms = 0.0

        def again(sound: Iterable[Samples]) -> Heard:
            nonlocal again_ms
            began = time.perf_counter()
            words = hear_at_once(self._engine.recognizer(), sound)
            again_ms = 1000 * (time.perf_counter() - began)
            return words

        begun = time.perf_counter()
        chosen = heard_again(first.utterance, again, self._mind.peek)
        reply = self._mind.reply(chosen)
        understand_ms = 1000 * (time.perf_counter() - begun) - again_ms
        timing = {
            "recognize": round(first.recognize_ms + again_ms, 2),
            "understand": round(understand_ms, 2),
        }
        return Outcome(name, chosen.text, reply, dict(timing))


def typed_lines(stream: BinaryIO) -> Iterator[Question]:
    """One question a line, as the lines come. Bytes that are no UTF-8 are replaced; no long line is kept in memory."""
    while line := stream.readline(LINE_LIMIT):
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(LINE_LIMIT)):
            pass
        yield typed(line.decode("utf-8", "replace"))


def typed(text: str) -> Question:
    """A typed question: control characters count as spaces, too long a text is an error of this question alone."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(text.strip()) <= TEXT_LIMIT:
        return Question(shown, text=shown)
    error = InputError(f"This text is too long: please ask one question of at most {TEXT_LIMIT} characters.")
    return Question(shown[:80] + " ...", error=error)


def recorded(paths: Iterable[str]) -> Iterator[Question]:
    """One question for each recording, in order; a file name that is no UTF-8 is shown as well as may be."""
    for name in paths:
        yield Question(os.fsencode(name).decode("utf-8", "replace"), path=Path(name))


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--text", help="Answer this typed question. A single dash reads one question a line from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line for each input, and nothing else.")
@click.option("--silent", is_flag=True, help="Play nothing.")
@click.option("--out", type=click.Path(path_type=Path), help="Write each spoken reply as a WAV file into this folder.")
@click.option(
    "--keep-context", is_flag=True, help="Treat the inputs as one conversation. Without it each is a new one."
)
@model_option
@packs_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    text: str | None,
    as_json: bool,
    silent: bool,
    out: Path | None,
    keep_context: bool,
    model: Path | None,
    packs: tuple[Path, ...],
) -> None:
    """Answer recorded questions, in order, aloud.

    Each FILE is a WAV or FLAC recording of any rate. With the option text, answer a typed question instead. The exit
    status is 1 when an input could not be used, or when there is no loudspeaker and neither silent nor out was given.
    """
    if (text is None) == (not files):
        raise click.UsageError("Please name one recording or more, or give one question with --text.")
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    with plain_end(ctx):
        ctx.exit(_run(files, text, as_json, silent, out, keep_context, model, packs))


def _run(
    files: tuple[str, ...],
    text: str | None,
    as_json: bool,
    silent: bool,
    out: Path | None,
    keep_context: bool,
    model: Path | None,
    packs: tuple[Path, ...],
) -> int:
    from voice.loudspeaker import find_loudspeaker
    from voice.speaker import NoSpeaker, Speaker
    from voice.tts import Pyttsx3Voice

    questions = (
        typed_lines(sys.stdin.buffer) if text == "-" else recorded(files) if text is None else iter([typed(text)])
    )
    settings = load_settings(tell=lambda problem: click.echo(problem, err=True))
    failed = False
    with Pyttsx3Voice(settings.voice or None) as voice, ExitStack() as devices:
        engine = Engine(settings, model, packs, hears=text is None)
        speaker: Speaker | None = None
        if not silent:
            found = find_loudspeaker(settings.loudspeaker or None)
            if found is not None:
                speaker = devices.enter_context(found)
            elif out is None:
                click.echo(NO_SPEAKER, err=True)
                failed = True
                speaker = NoSpeaker(lambda _sentence: None)  # the reply is printed in any case
        asker = Asker(engine, Talk(voice, settings, out, speaker), keep_context)
        for question in questions:
            outcome = asker.answer(question)
            if not as_json:
                _print(outcome)  # before it is heard, for who reads along
            try:
                asker.say(outcome)
            except BacktalkError as error:
                log.warning("%s", error.reason)
                click.echo(str(error), err=True)
                failed = True
            failed = failed or outcome.error is not None
            if as_json:
                print(outcome.line(), flush=True)
            elif outcome.reply_audio is not None:
                print(f"Spoken reply: {outcome.reply_audio}", flush=True)
        engine.close()
    return int(failed)


def _print(outcome: Outcome) -> None:
    """For people: what was heard, then what is said."""
    if outcome.error is not None:
        print(f"{outcome.input}: {outcome.error}", flush=True)
        return
    print(f"Heard: {outcome.transcript or 'no words'}", flush=True)
    print(f"Reply: {outcome.reply.speech}", flush=True)
