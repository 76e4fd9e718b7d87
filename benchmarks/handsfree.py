"""`python -m benchmarks.handsfree`: how it is to talk with it without hands or eyes, beside the aims and the peers.

What can be measured faster than real time is: recordings through the state machine, timed in samples. The rest goes
through virtual devices in real time. Each part can be run alone. Nothing here passes or fails.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import click

PARTS = (
    "live",
    "endpoint",
    "cut-off",
    "stop",
    "danger",
    "own-voice",
    "wake",
    "false-wakes",
    "woken",
    "idle",
    "memory",
    "always",
    "picture",
)
DEFAULT = tuple(part for part in PARTS if part != "always")
DANGER = "i cannot feel my legs"
Figures = dict[str, Any]

PEERS = {
    "first_sound": "Home Assistant waits 0.25, 0.7 or 1.25 s of silence, then answers; people: 0.2 s",
    "wake": "openWakeWord: 95 %",
    "false_wakes": "openWakeWord: 5 in 10 h",
}
"""Figures that others publish; measured by them, elsewhere."""


def _rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    """What, aim, measured, others'; only of parts that were run."""
    rows: list[tuple[str, str, str, str]] = []
    if live := figures.get("live"):
        first, stop = live["first_sound"], live["stop_to_silence"]
        rows.append(
            ("end of speech to first sound, devices", "median 450 ms, 95 % 900 ms", _times(first), PEERS["first_sound"])
        )
        rows.append(('"stop" to silence, devices', "median 300 ms", _times(stop), ""))
        rows.append(("processor in a silent room, devices", "5 % of a core", f"{live['idle_percent_of_a_core']} %", ""))
    if found := figures.get("endpoint"):
        rows.append(("end of speech to decision, understood", "part of the above", _times(found["understood"]), ""))
        rows.append(("end of speech to decision, all", "part of the above", _times(found["all"]), ""))
    if found := figures.get("cut-off"):
        count = found["spliced"] + found["pause_fixtures"]
        over, two = found["talked_over"], found["taken_as_two"]
        rows.append(("pause to 0.9 s: a reply begins, and is taken back", "1 in 100", f"{over} of {count}", ""))
        rows.append(("pause to 0.9 s: the question is lost or halved", "1 in 100", f"{two} of {count}", ""))
    if found := figures.get("stop"):
        rows.append(
            (
                '"stop" 10 dB above its voice: heard',
                "95 %",
                f"{found['heard']} of {found['trials']}; {_times(found)}",
                "",
            )
        )
    if found := figures.get("danger"):
        heard = f"{found['heard']} of {found['trials']}; {_times(found)}"
        rows.append(("a danger sign 10 dB above its voice: breaks in", "", heard, ""))
    if found := figures.get("own-voice"):
        rows.append(
            (
                "its own voice at 0 dB taken for a person",
                "0 in 1 h",
                f"{found['faults']} in {found['minutes_spoken']} min",
                "",
            )
        )
    if found := figures.get("wake"):
        rows.append(
            ("wake phrase, 2 m, kitchen at 12 dB", "97 %", f"{found['hits']} of {found['trials']}", PEERS["wake"])
        )
    if found := figures.get("false-wakes"):
        rows.append(
            (
                "wakes in others' speech",
                "1 in 10 h",
                f"{found['wakes']} in {found['hours']:.2f} h",
                PEERS["false_wakes"],
            )
        )
    if found := figures.get("woken"):
        said = (
            f"{found['warned']} of {found['trials']} times; awake median {found['median_s']} s, 95 % {found['p95_s']} s"
        )
        rows.append(("a television that has woken it is warned", "", said, ""))
    if found := figures.get("idle"):
        rows.append(
            (
                "processor in a silent room, loop alone",
                "5 % of a core",
                ", ".join(
                    f"{name} {one['percent_of_a_core']} %" for name, one in found.items() if name in ("silence", "hiss")
                ),
                "",
            )
        )
    if found := figures.get("memory"):
        rows.append(
            (
                "memory after simulated hours",
                "within 5 % in 8 h",
                f"{found['growth_percent']:+} % after {found['hours']} h ({found['first_mb']} to {found['last_mb']} MB)",
                "",
            )
        )
    if found := figures.get("always"):
        said = f"{found['answers']} in {found['minutes']} min, {found['warnings']} of them warnings"
        rows.append(("television answered, no wake phrase", "", said, ""))
    return rows


def _times(found: Figures) -> str:
    if not found.get("trials"):
        return "nothing measured"
    return f"median {found.get('median_ms', '-')} ms, 95 % {found.get('p95_ms', '-')} ms, {found['trials']} trials"


def table(figures: Figures, markdown: bool = False) -> str:
    """The figures beside the aims and the peers'."""
    rows = [("what", "aim", "measured", "others publish"), *_rows(figures)]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([lines[0], "| --- | --- | --- | --- |", *lines[1:]])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _load() -> Figures:
    one, five, _ = os.getloadavg()
    return {"cores": os.cpu_count(), "load_1_min": round(one, 1), "load_5_min": round(five, 1)}


@click.command(context_settings={"show_default": True})
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=DEFAULT, help="May be repeated.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="Folder of a Vosk model.")
@click.option("--trials", default=60, help="Recordings or voices in each of the parts that are not live.")
@click.option("--live-trials", default=8)
@click.option("--minutes", default=60.0, help="Of its own voice; of television, besides the recordings.")
@click.option(
    "--talk", type=click.Path(exists=True, path_type=Path), help="What the television says: a sentence a line."
)
@click.option("--hours", default=8.0, help="Simulated, for memory.")
@click.option("--budget", default=300.0, help="Seconds of running after which the memory part ends, hours or not.")
@click.option(
    "--split",
    type=click.Choice(["test", "dev"]),
    default="test",
    help="Recordings and voices of the parts endpoint, cut-off and woken.",
)
@click.option(
    "--json", "out", type=click.Path(path_type=Path), help="Writes all figures there; parts not run are kept."
)
@click.option("--no-cancel", is_flag=True, help="Its own voice isn't taken out of the microphone.")
@click.option("--markdown", is_flag=True, help="Prints the table for a document.")
@click.option("--picture", type=click.Path(path_type=Path), help="Where the timeline of one turn goes (SVG).")
def main(
    parts: tuple[str, ...],
    model: Path | None,
    trials: int,
    live_trials: int,
    minutes: float,
    talk: Path | None,
    hours: float,
    budget: float,
    split: str,
    out: Path | None,
    no_cancel: bool,
    markdown: bool,
    picture: Path | None,
) -> None:
    """Measure the hands-free conversation. Needs the speech model; most parts need the extra "fixtures" as well."""
    import voice.cli  # noqa: F401 - first, as in the program: it holds numpy to one thread before numpy is imported
    from benchmarks import handsfree_cost as cost
    from benchmarks import handsfree_fast as fast
    from benchmarks import handsfree_talk as others
    from voice.engine import Engine
    from voice.settings import Settings

    figures: Figures = json.loads(out.read_text("utf-8")) if out is not None and out.exists() else {}

    sentences = talk.read_text("utf-8").splitlines() if talk is not None else []

    def show(line: str) -> None:
        click.echo(f"  {line}", err=True)

    @cache
    def engine() -> Engine:  # not before it is needed: loading it would disturb the live part
        return Engine(Settings(), model)

    work: dict[str, Callable[[], Figures]] = {
        "endpoint": lambda: fast.endpoint(engine(), trials, show, split),
        "cut-off": lambda: fast.cut_off(engine(), trials, show, split),
        "stop": lambda: others.stop(engine(), trials, show, not no_cancel),
        "danger": lambda: others.stop(engine(), trials, show, not no_cancel, DANGER),
        "own-voice": lambda: others.own_voice(engine(), minutes, show, not no_cancel),
        "wake": lambda: others.wake(engine(), trials),
        "false-wakes": lambda: others.false_wakes(engine(), minutes, show, sentences),
        "woken": lambda: others.woken(engine(), trials, show, sentences, split),
        "idle": lambda: cost.idle(engine(), 60.0),
        "memory": lambda: cost.memory(engine(), hours, budget, show),
        "always": lambda: others.always(engine(), minutes, sentences),
    }
    for part in parts:
        click.echo(part, err=True)
        before = _load()
        if part == "live":
            from benchmarks.handsfree_live import live

            figures[part] = live(live_trials, show, model)
        elif part == "picture":
            from benchmarks.handsfree_picture import draw

            figures[part] = draw(engine(), picture)
        else:
            figures[part] = work[part]()
        figures[part] |= {"on": datetime.date.today().isoformat(), "load_before": before, "load_after": _load()}
        if out is not None:
            out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    if engine.cache_info().currsize:
        engine().close()
    click.echo(f"{platform.machine()}, {_load()}; realtime figures depend on the load")
    click.echo(table(figures, markdown))


if __name__ == "__main__":
    main()
