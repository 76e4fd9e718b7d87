"""`backtalk evaluate`: runs labelled recordings or texts through the product and reports how well it did."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from voice.commands.shared import model_option, packs_option, plain_end
from voice.errors import BacktalkError
from voice.evaluate.answer import Maker, Product, versions
from voice.evaluate.engines import ENGINES
from voice.evaluate.extras import require
from voice.evaluate.manifest import Line, Manifest, keep, read_manifest

Make = Callable[[Sequence[Line], "Path | None", tuple[Path, ...], bool], Maker]
"""Lines, folder of the speech model, folders of packs, whether to leave the voice out → what answers. Tests hand in
another one.
"""


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for report.txt, report.json and the replies; a stopped run is continued from it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report as one HTML page that needs nothing else.",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OLD.json",
    help="Tell what got better and worse since this report. MANIFEST may then be a newer report.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="KEY",
    help="Group by this key of the manifest too; several keys joined by commas make one group.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only lines with this value, such as split=test; may be repeated.",
)
@click.option("--limit", type=click.IntRange(1), help="Only so many lines.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=lambda: _cores(),
    show_default="one a core",
    help="How many at once. Times are truest with one.",
)
@click.option(
    "--engine", type=click.Choice(sorted(ENGINES)), default="local", show_default=True, help="Where the work is done."
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Address of a running Dask or Ray cluster. Without it, one of --jobs workers is started here.",
)
@model_option
@packs_option
@click.option("--no-voice", is_flag=True, help="Don't make the first sound of each reply, and don't time it.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Run the labelled recordings or texts of MANIFEST and report the figures.

    MANIFEST has one JSON object a line with audio, text, label and kind; recordings are looked for beside it. The exit
    status is 1 when a line or a recording could not be used, or the program failed on one; the others are evaluated all
    the same.
    """
    again = (
        "Run the same command again to continue."
        if options["out"]
        else "With the option out it could have been continued."
    )
    with plain_end(ctx, stopped=f"Stopped. {again}"):
        ctx.exit(_run(ctx.obj or product, **options))


def _run(
    make: Make, manifest: Path | None, compare: Path | None, as_json: bool, html: Path | None, **options: Any
) -> int:
    from voice.evaluate import compare as comparison

    if manifest is None:
        raise BacktalkError("Please name a manifest to evaluate, or with the option compare two reports.")
    require("evaluate", "evaluate", "jiwer", "scipy")
    if html is not None:
        require("make a page of a report", "evaluate", "jinja2", "matplotlib")
    if compare is not None and manifest.suffix == ".json":
        before, after = comparison.read_report(compare), comparison.read_report(manifest)
        changes = comparison.compare(before, after)
        click.echo(json.dumps(changes) if as_json else comparison.text(changes), nl=as_json)
        return 0
    old = comparison.read_report(compare) if compare is not None else None  # before the long work, not after it
    return _evaluate(make, read_manifest(manifest), old, as_json, html, **options)


def _evaluate(
    make: Make,
    manifest: Manifest,
    old: Mapping[str, Any] | None,
    as_json: bool,
    html: Path | None,
    *,
    out: Path | None,
    by: Sequence[str],
    filters: Sequence[str],
    limit: int | None,
    jobs: int,
    engine: str,
    cluster: str | None,
    model: Path | None,
    packs: tuple[Path, ...],
    no_voice: bool,
) -> int:
    from voice.evaluate import compare as comparison
    from voice.evaluate.journal import Journal
    from voice.evaluate.report import Report, write_text
    from voice.evaluate.run import evaluate

    if cluster is not None and engine == "local":
        raise BacktalkError("The address of a cluster needs the option engine, dask or ray.")
    for fault in manifest.faults:
        click.echo(f"{manifest.path}, {fault}", err=True)
    lines = keep(manifest.lines, filters, limit)
    if not lines:
        raise BacktalkError(f"No line of {manifest.path} can be evaluated.")
    maker = make(lines, model, packs, no_voice)
    with Journal(out) as journal, progress() as told:
        results = evaluate(lines, maker, journal, jobs=jobs, engine=ENGINES[engine], address=cluster, told=told)
    header = {
        "manifest": str(manifest.path),
        **({"only": " and ".join(filters)} if filters else {}),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "fingerprint of code, packs and model": maker.fingerprint(),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "at once": jobs if engine == "local" else f"{jobs} on {engine}",
    }
    report = Report.of(results, by, header, manifest.faults)
    if out is not None:
        report.write(out)
    if html is not None:
        from voice.evaluate.report_html import page

        write_text(html, page(results, report.figures, report.worst, header))
    failed = [result for result in results if result.outcome in ("unusable", "crashed")]
    for result in failed:
        reason = result.error or f"the program failed: {result.reply['crash']}"
        click.echo(f"{manifest.path}, line {result.line.number}: {result.line.name}: {reason}", err=True)
    changes = comparison.compare(old, report.data()) if old is not None else None
    if as_json:
        click.echo(json.dumps(report.data() | ({} if changes is None else {"changes": changes})))
    else:
        click.echo(report.text() if changes is None else f"{report.text()}\n{comparison.text(changes)}", nl=False)
    return int(bool(manifest.faults or failed))


def product(
    lines: Sequence[Line],
    model: Path | None,
    packs: tuple[Path, ...],
    no_voice: bool,
    encoder: Path | None = None,
) -> Product:
    """What is to be run. Whatever would fail every line is raised here, before any process is started; and what is made
    once (a model taught the packs' wordings) is made here, not by every process.
    """
    from voice.engine import Engine
    from voice.settings import Settings

    understander = Engine(Settings(), packs=packs, hears=False, encoder=encoder).understander
    if not any(line.audio for line in lines):
        return Product(packs=packs, speaks=False, encoder=encoder)
    from voice.model import find_model
    from voice.prepare import taught_model
    from voice.progress import ShownProgress

    with ShownProgress() as shown:
        taught = taught_model(model, understander.sentences, shown)
    return Product(find_model(model), taught, packs, not no_voice, encoder)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a plain line at each tenth."""
    if sys.stderr.isatty():
        with tqdm(unit="line", file=sys.stderr) as bar:

            def move(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield move
        return
    tenth = -1

    def tell(done: int, total: int) -> None:
        nonlocal tenth
        if total and 10 * done // total > tenth:
            tenth = 10 * done // total
            click.echo(f"{done} of {total} done", err=True)

    yield tell
