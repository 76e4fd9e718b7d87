"""The listening socket: connections in, each to a handler of its own, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from voice.errors import BacktalkError
from voice.wyoming.handler import Connection
from voice.wyoming.limits import Gate, Limits
from voice.wyoming.services import Services

log = logging.getLogger(__name__)

GOODBYE_S = 2.0
"""Seconds that the connections have to end when the server stops."""


def address_of(uri: str) -> tuple[str, int]:
    """(host, port) of "tcp://127.0.0.1:10500". Raises BacktalkError."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BacktalkError(_BAD_URI.format(uri=uri), str(error)) from error
    if parts.scheme != "tcp" or not host or port is None:
        raise BacktalkError(_BAD_URI.format(uri=uri))
    return host, port


_BAD_URI = "I can't listen at {uri}: please give an address such as tcp://127.0.0.1:10500."


class Server:
    """Opens its port first, serves later: a port that is taken is told before the model is loaded."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._gate = Gate(self.limits.connections, self.limits.connections_per_address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._services: Services | None = None
        self._server: asyncio.Server | None = None

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return self._gate.inside

    async def open(self, host: str, port: int) -> int:
        """Takes the port and returns it: port 0 takes a free one. Raises BacktalkError."""
        try:
            self._server = await asyncio.start_server(
                self._connected, host, port, limit=self.limits.header_bytes, start_serving=False
            )
        except OSError as error:
            raise BacktalkError(
                f"I can't listen at {host} port {port}: please choose another port or stop what uses it.", str(error)
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    async def serve(self, services: Services) -> None:
        """Takes connections from now on; returns at once."""
        if self._server is None:
            raise ValueError("the port must be opened first")
        self._services = services
        await self._server.start_serving()

    async def close(self) -> None:
        """No new connections; those that are open end."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        task = asyncio.current_task()
        if self._services is None or not peer or task is None:
            writer.close()
            return
        address = str(peer[0])
        if not self._gate.enter(address):
            log.warning("%s: refused: too many connections", address)
            writer.transport.abort()
            return
        self._tasks.add(task)
        try:
            await Connection(self._services, reader, writer, address).run()
        except asyncio.CancelledError:
            log.debug("%s: ended with the server", address)
        finally:
            self._tasks.discard(task)
            self._gate.leave(address)
            writer.close()
            # A client that doesn't read would keep what is left to send, and the socket, for ever.
            asyncio.get_running_loop().call_later(self.limits.event_s, writer.transport.abort)
