"""`backtalk examples`: the wordings that Backtalk learns from, for others to train on, or as a manifest to evaluate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from intents.pack import Example, PackError, bundled, load_packs, read_wordings
from voice.commands.shared import packs_option
from voice.evaluate.manifest import OUT_OF_SCOPE

_OOS = "oos:"
"""How a pack marks the kinds of what is out of scope."""


@click.command()
@click.argument("writers", nargs=-1, type=click.Path(path_type=Path), metavar="[WRITER.toml]...")
@packs_option
@click.option("--manifest", is_flag=True, help="Print lines of a manifest for backtalk evaluate.")
@click.pass_context
def command(ctx: click.Context, /, writers: tuple[Path, ...], packs: tuple[Path, ...], manifest: bool) -> None:
    """Print wordings with their labels, one JSON object a line with text and label.

    Without files: all wordings of the packs, by default those that come with Backtalk. With files of writers: theirs.
    """
    try:
        for example in _examples(writers, packs):
            print(json.dumps(manifest_line(example) if manifest else {"text": example.text, "label": label(example)}))
    except PackError as error:
        click.echo(f"These wordings can't be read, please mend them: {error}", err=True)
        ctx.exit(1)


def _examples(writers: Sequence[Path], packs: Sequence[Path]) -> Iterator[Example]:
    if writers:
        return (example for path in writers for example in read_wordings(path))
    return (example for pack in load_packs(packs or bundled()) for example in pack.examples)


def label(example: Example) -> str:
    """The id of the interface: every kind of out of scope is one."""
    return OUT_OF_SCOPE if example.label.startswith(_OOS) else example.label


def manifest_line(example: Example) -> dict[str, object]:
    """A line for `backtalk evaluate`. `counter` marks danger words without danger, `topic` the kinds of what is out of
    scope.
    """
    line: dict[str, object] = {"audio": None, "text": example.text, "label": label(example), "writer": example.writer}
    if example.section == "counter":
        return {**line, "kind": "oos" if label(example) == OUT_OF_SCOPE else "question", "counter": True}
    if example.section == "oos":
        return {**line, "kind": "oos", "topic": example.label.removeprefix(_OOS)}
    return {**line, "kind": example.section}
