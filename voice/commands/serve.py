"""`backtalk serve`: ears, answers and a voice for Home Assistant and other Wyoming clients."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voice.commands.shared import log_to_error_output, model_option, packs_option, plain_end, server_options
from voice.errors import BacktalkError, VoiceError
from voice.settings import Settings, load_settings

if TYPE_CHECKING:
    from voice.engine import Engine
    from voice.tts import Voice
    from voice.wyoming.hearing import Listener
    from voice.wyoming.limits import Limits
    from voice.wyoming.services import Parts, Services

log = logging.getLogger(__name__)

MISSING = "To serve Home Assistant, please install the extra wyoming: pip install 'backtalk[wyoming]'."
OPEN = "Everybody on this network can now talk to me at {host}: the Wyoming protocol knows no password."
MOST_DECODERS = 16


@click.command()
@server_options
@click.option(
    "--decoders",
    type=click.IntRange(1, MOST_DECODERS),
    help="How many utterances are decoded at the same moment. Without it: one for each processor.",
)
@model_option
@packs_option
@click.pass_context
def command(
    ctx: click.Context,
    uri: str,
    announce: bool,
    name: str | None,
    decoders: int | None,
    verbose: bool,
    log_words: bool,
    model: Path | None,
    packs: tuple[Path, ...],
) -> None:
    """Serve Home Assistant and its satellites, by the Wyoming protocol.

    Offers speech to text, a conversation agent and a voice. Only this computer can reach it, unless another address
    is given. It runs until it is stopped.
    """
    log_to_error_output(verbose or log_words)
    with plain_end(ctx):
        if any(find_spec(module) is None for module in ("wyoming", "zeroconf")):
            raise BacktalkError(MISSING)
        asyncio.run(_serve(uri, announce, name, decoders or os.cpu_count() or 1, log_words, model, packs))


async def _serve(
    uri: str,
    announce: bool,
    name: str | None,
    decoders: int,
    show_words: bool,
    model: Path | None,
    packs: tuple[Path, ...],
) -> None:
    from voice.wyoming.limits import Limits

    settings = load_settings(tell=lambda problem: click.echo(problem, err=True))
    limits = Limits()

    def services(kept: ExitStack) -> Services:
        from voice.engine import Engine
        from voice.tts import Pyttsx3Voice
        from voice.vad import SpeechDetector
        from voice.wyoming.hearing import Listener
        from voice.wyoming.services import Services

        voice = kept.enter_context(Pyttsx3Voice(settings.voice or None))
        engine = Engine(settings, model, packs)
        kept.callback(engine.close)
        _ = engine.model  # without it there would be no hearing: better told now than to the first who speaks
        made = parts(engine, voice, settings, lambda: Listener(engine.recognizer(), SpeechDetector()))
        return Services(made, limits, decoders=decoders, show_words=show_words)

    await serve_until_stopped(uri, announce, name, limits, services)


async def serve_until_stopped(
    uri: str, announce: bool, name: str | None, limits: Limits, prepare: Callable[[ExitStack], Services]
) -> None:
    """Takes the port, prepares the services in a thread, and serves until SIGTERM or SIGINT. Raises BacktalkError.

    announce: by zeroconf, under `name`. prepare: what it puts on the stack is closed at the end, after the services.
    """
    from voice.wyoming.discovery import Announcement, default_name, reachable
    from voice.wyoming.server import Server, address_of

    host, port = address_of(uri)
    server = Server(limits)
    port = await server.open(host, port)
    address = reachable(host) if announce else None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with ExitStack() as kept:
        services = await asyncio.to_thread(prepare, kept)
        kept.callback(services.close)
        announcement = Announcement(port, address, name or default_name()) if address is not None else None
        try:
            if announcement is not None:
                await announcement.start()
            await server.serve(services)
            if not _is_loopback(host):
                click.echo(OPEN.format(host=host), err=True)
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"Backtalk is ready at tcp://{shown}:{port}")
            await stop.wait()
        finally:
            if announcement is not None:
                await announcement.stop()
            await server.close()


def parts(
    engine: Engine, voice: Voice, settings: Settings, listener: Callable[[], Listener], lost: str | None = None
) -> Parts:
    """What services are made of; `lost` is said when a turn was. Raises BacktalkError without a pack; a voice may be missing."""
    from voice.wyoming.services import LOST, Parts

    return Parts(
        listener=listener,
        talker=engine.mind,
        voice=working(voice),
        topics=[pack.about.name for pack in engine.understander.packs],
        fixed_warnings=engine.mind().fixed_warnings(),
        rate=settings.rate,
        lost=LOST if lost is None else lost,
    )


def working(voice: Voice) -> Voice | None:
    """The voice if it can speak; else it is told, and the rest is served without it."""
    try:
        voice.speak("Ready.")
    except VoiceError as error:
        log.warning("no voice: %s", error.reason)
        click.echo(str(error), err=True)
        return None
    return voice


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
