"""Leave writers out: what the product understands of people for whom nobody wrote, on the development recordings.

    python -m tools.held_out train FOLDER --base MINILM [--folds 3] [--heard FILE]...
    python -m tools.held_out evaluate FOLDER [--texts] [--limit N]
    python -m tools.held_out people MANIFEST [--out FOLDER]

The shipped encoder, head and language model have all seen the wordings of the development recordings, so that their figures there say nothing. `train` makes
the same again without a part of the writers, fold after fold; `evaluate` lets each recording be answered by the fold that never saw its writer, hearing
included, and reports all folds as one. Settings may be chosen by this; figures for the public come from the test recordings.

`people` is the other check: recordings of people who never speak of a spine. None may be answered and none warned; it fails if one is.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from benchmarks.peers import corpus
from intents.pack import bundled, read_wordings, wording_files
from intents.understand import HEAD
from voice.commands.evaluate import product, progress
from voice.commands.shared import model_option
from voice.evaluate.answer import Product
from voice.evaluate.journal import Journal
from voice.evaluate.manifest import Line, Manifest, read_manifest
from voice.evaluate.report import Report
from voice.evaluate.result import Result
from voice.evaluate.run import evaluate as run

ROOT = Path(__file__).resolve().parents[1]
RECORDINGS = ROOT / "audio_fixtures" / "manifest.jsonl"
ENCODER = "encoder.npz"


def folds(writers: Sequence[str], number: int) -> list[list[str]]:
    """The writers in `number` groups of nearly the same size, the same on every machine. Raises ValueError for fewer than two groups or an empty one."""
    if not 2 <= number <= len(writers):
        raise ValueError(f"{number} folds of {len(writers)} writers")
    return [sorted(writers)[part::number] for part in range(number)]


def copy_without(pack: Path, writers: Sequence[str], folder: Path) -> Path:
    """A copy of a pack's folder, and of the packs beside it that it may share, without these writers' wordings. Returns the copy."""
    for beside in pack.parent.iterdir():
        if (beside / "pack.toml").is_file():
            shutil.copytree(beside, folder / beside.name, dirs_exist_ok=True)
    copy = folder / pack.name
    for path in wording_files(copy):
        if path.stem in writers:
            path.unlink()
    return copy


def lines_of(lines: Sequence[Line], writers: Sequence[str]) -> list[Line]:
    """The development recordings of these writers' wordings."""
    return [line for line in lines if line.extra.get("split") == "dev" and line.extra.get("writer") in writers]


def texts_of(pack: Path, writers: Sequence[str]) -> list[Line]:
    """Every wording of these writers, as text."""
    paths = (path for path in wording_files(pack) if path.stem in writers)
    return corpus.lines_of(example for path in paths for example in read_wordings(path))


@click.group()
def main() -> None:
    """See the module."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--base", type=click.Path(path_type=Path), required=True, help="Folder of the published MiniLM.")
@click.option("--folds", "number", default=3, show_default=True)
@click.option("--epochs", default=7, show_default=True)
@click.option("--heard", multiple=True, type=click.Path(path_type=Path), help="What the recognizer made of wordings.")
def train(folder: Path, base: Path, number: int, epochs: int, heard: tuple[Path, ...]) -> None:
    """Trains an encoder and a head for each fold; what is there already stays."""
    pack = bundled()[0]
    for part, held in enumerate(folds([path.stem for path in wording_files(pack)], number)):
        place = folder / str(part)
        copy = copy_without(pack, held, place / "packs")
        (place / "held.json").write_text(json.dumps(held), "utf-8")
        if (place / ENCODER).is_file():
            continue
        (copy / HEAD).unlink()  # nothing of the shipped one may be left, should the training fail
        command = [sys.executable, "-m", "tools.train_encoder.train", "--base", str(base), "--pack", str(copy)]
        command += ["--out", str(place / ENCODER), "--head", str(copy / HEAD), "--epochs", str(epochs)]
        misheard = [word for path in heard for word in ("--heard", str(path))]
        subprocess.run([*command, *misheard], check=True, cwd=ROOT)
        finish = [sys.executable, "-m", "tools.train_encoder.finish", str(place / ENCODER), str(copy / HEAD)]
        subprocess.run([*finish, "--pack", str(copy), *misheard], check=True, cwd=ROOT)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--texts", is_flag=True, help="The writers' wordings as text, instead of the recordings.")
@click.option("--limit", type=click.IntRange(1), help="Only so many lines of each fold.")
@click.option("--jobs", default=1, show_default=True)
@model_option
def evaluate(folder: Path, texts: bool, limit: int | None, jobs: int, model: Path | None) -> None:
    """Reports on all folds as one, into FOLDER/report.txt and report.json."""
    results: list[Result] = []
    recordings = read_manifest(RECORDINGS).lines
    for place in sorted(path.parent for path in folder.glob("*/held.json")):
        held = json.loads((place / "held.json").read_text("utf-8"))
        pack = place / "packs" / bundled()[0].name
        lines = (texts_of(bundled()[0], held) if texts else lines_of(recordings, held))[:limit]
        maker = product(lines, model, (pack,), True, place / ENCODER)
        results += _results(lines, maker, place / ("texts" if texts else "recordings"), jobs)
    what = "texts" if texts else "development recordings"
    report = Report.of(results, ("writer",), {"what": what, "left out": "each line's writer, with others"})
    report.write(folder)
    click.echo(report.text(), nl=False)


@main.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--out", "folder", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(1))
@click.option("--jobs", default=1, show_default=True)
@model_option
def people(manifest: Path, folder: Path | None, limit: int | None, jobs: int, model: Path | None) -> None:
    """Recordings of people about other things: names those answered, warned, or asked about the spine; fails if one was answered or warned."""
    listed: Manifest = read_manifest(manifest)
    lines = listed.lines[:limit]
    results = _results(lines, product(lines, model, (), True), folder, jobs)
    counts, bad = verdict(results)
    for result in bad:
        click.echo(
            f"{result.line.name}: {result.outcome}: {result.reply.get('heard')!r} -> {result.reply.get('say')!r}",
            err=True,
        )
    click.echo(", ".join(f"{name} {number}" for name, number in counts.items()))
    sys.exit(int(bool(bad)))


def verdict(results: Sequence[Result]) -> tuple[Mapping[str, int], list[Result]]:
    """How often there was each outcome, and the results that must not be: answered, warned, or failed."""
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    allowed = ("refused", "clarified wrong")
    return {"recordings": len(results), **counts}, [result for result in results if result.outcome not in allowed]


def _results(lines: Sequence[Line], maker: Product, folder: Path | None, jobs: int) -> list[Result]:
    with Journal(folder) as journal, progress() as told:
        return run(lines, maker, journal, jobs=jobs, told=told)


if __name__ == "__main__":
    main()
