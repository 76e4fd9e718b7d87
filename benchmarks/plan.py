"""`python -m benchmarks.plan`: what so many rooms need, from what one listener cost in benchmarks.fleet. Arithmetic, not a measurement."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "images" / "fleet.json"
SOUND_KBIT = 16 * 16
"""Kilobits a second from a room that speaks: 16 kHz, 16 bits."""
VOICE_KBIT = 22.05 * 16
"""Kilobits a second of a reply's sound."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What was not measured. Change it to what you know."""

    question_s: float = 4.0
    """Length of a question: the recordings' mean."""
    reply_s: float = 12.0
    peak_sigmas: float = 4.0
    """Standard deviations above the mean number of speakers that are still served in time (Poisson)."""
    busy: float = 0.5
    """Share of the cores that may be busy at the peak: above it, people wait for each other."""
    machine_cores: int = 8
    spare_machines: int = 2
    """One that fails while another is being updated."""
    threads: int = 4
    """Utterances that one replica of hearing decodes at a time."""
    replica_mb: float = 350.0
    """Of a replica of hearing before anybody spoke: measured 352."""
    decoder_mb: float = 85.0
    """More for each of its threads, two warm decoders: measured 81 after 56 utterances on four threads."""
    ray_mb: float = 450.0
    """Ray's own processes on each machine."""
    ray_cores: float = 0.25
    """The same, idle."""
    rooms_a_front_end: int = 100
    front_end_mb: float = 300.0
    """With hearing of its own, measured 277, and the connections of its rooms."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds for a second of speech, as measured."""

    hearing: float
    speaking: float
    front_end: float

    @classmethod
    def measured(cls, found: Mapping[str, Any]) -> Cost:
        """From the JSON of benchmarks.fleet."""
        spent, seconds = found["processor_before_s"], found["sound_before_s"]
        speaking = spent["replicas of speaking"] + spent["voice engines"]
        return cls(spent["replicas of hearing"] / seconds, speaking / seconds, spent["front end"] / seconds)


@dataclass(frozen=True, slots=True)
class Need:
    """What so many rooms need."""

    rooms: int
    an_hour: float
    """Questions of a room in an hour."""
    speaking: float
    """People who speak at the same moment, on average."""
    peak: float
    hearing_cores: float
    speaking_cores: float
    machines: int
    machine_gb: float
    front_ends: int
    front_end_cores: float
    """All of them together."""
    front_end_gb: float
    in_mbit: float
    out_mbit: float


def need(rooms: int, an_hour: float, cost: Cost, assumed: Assumed) -> Need:
    """Machines are for hearing and speaking; front ends stand where the rooms are."""
    speaking = rooms * an_hour * assumed.question_s / 3600
    peak = min(float(rooms), speaking + assumed.peak_sigmas * math.sqrt(speaking))
    hearing = peak * cost.hearing / assumed.busy
    voices = peak * cost.speaking / assumed.busy
    machines = math.ceil((hearing + voices) / (assumed.machine_cores - assumed.ray_cores)) + assumed.spare_machines
    replicas = assumed.machine_cores / assumed.threads
    machine_mb = assumed.ray_mb + replicas * (assumed.replica_mb + assumed.threads * assumed.decoder_mb)
    front_ends = math.ceil(rooms / assumed.rooms_a_front_end)
    return Need(
        rooms,
        an_hour,
        speaking,
        peak,
        hearing,
        voices,
        machines,
        machine_mb / 1024,
        front_ends,
        peak * cost.front_end / assumed.busy,
        front_ends * assumed.front_end_mb / 1024,
        peak * SOUND_KBIT / 1000,
        peak / assumed.question_s * assumed.reply_s * VOICE_KBIT / 1000,
    )


def table(needs: Sequence[Need], assumed: Assumed) -> list[str]:
    """Lines of a Markdown table, a column for each."""
    rows = [
        ("people who speak at the same moment, mean", [f"{one.speaking:.0f}" for one in needs]),
        ("the same at the peak", [f"{one.peak:.0f}" for one in needs]),
        ("cores for hearing", [f"{one.hearing_cores:.0f}" for one in needs]),
        ("cores for speaking", [f"{one.speaking_cores:.1f}" for one in needs]),
        (
            f"machines of {assumed.machine_cores} cores, {assumed.spare_machines} of them spare",
            [f"{one.machines}" for one in needs],
        ),
        ("memory used on each", [f"{one.machine_gb:.1f} GB" for one in needs]),
        ("sound to the machines", [f"{one.in_mbit:.0f} Mbit/s" for one in needs]),
        ("sound back", [f"{one.out_mbit:.0f} Mbit/s" for one in needs]),
        ("front ends", [f"{one.front_ends}" for one in needs]),
        ("cores for all of them together", [f"{one.front_end_cores:.1f}" for one in needs]),
        ("memory for all of them together", [f"{one.front_end_gb:.0f} GB" for one in needs]),
    ]
    head = [f"{one.rooms:,} rooms, {one.an_hour:g} questions an hour each" for one in needs]
    return [
        f"| | {' | '.join(head)} |",
        f"| --- |{' ---: |' * len(needs)}",
        *(f"| {name} | {' | '.join(values)} |" for name, values in rows),
    ]


@click.command()
@click.option("--rooms", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--an-hour", default="2,6,20,60", show_default=True, help="Questions of a room in an hour, with commas.")
@click.option(
    "--measured", type=click.Path(path_type=Path, exists=True), default=MEASURED, help="JSON of benchmarks.fleet."
)
def main(rooms: int, an_hour: str, measured: Path) -> None:
    """Print what so many rooms need."""
    try:
        hours = [float(one) for one in an_hour.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{an_hour}: please give numbers with commas between them") from error
    assumed = Assumed()
    cost = Cost.measured(json.loads(measured.read_text(encoding="utf-8")))
    click.echo("\n".join(table([need(rooms, one, cost, assumed) for one in hours], assumed)))


if __name__ == "__main__":
    main()
