"""`backtalk pack`: makes, checks and tries packs, the folders of wordings and answers that Backtalk talks from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voice.commands.shared import model_option, plain_end
from voice.errors import BacktalkError, InputError, VoiceError

if TYPE_CHECKING:
    from datetime import date

    from intents.article import Article
    from voice.model import SpeechModel

NEEDS_EXTRA = (
    'This needs one more part of Backtalk ({missing} is missing): run pip install "backtalk[packs]" and try again.'
)


@click.group()
def command() -> None:
    """Make, check, compile and try packs: one health article each, as data."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--article", type=click.Path(path_type=Path), help="The article, as text or HTML, that the pack was made from."
)
@click.option(
    "--not-in",
    "test_parts",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of wordings kept for testing, which must not be in the pack; may be repeated.",
)
@click.option(
    "--model", type=click.Path(path_type=Path), help="Folder of a Vosk speech model, to find words that it can't hear."
)
@click.option(
    "--spoken-forms",
    is_flag=True,
    help="Also speak each word that can't be heard, and tell what is heard instead. Takes a few seconds.",
)
@click.pass_context
def check(
    ctx: click.Context,
    path: Path,
    article: Path | None,
    test_parts: tuple[Path, ...],
    model: Path | None,
    spoken_forms: bool,
) -> None:
    """Report every fault of the pack in the folder PATH, one a line: level, file, key and reason.

    An error makes the pack unfit for use; advice is worth a thought. The exit status is 1 when there is an error.
    """
    with _plainly(ctx):
        from intents.check import Against, check_pack

        unheard, aliases = _unheard(path, model, spoken_forms)
        read = _article(article) if article else None
        found = check_pack(path, Against(read, unheard, aliases, test_parts))
        for finding in found:
            click.echo(str(finding))
        errors = sum(finding.level == "error" for finding in found)
        click.echo(
            f"{errors} errors, {len(found) - errors} pieces of advice." if found else "No faults found.", err=True
        )
        if errors:
            ctx.exit(1)


@command.command(name="compile")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def compile_command(ctx: click.Context, path: Path) -> None:
    """Learn from the wordings of the pack in the folder PATH, so that it can be used. Takes a minute or so."""
    with _plainly(ctx):
        from intents.compile import compile_to
        from intents.encoder import Encoder
        from intents.pack import PackError
        from intents.understand import ENCODER, HEAD
        from voice.progress import PlainProgress

        progress = PlainProgress(sys.stderr)
        try:
            encoder = Encoder.load(ENCODER)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                "Backtalk is not whole, its sentence encoder can't be read: please install it again.", str(error)
            ) from error
        try:
            head = compile_to(
                path, encoder, path / HEAD, lambda done: progress("Reading the wordings", round(1000 * done), 1000)
            )
        except PackError as error:
            raise InputError(f"The pack can't be compiled, please mend these faults first:\n{error}") from error
        except OSError as error:
            raise InputError(f"The result can't be written to {path / HEAD}: {error.strerror}.", str(error)) from error
        click.echo(f"Compiled {path / HEAD}: {len(head.labels)} meanings.")


@command.command()
@click.argument("article", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the pack; by default one named after the article, here."
)
@click.pass_context
def draft(ctx: click.Context, article: Path, out: Path | None) -> None:
    """Begin a pack from the file ARTICLE, text or HTML: one question for each section, with everything to be done marked TODO.

    Nothing of the article gets into an answer: its sentences stand beside them as comments, for you to say afresh.
    """
    with _plainly(ctx):
        from intents.draft import SHARED_PACK
        from intents.draft import draft as drafted
        from intents.lint_danger import said_by_a_person
        from intents.pack import PACKS
        from intents.urgent import UrgentRules

        rules = UrgentRules.load([PACKS / SHARED_PACK])
        read = _article(article)
        made = drafted(read, lambda text: any(rules.read(said) for said in said_by_a_person(text)))
        folder = out or Path(made.id)
        _write(folder, made.files)
        click.echo(
            f"A draft is in {folder}. Replace everything that says TODO, then run: backtalk pack check {folder} --article {article}"
        )
        click.echo(
            f"Source: {read.title or 'title not found'}, {read.publisher or 'publisher not found'}, {_reviewed(read.reviewed)}."
        )
        for name, heading in made.intents:
            click.echo(f"Section: {heading} -> {name}")
        for gap in made.lost:
            click.echo(f'List lost in section {gap.section}, after "{gap.sentence}": the answer must not fill it in.')
        for sign, found in made.signs:
            click.echo(
                f"Danger sign in section {sign.section}: {sign.text}. {'A rule finds it already.' if found else 'It needs a rule in urgent.toml.'}"
            )


@command.command(name="try")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("recordings", nargs=-1, type=click.Path(path_type=Path), metavar="[RECORDING]...")
@click.option("--text", "texts", multiple=True, help="Try this sentence; may be repeated. Without it, type one a line.")
@click.option("--talk", is_flag=True, help="Talk to it by microphone instead of typing.")
@model_option
@click.pass_context
def try_command(
    ctx: click.Context, path: Path, recordings: tuple[Path, ...], texts: tuple[str, ...], talk: bool, model: Path | None
) -> None:
    """Type or talk to the pack in the folder PATH, or play it recordings, and read why it understood what it did."""
    with _plainly(ctx):
        from voice.pack_trial import Trial, recorded, said, typed

        trial = Trial(path)
        if recordings:
            source = recorded(recordings, trial.sentences, model)
        elif talk:
            source = said(
                trial.sentences, model, lambda: click.echo("Speak now. To end, press Control and C.", err=True)
            )
        else:
            source = iter(typed(texts or sys.stdin))
            if not texts and sys.stdin.isatty():
                click.echo("Type what a person might say, then press Enter. To end, press Control and D.", err=True)
        for heard in source:
            for line in trial.lines(heard):
                click.echo(line)
            click.echo("")


def _write(folder: Path, files: dict[str, str]) -> None:
    """Writes the draft. Raises InputError; never over a file that is there."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder} is there already: please name another folder with --out.")
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"The draft can't be written to {folder}: {error.strerror}.", str(error)) from error


def _reviewed(day: date | None) -> str:
    return f"reviewed {day.isoformat()}" if day else "review date not found"


@contextmanager
def _plainly(ctx: click.Context) -> Iterator[None]:
    """`plain_end`, also for the extra that packs need."""
    with plain_end(ctx):
        try:
            yield
        except ImportError as error:
            raise BacktalkError(NEEDS_EXTRA.format(missing=error.name or "a library"), str(error)) from error


def _article(path: Path) -> Article:
    from intents.article import ArticleError, read_article

    try:
        return read_article(path)
    except ArticleError as error:
        raise InputError(str(error)) from error


def _unheard(path: Path, model: Path | None, spoken: bool) -> tuple[frozenset[str] | None, dict[str, str]]:
    """Words that the speech model does not know, and what it writes for them. None without a model or a readable pack."""
    from intents.lint_wordings import vocabulary_needed
    from intents.pack import PackError, load_pack
    from voice.errors import ModelError
    from voice.model import find_model, load_model, unheard_words

    try:
        words = vocabulary_needed(load_pack(path))
    except PackError:  # the check itself tells what is wrong with it
        return None, {}
    try:
        loaded = load_model(find_model(model))
    except ModelError as error:
        if model is not None:
            raise
        click.echo(f"Not checked: which words can be heard. {error}", err=True)
        return None, {}
    unheard = unheard_words(loaded, words)
    return frozenset(unheard), _spoken_forms(loaded, unheard) if spoken else {}


def _spoken_forms(model: SpeechModel, unheard: Sequence[str]) -> dict[str, str]:
    from voice.spoken_forms import spoken_forms
    from voice.tts import Pyttsx3Voice

    try:
        with Pyttsx3Voice() as voice:
            return dict(spoken_forms(model, voice, unheard))
    except VoiceError as error:
        click.echo(f"Not tried: what is heard for words that can't be heard. {error}", err=True)
        return {}
