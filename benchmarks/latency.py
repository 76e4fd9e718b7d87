"""`python -m benchmarks.latency`: what Backtalk costs beside plain Vosk, in one run. Ratios travel between machines; seconds don't.

Each side is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
AIM_ADDED_MS = 60
"""Understanding and synthesis together add at most this."""
AIM_MEMORY_MB = 350
RUN_TIMEOUT_S = 300
READY_TIMEOUT_S = 60
START = "from voice.cli import main; main(['listen', *__import__('sys').argv[1:]])"
SIDES = ("vosk", "backtalk", "understand")


def main_side(side: str, recordings: Sequence[str], model: str | None) -> dict[str, Any]:
    """The figures of one side; runs in a process of its own."""
    import voice.cli  # noqa: F401 - first, as in the program: it holds numpy to one thread before numpy is imported
    from benchmarks import sides

    figures: dict[str, Any] = getattr(sides, side)(
        [Path(one) for one in recordings], None if model is None else Path(model)
    )
    figures["peak_memory_mb"] = sides.memory_mb()
    figures["threads"] = os.environ.get("OPENBLAS_NUM_THREADS", "as many as the library likes")
    return figures


def measured(side: str, recordings: Sequence[Path], model: Path | None) -> dict[str, Any]:
    """Raises ClickException with what the process said when it failed."""
    order = json.dumps([side, [str(one) for one in recordings], None if model is None else str(model)])
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.latency", "--side", order],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    if run.returncode:
        raise click.ClickException(
            f"measuring {side} failed: {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else run.returncode}"
        )
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def second_start(model: Path | None) -> float | None:
    """Seconds from starting `backtalk` to its being ready to listen, when everything was there already; None without a way to tell.

    It tells that it is ready as a systemd service does, by NOTIFY_SOCKET (voice.notify). Needs a microphone, be it a virtual one.
    """
    import socket

    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = Path(folder) / "notify"
        listener.bind(str(address))
        listener.settimeout(0.5)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "NOTIFY_SOCKET": str(address), "PYTHONPATH": path}
        options = [] if model is None else ["--model", str(model)]
        said = (Path(folder) / "said").open("w+", encoding="utf-8")
        begun = time.perf_counter()
        program = subprocess.Popen(
            [sys.executable, "-c", START, *options], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=said
        )
        try:
            while program.poll() is None and time.perf_counter() - begun < READY_TIMEOUT_S:
                with suppress(TimeoutError):
                    if b"READY=1" in listener.recv(4096):
                        return time.perf_counter() - begun
            said.seek(0)
            click.echo(f"backtalk did not become ready: {said.read().strip()[-500:] or 'it said nothing'}", err=True)
            return None
        finally:
            program.terminate()
            program.wait(10)
            said.close()


def report(found: Mapping[str, Mapping[str, Any]], ready_s: float | None, ready_told: bool) -> list[str]:
    """ "name: value" lines."""
    plain, ours, mind = found["vosk"], found["backtalk"], found["understand"]
    added = ours["understand_ms"]["median"] + ours["first_audio_ms"]["median"]
    lines = [
        "Backtalk beside plain Vosk, same recordings, same run",
        f"recordings: {ours['recordings']}, {ours['seconds']:.0f} seconds of sound",
        f"threads for linear algebra: {ours['threads']}",
        _beside("model load", plain["load_s"], ours["load_s"], "s", 2),
        _beside("processor time by length of sound (real-time factor)", plain["real_time"], ours["real_time"], "", 3),
        _beside("peak resident memory", plain["peak_memory_mb"], ours["peak_memory_mb"], "MB", 0),
        f"   its voice, a process of its own: {ours['voice_memory_mb']:.0f} MB",
        f"   aim: at most {AIM_MEMORY_MB} MB: {_met(ours['peak_memory_mb'], AIM_MEMORY_MB)}",
        _beside(
            "from the last sample to the text, median",
            plain["recognize_ms"]["median"],
            ours["recognize_ms"]["median"],
            "ms",
            1,
        ),
        f"from the text to the reply's text: {_spread(ours['understand_ms'])}",
        f"from there to the reply's first sample: {_spread(ours['first_audio_ms'])}",
        _beside(
            "from the last sample of speech to the first sample of the reply, median",
            plain["recognize_ms"]["median"],
            ours["reply_ms"]["median"],
            "ms",
            1,
        ),
        "   (plain Vosk: to its text, for it does not reply; waiting for a pause is in neither)",
        f"understanding and synthesis add, medians: {added:.1f} ms; aim: at most {AIM_ADDED_MS} ms: {_met(added, AIM_ADDED_MS)}",
        f"understanding alone, {mind['sentences']} written sentences: {_spread(mind['understand_ms'])}",
        f"   of this processor time: {_spread(mind['processor_ms'])}; much less than the time passed means a busy machine",
        f"understanding alone, loading: {mind['load_s']:.2f} s; memory added: {mind['added_memory_mb']:.0f} MB",
    ]
    if ready_told:
        lines.append(
            "second start of backtalk: not measured, it did not become ready (is there a microphone?)"
            if ready_s is None
            else f"second start of backtalk to ready: {ready_s:.2f} s"
        )
    return lines


def _met(value: float, aim: float) -> str:
    return "met" if value <= aim else "not met"


def _beside(name: str, plain: float, ours: float, unit: str, digits: int) -> str:
    ratio = f", ratio {ours / plain:.2f}" if plain > 0 else ""
    space = f" {unit}" if unit else ""
    return f"{name}: plain Vosk {plain:.{digits}f}{space}, Backtalk {ours:.{digits}f}{space}{ratio}"


def _spread(one: Mapping[str, float]) -> str:
    return f"median {one['median']:.1f} ms, 95th percentile {one['p95']:.1f} ms, greatest {one['greatest']:.1f} ms"


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Number of recordings.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the Vosk model.")
@click.option(
    "--start/--no-start", default=True, help="Also time the second start of backtalk, which needs a microphone."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here.")
@click.option("--side", hidden=True)
def main(limit: int, model: Path | None, start: bool, json_file: Path | None, side: str | None) -> None:
    """Print load time, real-time factor, memory and the time to the first sound of a reply, each beside plain Vosk."""
    if side is not None:
        click.echo(json.dumps(main_side(*json.loads(side))))
        return
    from benchmarks.peers.corpus import line_key, sample, tried_audio
    from intents.pack import PackError
    from intents.understand import Understander
    from voice.errors import BacktalkError
    from voice.prepare import taught_model

    lines = sample([line for line in tried_audio() if line.text], limit, line_key)
    recordings = [line.audio for line in lines if line.audio is not None]
    try:
        taught_model(model, Understander.load().sentences)  # teaching the model happens once in a computer's life
    except (BacktalkError, PackError) as error:
        raise click.ClickException(str(error)) from error
    found = {}
    for one in SIDES:
        click.echo(f"{one} ...", err=True)
        found[one] = measured(one, recordings, model)
    ready_s = second_start(model) if start else None
    if json_file is not None:
        json_file.write_text(json.dumps({**found, "second_start_s": ready_s}, indent=1) + "\n", encoding="utf-8")
    click.echo("\n".join(report(found, ready_s, start)))


if __name__ == "__main__":
    main()
