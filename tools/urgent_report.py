"""Prints how the danger sign rules do on wording files: recall by sign, warnings without need by class, and the misses.

    python -m tools.urgent_report [--show WRITER]... [--held-out WRITER]... [FILE.toml | FILE.jsonl]...

Writers named with --held-out are counted apart and never shown. Without files, the pack's training wordings are read. A
`.jsonl` file has one object a line with `text`, `kind` (question, urgent, counter, command, oos) and `label`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from intents.pack import PackError, read_wordings
from intents.urgent import UrgentRules

PACK = Path(__file__).resolve().parents[1] / "intents" / "packs" / "facet_hypertrophy"
WARN = 0.5
"""Signs less certain than this are asked back, not warned of."""


class Row(NamedTuple):
    """One labelled wording."""

    writer: str
    kind: str
    label: str
    text: str


def read(path: Path) -> Iterator[Row]:
    """The wordings of a file. Raises click.ClickException when it has another shape."""
    try:
        if path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                item = json.loads(line)
                yield Row(path.stem, str(item["kind"]), str(item["label"]), str(item["text"]))
            return
        for example in read_wordings(path):
            yield Row(path.stem, example.section, example.label, example.text)
    except (OSError, ValueError, KeyError, AttributeError, PackError) as error:
        raise click.ClickException(f"{path} is not a file of wordings: {error}") from error


def warned(rules: UrgentRules, row: Row) -> bool:
    """Whether the row's text calls for a warning; for provider_soon any sign counts, for the urgent signs an urgent
    one.
    """
    found = {sign.id for sign in rules.find(row.text) if sign.certainty >= WARN}
    if row.kind == "urgent" and row.label != "provider_soon":
        return any(sign.startswith("urgent") for sign in found)
    return bool(found)


def table(title: str, rows: list[Row], rules: UrgentRules) -> None:
    """Prints the figures of one group of writers."""
    tried: dict[tuple[str, str], int] = defaultdict(int)
    hit: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        name = (row.kind, row.label if row.kind == "urgent" else "warned without need")
        tried[name] += 1
        hit[name] += warned(rules, row)
    click.echo(title)
    for kind, label in sorted(tried, key=lambda name: (name[0] != "urgent", name)):
        count, total = hit[(kind, label)], tried[(kind, label)]
        click.echo(f"  {kind:9s} {label:22s} {count:5d} of {total:5d}  {count / total:7.2%}")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--held-out", multiple=True, help="Writer to count apart.")
@click.option("--show", multiple=True, help="Writer whose mistakes are printed.")
def main(files: tuple[Path, ...], held_out: tuple[str, ...], show: tuple[str, ...]) -> None:
    """Recall and warnings without need of the rules of the facet hypertrophy pack."""
    rules = UrgentRules.load([PACK])
    rows = [row for path in (files or sorted((PACK / "wordings").glob("*.toml"))) for row in read(path)]
    known = [row for row in rows if row.writer not in held_out]
    if known:
        table(f"writers: {', '.join(sorted({row.writer for row in known}))}", known, rules)
    for writer in held_out:
        apart = [row for row in rows if row.writer == writer]
        if apart:
            table(f"held out: {writer}", apart, rules)
    for row in known:
        if row.writer in show and warned(rules, row) != (row.kind == "urgent"):
            signs = [(sign.rule, sign.reason) for sign in rules.read(row.text)]
            click.echo(f"{'MISS' if row.kind == 'urgent' else 'FALSE'}\t{row.label}\t{row.text}\t{signs}")


if __name__ == "__main__":
    main()
