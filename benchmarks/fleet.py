"""`python -m benchmarks.fleet`: what listeners notice when a replica of the fleet is killed while they talk.

The real program on a local Ray cluster; its front end may not hear by itself, so that every turn goes through the replicas.
At half time the replica that heard the last turn is killed (SIGKILL), as soon as it is at work on the next.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from benchmarks.capacity import ROOT, busy_s, family, figures, questions_of
from benchmarks.listeners import Asked, Recorded, WyomingListener, ask_for
from benchmarks.sides import memory_mb
from voice.wyoming.handler import LOST

STOP_S = 60
NAMES = {
    "HearingReplica": "replicas of hearing",
    "SpeakingReplica": "replicas of speaking",
    "voice.tts_worker": "voice engines",
}
"""Part of a process's command line and what it is."""


@contextmanager
def running(replicas: int, model: Path | None) -> Iterator[tuple[int, int, Path]]:
    """(port, process id, log) of `backtalk fleet`. Raises ClickException when it doesn't start."""
    command = ["-m", "voice.cli", "fleet", "--uri", "tcp://127.0.0.1:0", "--verbose", "--no-local-hearing"]
    command += ["--replicas", str(replicas), *([] if model is None else ["--model", str(model)])]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as said:
            process = subprocess.Popen(
                [sys.executable, *command], stdout=subprocess.PIPE, stderr=said, text=True, env=environment
            )
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            found = re.search(r"ready at tcp://127.0.0.1:(\d+)", line)
            if found is None:
                raise click.ClickException(f"the fleet did not start: {log.read_text()[-300:]}")
            yield int(found[1]), process.pid, log
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def load_with_a_kill(
    port: int, process: int, log: Path, listeners: int, questions: Sequence[Recorded], seconds: float
) -> tuple[list[Asked], float, dict[str, float]]:
    """The turns; when the replica was killed, by time.perf_counter; the processor seconds until then, by process."""
    begun = by_name(process, busy_s)
    turns = asyncio.create_task(ask_for(lambda number: WyomingListener(port, number), listeners, questions, seconds))
    await asyncio.sleep(seconds / 2)
    spent = {name: used - begun.get(name, 0.0) for name, used in by_name(process, busy_s).items()}
    victim = int(re.findall(r"heard by replica (\d+)", log.read_text())[-1])
    while not turns.done() and not await at_work(victim):
        pass
    os.kill(victim, signal.SIGKILL)
    at = time.perf_counter()
    return await turns, at, spent


async def at_work(process: int) -> bool:
    """Whether it computed for most of the last tenth of a second."""
    before = busy_s(process)
    await asyncio.sleep(0.1)
    return busy_s(process) - before > 0.03


def outcome(asked: Sequence[Asked], killed: float, log: str) -> dict[str, Any]:
    """What happened before and after the kill."""
    return {
        "before": figures([one for one in asked if one.at < killed]),
        "after": figures([one for one in asked if one.at >= killed]),
        "told_as_lost": sum(1 for one in asked if one.text == LOST),
        "asked_again": log.count("turn lost by a replica"),
    }


def report(found: Mapping[str, Any]) -> list[str]:
    """Text lines."""
    lines = [
        f"{found['listeners']} listeners, {found['replicas']} replicas of hearing, one killed at half time;"
        f" load average {found['load'][0]:.1f} before, {found['load'][1]:.1f} after"
    ]
    for part in ("before", "after"):
        row = found[part]
        times = row["sound_s"]
        shown = "no reply" if times is None else f"median {times['median']:.2f} s, 95th percentile {times['p95']:.2f} s"
        most = "" if times is None else f", greatest {times['greatest']:.2f} s"
        lines.append(f"{part}: {row['turns']} turns, {row['failed']} failed; to the reply's first sound {shown}{most}")
    lines.append(f"turns that died with the replica and were asked again: {found['asked_again']}")
    lines.append(f"turns that were lost and told so: {found['told_as_lost']}")
    lines += [
        f"processor time until then: {name} {used:.1f} s, {1000 * used / found['sound_before_s']:.0f} ms for a second of speech"
        for name, used in found["processor_before_s"].items()
    ]
    lines += [f"memory: {name} {size:.0f} MB" for name, size in found["memory_mb"].items()]
    return lines


def by_name(process: int, figure: Callable[[int], float]) -> dict[str, float]:
    """A figure of each process that belongs to the fleet, added up by what they are."""
    found: dict[str, float] = {"front end": figure(process)}
    for one in family(process)[1:]:
        command = Path(f"/proc/{one}/cmdline").read_bytes().decode(errors="replace")
        name = next((shown for part, shown in NAMES.items() if part in command), "the rest of Ray")
        found[name] = found.get(name, 0.0) + figure(one)
    return found


@click.command()
@click.option("--listeners", type=click.IntRange(1), default=4, show_default=True)
@click.option("--replicas", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seconds", type=click.FloatRange(10), default=60.0, show_default=True)
@click.option("--limit", type=click.IntRange(1), default=24, show_default=True, help="Number of recordings.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the Vosk model.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here.")
def main(listeners: int, replicas: int, seconds: float, limit: int, model: Path | None, json_file: Path | None) -> None:
    """Print what listeners notice when a replica is killed while they talk."""
    from voice.errors import BacktalkError

    try:
        questions = questions_of(limit)
    except BacktalkError as error:
        raise click.ClickException(str(error)) from error
    load = os.getloadavg()[0]
    with running(replicas, model) as (port, process, log):
        asked, killed, spent = asyncio.run(load_with_a_kill(port, process, log, listeners, questions, seconds))
        lengths = {one.name: len(one.samples) / 16_000 for one in questions}
        found = {
            "listeners": listeners,
            "replicas": replicas,
            "seconds": seconds,
            "load": [load, os.getloadavg()[0]],
            **outcome(asked, killed, log.read_text()),
            "memory_mb": by_name(process, lambda one: memory_mb("VmRSS", one)),
            "sound_before_s": sum(lengths[one.name] for one in asked if one.at < killed),
            "processor_before_s": spent,
        }
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    click.echo("\n".join(report(found)))


if __name__ == "__main__":
    main()
