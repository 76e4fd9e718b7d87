"""What several commands share: options of the same name mean the same, and all end in the same way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from voice.errors import BacktalkError

log = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells have it: 128 and the number of SIGINT."""
URI = "tcp://127.0.0.1:10500"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

model_option = click.option("--model", type=click.Path(path_type=Path), help="Folder of a Vosk speech model to use.")
packs_option = click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of a pack of answers; may be repeated.",
)

_SERVER_OPTIONS = (
    click.option("--uri", default=URI, show_default=True, help="Address to listen at. Port 0 takes a free one."),
    click.option(
        "--zeroconf", "announce", is_flag=True, help="Let Home Assistant find me. Needs an address that it can reach."
    ),
    click.option("--name", help="Name to be found by. Without it: backtalk and the name of this computer."),
    click.option("--verbose", is_flag=True, help="Log connections and how long they take, but no words."),
    click.option(
        "--log-words", is_flag=True, help="Also log what is said and answered. Ask those who live there first."
    ),
)


def server_options(command: Decorated) -> Decorated:
    """The options of commands that serve the Wyoming protocol: uri, announce, name, verbose and log_words."""
    for option in reversed(_SERVER_OPTIONS):
        command = option(command)
    return command


@contextmanager
def plain_end(ctx: click.Context, *, interrupted: int = INTERRUPTED, stopped: str = "") -> Iterator[None]:
    """Ends the command where its body fails: a BacktalkError is one plain sentence on standard error and status 1.

    Ctrl+C is status `interrupted`, after the sentence `stopped` where there is one.
    """
    try:
        yield
    except KeyboardInterrupt:
        if stopped:
            click.echo(stopped, err=True)
        ctx.exit(interrupted)
    except BacktalkError as error:
        log.info("%s", error.reason)
        click.echo(str(error), err=True)
        ctx.exit(1)


def log_to_error_output(much: bool) -> None:
    """Problems, and with `much` also what goes on; from other libraries problems only."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("voice").setLevel(logging.INFO if much else logging.WARNING)
