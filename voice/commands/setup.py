"""`backtalk setup`: fetches and checks the speech model and teaches it the packs' wordings."""

from __future__ import annotations

from pathlib import Path

import click

from voice.commands.shared import model_option, plain_end
from voice.errors import BacktalkError


@click.command()
@model_option
@click.pass_context
def command(ctx: click.Context, model: Path | None) -> None:
    """Fetch and check the speech model, once.

    It is 41 megabytes. Does nothing when everything is there. Shows its progress on standard error.
    """
    with plain_end(ctx, stopped="Stopped. Run backtalk setup again to go on."):
        path = _prepare(model)
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
            sentences = Understander.load().sentences
        except PackError as error:
            raise BacktalkError(
                "The pack of answers can't be used: please install Backtalk again.", str(error)
            ) from error
        path = taught_model(explicit, sentences, progress)
    load_model(path)
    return path
