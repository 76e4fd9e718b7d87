"""`backtalk fleet`: one Wyoming address in front of many replicas of hearing and speaking, on Ray Serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voice.commands.serve import parts, serve_until_stopped
from voice.commands.shared import log_to_error_output, model_option, packs_option, plain_end, server_options
from voice.errors import BacktalkError
from voice.fleet.child import ClusterHere
from voice.fleet.cluster import PORT, Plan, deploy
from voice.fleet.http import HttpFleet
from voice.settings import load_settings

if TYPE_CHECKING:
    from intents.heard import Heard
    from voice.fleet.fleet import Fleet
    from voice.wyoming.limits import Limits
    from voice.wyoming.services import Services


MISSING = "For a fleet, please install the extra fleet: pip install 'backtalk[fleet]'."
LOST = (
    "I lost what you said, because a part of me stopped. Please say it once more. If it may be an emergency, call {number}"
    " now, and don't wait for me."
)
DEPLOYED = (
    "The fleet is ready at port {port} of every computer of the cluster. Everybody who reaches that port can use it."
)
UTTERANCES = 128
"""Heard at the same time through one front end: each waits in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Front:
    """What the front end itself has and does."""

    model: Path | None
    packs: tuple[Path, ...]
    local_hearing: bool
    log_words: bool


@click.command()
@server_options
@click.option("--at", "urls", multiple=True, help="HTTP address of a fleet that runs already; may be repeated.")
@click.option("--deploy", "address", help="Only start the replicas, on the Ray cluster at this address (or: auto).")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="HTTP port for --deploy.")
@click.option("--replicas", type=click.IntRange(1), default=2, show_default=True, help="Processes that hear.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Utterances, and cores, for each of them.",
)
@click.option("--voices", type=click.IntRange(1), default=1, show_default=True, help="Processes that speak.")
@click.option(
    "--local-hearing/--no-local-hearing",
    default=True,
    show_default=True,
    help="Hear on this computer when the fleet is away. Needs 150 MB.",
)
@model_option
@packs_option
@click.pass_context
def command(
    ctx: click.Context,
    uri: str,
    announce: bool,
    name: str | None,
    urls: tuple[str, ...],
    address: str | None,
    port: int,
    replicas: int,
    threads: int,
    voices: int,
    local_hearing: bool,
    verbose: bool,
    log_words: bool,
    model: Path | None,
    packs: tuple[Path, ...],
) -> None:
    """Serve many rooms from many processes or computers, by the Wyoming protocol.

    Conversations stay here, with their connections; hearing and speaking are done by replicas on Ray Serve: those at --at,
    else some that are started on this computer. When one dies, its turns are asked again; when all are away, this computer
    hears and speaks by itself. The model and the packs must be the same on all computers. See docs/fleet.md.
    """
    log_to_error_output(verbose or log_words)
    with plain_end(ctx):
        if any(find_spec(module) is None for module in ("wyoming", "zeroconf", *(() if urls else ("ray",)))):
            raise BacktalkError(MISSING)
        plan = Plan(replicas, threads, voices, None if model is None else str(model.absolute()), _absolute(packs))
        if address is not None:
            deploy(plan, address, "0.0.0.0", port)
            click.echo(DEPLOYED.format(port=port))
            return
        with ExitStack() as kept:
            if not urls:
                here = ClusterHere(plan)
                kept.callback(here.close)
                urls = (here.url,)
            bounds = limits()
            front = Front(model, packs, local_hearing, log_words)
            asyncio.run(serve_until_stopped(uri, announce, name, bounds, prepared(HttpFleet(urls), front, bounds)))


def _absolute(packs: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(str(one.absolute()) for one in packs)


def limits() -> Limits:
    """Of a front end: it keeps connections and conversations, not decoders."""
    from voice.wyoming.limits import Limits

    return Limits(
        connections=4096,
        connections_per_address=1024,
        listeners=UTTERANCES,
        listeners_per_address=UTTERANCES * 3 // 4,
        conversations=8192,
    )


def prepared(fleet: Fleet, front: Front, bounds: Limits) -> Callable[[ExitStack], Services]:
    """Makes the services of a front end over `fleet`; see serve_until_stopped. Raises BacktalkError when called."""

    def services(kept: ExitStack) -> Services:
        from voice.engine import Engine
        from voice.fleet.ear import FleetEar, Open, hear
        from voice.fleet.voice import FleetVoice
        from voice.tts import Pyttsx3Voice
        from voice.vad import SpeechDetector
        from voice.wyoming.hearing import Listener, Listeners
        from voice.wyoming.services import Services

        settings = load_settings(tell=lambda problem: click.echo(problem, err=True))
        engine = Engine(settings, front.model, front.packs, hears=front.local_hearing)
        kept.callback(engine.close)
        local: Callable[[bytes], Heard] | None = None
        if front.local_hearing:
            _ = engine.model
            own = Listeners(lambda: Listener(engine.recognizer(), SpeechDetector()), 1)
            local = partial(hear, listeners=own, longest_s=bounds.audio_s)
        own_voice = kept.enter_context(Pyttsx3Voice(settings.voice or None))
        made = parts(
            engine,
            FleetVoice(fleet, own_voice),
            settings,
            lambda: Listener(FleetEar(fleet, local), Open()),
            LOST.format(number=settings.emergency_number),
        )
        return Services(made, bounds, decoders=UTTERANCES, speakers=8, show_words=front.log_words)

    return services
