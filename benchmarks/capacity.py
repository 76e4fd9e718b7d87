"""`python -m benchmarks.capacity`: how many people one process serves at once, beside vosk-server's way, in one run.

Both sides are processes of their own on this machine, and so is the load. Rising numbers of listeners ask recorded questions
in real time, one after the other without ever listening to the reply to its end: as hard as it gets. The end of speech is the
last sample of the last detected speech; there and then the client says that it has ended, as its own voice activity would.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from benchmarks.listeners import (
    Asked,
    KeptVoskServerListener,
    Recorded,
    VoskServerListener,
    WyomingListener,
    ask_for,
    speech_only,
)
from benchmarks.sides import memory_mb, spread

ROOT = Path(__file__).resolve().parents[1]
AIM_S = 1.0
READY_TIMEOUT_S = 120
LEVELS = "1,2,4,6,8,10,12,16"
IDLE = 40
"""Silent connections, to see what one costs."""
SIDES: Mapping[str, Any] = {
    "backtalk": WyomingListener,
    "vosk-server": VoskServerListener,
    "vosk-server, connection kept": KeptVoskServerListener,
}
"""Side and its kind of listener. The last two run the same server, in a process each."""
TALKS = "backtalk, replies heard out"
GIVE_UP = 3
"""Times the aim: beyond that a side's curve is not followed."""


@contextmanager
def server(side: str, model: Path | None) -> Iterator[tuple[int, int]]:
    """(port, process id). Raises ClickException when it doesn't start."""
    options = [] if model is None else [str(model)]
    command = ["-m", "benchmarks.recognizer_a_connection", *options]
    if side == "backtalk":
        command = ["-m", "voice.cli", "serve", "--uri", "tcp://127.0.0.1:0", *(["--model"] * len(options)), *options]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        found = re.search(r"ready at (?:tcp://127.0.0.1:)?(\d+)", line)
        if found is None:
            raise click.ClickException(f"{side} did not start: {line.strip() or 'it said nothing'}")
        yield int(found[1]), process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def family(process: int) -> list[int]:
    """The process and those that it began, as far as Linux tells."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    return [process, *(one for path in children for child in path.read_text().split() for one in family(int(child)))]


def busy_s(process: int) -> float:
    """Processor seconds that one process has used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_busy_s(process: int) -> float:
    """Processor seconds that the process and those that it began have used."""
    return sum(busy_s(one) for one in family(process))


def step(
    side: str,
    port: int,
    process: int,
    listeners: int,
    questions: Sequence[Recorded],
    seconds: float,
    hear_out: bool = False,
) -> Any:
    """The figures of so many listeners; their first question each isn't counted, unless they hear replies out."""
    before, begun, load = family_busy_s(process), time.perf_counter(), os.getloadavg()[0]
    asked = asyncio.run(
        ask_for(lambda number: SIDES[side](port, number), listeners, questions, seconds, 0 if hear_out else 1, hear_out)
    )
    passed = time.perf_counter() - begun
    return {
        "listeners": listeners,
        **figures(asked),
        "reply_mean_s": sum(one.reply_s for one in asked) / max(1, len(asked)),
        "memory_mb": memory_mb("VmRSS", process),
        "cores": (family_busy_s(process) - before) / passed,
        "load": [load, os.getloadavg()[0]],
    }


def figures(asked: Sequence[Asked]) -> dict[str, Any]:
    """Turns, those that failed, and the spread of the times to the text and to the reply's first sound, in seconds."""
    found: dict[str, Any] = {
        "turns": len(asked),
        "failed": sum(1 for one in asked if one.problem),
        "empty": sum(1 for one in asked if not one.problem and not one.text.strip()),
    }
    for name, times in (("text_s", [one.text_s for one in asked]), ("sound_s", [one.sound_s for one in asked])):
        there = [one for one in times if one is not None]
        found[name] = spread(there) if there else None
    return found


def whole(row: Mapping[str, Any]) -> Mapping[str, float] | None:
    """The time that counts: to the reply's first sound, or to the text where nothing answers."""
    found: Mapping[str, float] | None = row["sound_s"] or row["text_s"]
    return found


def holds(row: Mapping[str, Any], aim_s: float = AIM_S) -> bool:
    """Every turn answered, 95 of 100 of them in time."""
    times = whole(row)
    return not row["failed"] and times is not None and times["p95"] < aim_s


def held(rows: Sequence[Mapping[str, Any]], aim_s: float = AIM_S) -> int:
    """The greatest number up to which every step holds."""
    most = 0
    for row in rows:
        if not holds(row, aim_s):
            break
        most = row["listeners"]
    return most


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line with the least squares; 0 for fewer than two different places."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    return sum((x - middle) * y for x, y in points) / sum((x - middle) ** 2 for x, _ in points)


def idle_cost_kb(port: int, process: int) -> float:
    """Memory of one connection that is open and silent."""

    async def measure() -> float:
        before = memory_mb("VmRSS", process)
        writers = []
        for number in range(IDLE):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.1.{number + 1}", 0))
            writers.append(writer)
        await asyncio.sleep(1)
        after = memory_mb("VmRSS", process)
        for writer in writers:
            writer.close()
        return 1024 * (after - before) / IDLE

    return asyncio.run(measure())


def measured(
    levels: Sequence[int], talks: Sequence[int], questions: Sequence[Recorded], seconds: float, model: Path | None
) -> dict[str, Any]:
    """All figures; the sides take turns at each number of listeners, so that what else the machine does hits both."""
    found: dict[str, Any] = {
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "questions": len(questions),
        "seconds_a_step": seconds,
        "mean_question_s": sum(len(one.samples) for one in questions) / 16_000 / len(questions),
        "sides": {side: [] for side in SIDES},
        "memory_at_start_mb": {},
    }
    with ExitStack() as kept:
        running = {side: kept.enter_context(server(side, model)) for side in SIDES}
        for side, (port, process) in running.items():
            found["memory_at_start_mb"][side] = memory_mb("VmRSS", process)
            if side == "backtalk":
                found["idle_connection_kb"] = idle_cost_kb(port, process)
                voice = sum(memory_mb("VmRSS", one) for one in family(process)[1:])
                found["voice_memory_mb"] = voice
        for listeners in levels:
            for side, (port, process) in running.items():
                rows = found["sides"][side]
                if rows and (rows[-1]["failed"] or (whole(rows[-1]) or {"p95": 0})["p95"] > GIVE_UP * AIM_S):
                    continue
                click.echo(f"{side}: {listeners} ...", err=True)
                rows.append(step(side, port, process, listeners, questions, seconds))
        port, process = running["backtalk"]
        found["talks"] = []
        for listeners in talks:
            click.echo(f"{TALKS}: {listeners} ...", err=True)
            found["talks"].append(step("backtalk", port, process, listeners, questions, 2 * seconds, hear_out=True))
    for side, rows in found["sides"].items():
        found[f"{side}: memory a listener"] = slope([(row["listeners"], row["memory_mb"]) for row in rows])
        found[f"{side}: held"] = held(rows)
    return found


def report(found: Mapping[str, Any]) -> list[str]:
    """Text lines."""
    lines = [
        f"{found['date']}, {found['cores']} cores, {found['questions']} recorded questions of"
        f" {found['mean_question_s']:.1f} s on average, {found['seconds_a_step']:g} s a step",
        f"{'side':28} {'listeners':>9} {'turns':>6} {'failed':>6} {'text med':>9} {'text p95':>9} {'reply med':>9} {'reply p95':>9}"
        f" {'memory':>9} {'cores':>6} {'load':>11}",
    ]
    for side, rows in (*found["sides"].items(), (TALKS, found["talks"])):
        for row in rows:
            text, sound = (
                [f"{one['median']:.2f} s", f"{one['p95']:.2f} s"] if one else ["-", "-"]
                for one in (row["text_s"], row["sound_s"])
            )
            lines.append(
                f"{side:28} {row['listeners']:>9} {row['turns']:>6} {row['failed']:>6} {text[0]:>9} {text[1]:>9} {sound[0]:>9}"
                f" {sound[1]:>9} {row['memory_mb']:>6.0f} MB {row['cores']:>6.2f} {row['load'][0]:>5.1f}-{row['load'][1]:.1f}"
            )
    for side in found["sides"]:
        what = "to the reply's first sound" if side == "backtalk" else "to the text"
        lines.append(
            f"{side}: {found[f'{side}: held']} speak at once with 95 of 100 under {AIM_S:g} s {what};"
            f" {found['memory_at_start_mb'][side]:.0f} MB at the start,"
            f" {found[f'{side}: memory a listener']:.1f} MB more for each who speaks"
        )
    if found["talks"]:
        most, reply = held(found["talks"]), max(row["reply_mean_s"] for row in found["talks"])
        lines.append(f"{TALKS}: {most} conversations at once, likewise; a reply lasts {reply:.0f} s on average")
    lines.append(
        f"backtalk: an open, silent connection costs {found['idle_connection_kb']:.0f} kB; its voice, another process,"
        f" {found['voice_memory_mb']:.0f} MB"
    )
    return lines


def questions_of(limit: int) -> list[Recorded]:
    """Recordings of the test part, clean ones, spread over the questions. Raises InputError."""
    from benchmarks.peers.corpus import line_key, sample, tried_audio

    lines = [line for line in tried_audio() if line.text and line.extra.get("condition") == "clean"]
    return [speech_only(line.audio) for line in sample(lines, limit, line_key) if line.audio is not None]


@click.command()
@click.option("--levels", default=LEVELS, show_default=True, help="Numbers of listeners, rising.")
@click.option(
    "--talks", default="", help="Numbers of those who hear each reply to its end; they take twice the seconds."
)
@click.option("--seconds", type=click.FloatRange(1), default=25.0, show_default=True, help="Length of a step.")
@click.option("--limit", type=click.IntRange(1), default=24, show_default=True, help="Number of recordings.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the Vosk model.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write the curve here, as SVG.")
def main(
    levels: str,
    talks: str,
    seconds: float,
    limit: int,
    model: Path | None,
    json_file: Path | None,
    picture: Path | None,
) -> None:
    """Print how many listeners one process holds with replies under one second, beside vosk-server's way."""
    import voice.cli  # noqa: F401 - first, as in the program: it holds numpy to one thread before numpy is imported
    from benchmarks.capacity_picture import draw
    from voice.errors import BacktalkError

    try:
        numbers, talking = ([int(one) for one in names.split(",") if one] for names in (levels, talks))
    except ValueError as error:
        raise click.BadParameter(f"{levels}, {talks}: please give numbers with commas between them") from error
    try:
        found = measured(sorted(numbers), sorted(talking), questions_of(limit), seconds, model)
    except BacktalkError as error:
        raise click.ClickException(str(error)) from error
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if picture is not None:
        picture.write_text(draw(found), encoding="utf-8")
    click.echo("\n".join(report(found)))


if __name__ == "__main__":
    main()
