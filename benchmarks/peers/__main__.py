"""`python -m benchmarks.peers`: Backtalk and its peers, side by side."""

from __future__ import annotations

import json
import platform
from datetime import datetime, timezone
from pathlib import Path

import click

import voice.cli  # noqa: F401 - first, as in the program: it holds numpy to one thread before numpy is imported
from benchmarks.peers.corpus import line_key, sample, training, tried_audio, tried_writers
from benchmarks.peers.hearing import HEARINGS, Transcript, transcribe
from benchmarks.peers.listen import HearingRow, hearing_row
from benchmarks.peers.peer import Missing
from benchmarks.peers.roster import PEERS, Encoders
from benchmarks.peers.run import all_rows, tried_recordings, tried_texts
from benchmarks.peers.table import Report, as_json, markdown, text
from intents.pack import PackError
from intents.understand import Understander
from voice.errors import BacktalkError
from voice.evaluate.manifest import Line

HELD_OUT = "wei_engineer"
"""The training writer on whom thresholds are set."""


@click.command()
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(PEERS)), help="Only this peer; may be repeated.")
@click.option(
    "--hearing",
    "hearings",
    multiple=True,
    type=click.Choice(list(HEARINGS)),
    help="Only this recognizer; may be repeated.",
)
@click.option(
    "--transcripts",
    default="backtalk",
    type=click.Choice(list(HEARINGS)),
    show_default=True,
    help="Whose transcripts all peers are given.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many sentences of each set, an even sample.")
@click.option(
    "--train-limit",
    type=click.IntRange(50),
    help="At most so many training wordings, an even sample; for a quick look.",
)
@click.option("--texts/--no-texts", default=True, help="Try the true words of the test writers.")
@click.option("--writer", "writers", multiple=True, help="True words of this test writer only; may be repeated.")
@click.option("--audio/--no-audio", default=True, help="Try the recordings.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that keeps transcripts and vectors between runs.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the Vosk model.")
@click.option("--held-out", default=HELD_OUT, show_default=True, help="The training writer on whom thresholds are set.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print tables for a README.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here.")
def main(
    peers: tuple[str, ...],
    hearings: tuple[str, ...],
    transcripts: str,
    limit: int | None,
    train_limit: int | None,
    texts: bool,
    writers: tuple[str, ...],
    audio: bool,
    cache: Path | None,
    model: Path | None,
    held_out: str,
    as_markdown: bool,
    json_file: Path | None,
) -> None:
    """Train every peer on the pack's own wordings and try them all on the same sentences, in one run.

    Needs the extras peers and evaluate. A peer that isn't installed is named with the reason.
    """
    try:
        understander, examples = Understander.load(), training()
        if held_out not in {one.writer for one in examples}:
            raise click.BadParameter(f"{held_out} is no writer of the pack", param_hint="--held-out")
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        tried = [line for line in tried_writers() if not writers or line.extra.get("writer") in writers]
        if texts and not tried:
            raise click.BadParameter(f"no words by {', '.join(writers)}", param_hint="--writer")
        sets = [tried_texts("true words", sample(tried, limit, line_key))] if texts else []
        missing: dict[str, str] = {}
        heard_rows: list[HearingRow] = []
        if audio:
            lines = sample(tried_audio(), limit, line_key)
            names = hearings or tuple(HEARINGS)
            heard = _heard(
                tuple(dict.fromkeys((transcripts, *names))), lines, understander, model, cache, missing, heard_rows
            )
            if transcripts in heard:
                sets.append(tried_recordings(f"transcripts of recordings by {transcripts}", lines, heard[transcripts]))
        rows, unable = all_rows(
            peers or tuple(PEERS), understander, examples, held_out, sets, Encoders(cache), train_limit, _say
        )
    except (BacktalkError, PackError) as error:
        raise click.ClickException(str(error)) from error
    header = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "training": f"{len(examples)} wordings of {len({one.writer for one in examples})} writers"
        + (f", at most {train_limit} used" if train_limit else ""),
        "thresholds set on": held_out,
    }
    report = Report(header, {one.name: len(one.lines) for one in sets}, rows, heard_rows, {**missing, **unable})
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    click.echo(markdown(report) if as_markdown else text(report), nl=False)


def _heard(
    names: tuple[str, ...],
    lines: list[Line],
    understander: Understander,
    model: Path | None,
    cache: Path | None,
    missing: dict[str, str],
    rows: list[HearingRow],
) -> dict[str, list[Transcript]]:
    """Recognizer → transcripts; a row for each, or the reason why not."""
    found: dict[str, list[Transcript]] = {}
    for name in names:
        _say(f"{name}, hearing ...")
        try:
            recognizer = HEARINGS[name](model, understander)
            found[name] = list(transcribe(recognizer, lines, cache and cache / "transcripts.jsonl"))
        except Missing as error:
            missing[f"{name} (hearing)"] = str(error)
            _say(f"{name}: {error}")
            continue
        rows.append(hearing_row(recognizer, lines, found[name], understander))
    return found


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
