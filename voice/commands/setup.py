"""`backtalk setup`: fetches and checks the speech model and teaches it the packs' wordings."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from voice.errors import BacktalkError

log = logging.getLogger(__name__)


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a Vosk speech model to use.")
@click.pass_context
def command(ctx: click.Context, model: Path | None) -> None:
    """Fetch and check the speech model, once.

    It is 41 megabytes. Does nothing when everything is there. Shows its progress on standard error.
    """
    try:
        path = _prepare(model)
    except KeyboardInterrupt:
        click.echo("Stopped. Run backtalk setup again to go on.", err=True)
        ctx.exit(130)
    except BacktalkError as error:
        log.info("%s", error.reason)
        click.echo(str(error), err=True)
        ctx.exit(1)
    click.echo(f"The speech model is ready, in {path}.")


def _prepare(explicit: Path | None) -> Path:
    """Prepares the model and loads it once, so that "ready" is no guess. Raises BacktalkError."""
    from intents.pack import PackError
    from intents.understand import Understander
    from voice.model import ensure_model, load_model
    from voice.prepare import taught_model
    from voice.progress import ShownProgress

    with ShownProgress() as progress:
        ensure_model(explicit, progress)  # before the pack: it takes longest and fails most
        try:
            hints = Understander.load().hints
        except PackError as error:
            raise BacktalkError(
                "The pack of answers can't be used: please install Backtalk again.", str(error)
            ) from error
        path = taught_model(explicit, hints, progress)
    load_model(path)
    return path
