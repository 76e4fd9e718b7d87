"""`backtalk record`: a volunteer reads sentences into the microphone, guided by voice alone."""

from __future__ import annotations

import datetime
import hashlib
import logging
import queue
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from voice.commands.shared import model_option, plain_end
from voice.record.booth import Booth, TakeListener
from voice.record.guide import Control, Guide
from voice.record.shelf import Shelf, prompt_of, read_prompts
from voice.record.take import Prompt

FOLDER = Path("backtalk-recordings")
LONGEST_PROMPT = 14
"""Words of a sentence that can be said after hearing it once."""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER)
@click.option("--prompts", type=click.Path(path_type=Path), help="Lines of text, label and kind to read instead.")
@click.option("--count", default=60, show_default=True, type=click.IntRange(1), help="Sentences to read in all.")
@click.option("--speaker", default="volunteer", show_default=True, help="Any name, for the manifest.")
@model_option
@click.pass_context
def command(
    ctx: click.Context, folder: Path, prompts: Path | None, count: int, speaker: str, model: Path | None
) -> None:
    """Record sentences with your own voice, for testing Backtalk. Everything is spoken; no screen is needed.

    First it asks for your consent, which you give by voice. Then it says each sentence, you say it too, and it asks
    again when it was too quiet or too loud. Say: say it again, skip this one, or stop recording; or press R, S or Q,
    and Enter.

    FOLDER keeps the recordings, your consent and a manifest for backtalk evaluate: one folder for each person. Start it
    again with the same folder to go on. Nothing leaves this computer.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with plain_end(ctx, interrupted=0):
        _record(folder, read_prompts(prompts) if prompts else pack_prompts(), count, speaker, model)


def pack_prompts() -> list[Prompt]:
    """Sentences of the packs that come with Backtalk, ids taking turns, the same each time."""
    from intents.pack import bundled, load_packs
    from voice.commands.examples import manifest_line

    groups: dict[str, list[tuple[str, Prompt]]] = defaultdict(list)
    for pack in load_packs(bundled()):
        for example in pack.examples:
            line = manifest_line(example)
            if len(example.text.split()) <= LONGEST_PROMPT:
                key = hashlib.sha256(f"{example.writer}|{example.text}".encode()).hexdigest()
                prompt = prompt_of(line, f"{line['label']}_{key[:8]}")
                groups[f"{prompt.label} {prompt.extra.get('counter', '')}"].append((key, prompt))
    turns = [(turn, key, p) for group in groups.values() for turn, (key, p) in enumerate(sorted(group, key=_first))]
    return [prompt for _, _, prompt in sorted(turns, key=lambda entry: entry[:2])]


def _first(pair: tuple[str, Prompt]) -> str:
    return pair[0]


def remaining(prompts: Sequence[Prompt], done: frozenset[str], count: int) -> list[Prompt]:
    """What is still to be read of the first `count` prompts: a second session ends where the first would have."""
    return [prompt for prompt in prompts[:count] if prompt.id not in done]


def _record(folder: Path, prompts: Sequence[Prompt], count: int, speaker_name: str, model: Path | None) -> None:
    from voice.loudspeaker import SystemSpeaker
    from voice.mic import SystemMicrophone
    from voice.model import ensure_model, load_model
    from voice.mouth import Mouth
    from voice.progress import ShownProgress
    from voice.settings import load_settings
    from voice.stt import Recognizer
    from voice.tts import Pyttsx3Voice, SpokenWarnings
    from voice.vad import SpeechDetector

    shelf = Shelf(folder, speaker_name, datetime.date.today().isoformat())
    settings = load_settings(tell=click.echo)
    with ExitStack() as devices:
        voice = devices.enter_context(Pyttsx3Voice(settings.voice or None))
        # The plain model: what is kept as "heard" shall not depend on the packs of the day.
        with ShownProgress() as progress:
            recognizer = Recognizer(load_model(ensure_model(model, progress)))
        speaker = devices.enter_context(SystemSpeaker(settings.loudspeaker or None))
        mouth = devices.enter_context(Mouth(voice, speaker, SpokenWarnings(voice, rate=settings.rate), settings))
        microphone = devices.enter_context(SystemMicrophone(settings.microphone or None))
        keys: queue.SimpleQueue[Control] = queue.SimpleQueue()
        threading.Thread(target=watch_keys, args=(sys.stdin, keys), name="keys", daemon=True).start()
        guide = Guide(remaining(prompts, shelf.done, count), shelf.consented)
        listener = TakeListener(recognizer, SpeechDetector())
        Booth(guide, microphone, mouth, listener, shelf, keys, click.echo).run()


def watch_keys(lines: Iterable[str], keys: queue.SimpleQueue[Control]) -> None:
    """R, S or Q and Enter become controls; anything else is ignored. Ends with the input."""
    for line in lines:
        letter = line.strip().lower()[:1]
        if letter and letter in {control.value for control in Control}:
            keys.put(Control(letter))
