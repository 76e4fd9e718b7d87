"""Lets Home Assistant find the server by itself: mDNS, through the zeroconf library."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence

from zeroconf import Error as ZeroconfError
from zeroconf import NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from voice.errors import BacktalkError

SERVICE = "_wyoming._tcp.local."
"""What Home Assistant's Wyoming integration looks for."""
MDNS_GROUP = "224.0.0.251"
MDNS_GROUP_6 = "ff02::fb"
_FAILED = "I can't announce myself on the network: please enter my address in Home Assistant by hand."


def default_name() -> str:
    """Unique in a home: Home Assistant takes the name for the identity of the service."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname().split(".")[0])[:40]
    return f"backtalk-{host}".strip("-")


def reachable(host: str) -> str:
    """The address at which others reach a server that listens on `host`. Raises BacktalkError when there is none."""
    try:
        address = socket.gethostbyname(host) if not _is_address(host) else host
        listening = ipaddress.ip_address(address)
        if listening.is_unspecified:
            group = MDNS_GROUP if listening.version == 4 else MDNS_GROUP_6
            with socket.socket(
                socket.AF_INET if listening.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM
            ) as probe:
                probe.connect((group, 1))  # sends nothing: it only asks which way it would go
                address = str(probe.getsockname()[0])
    except OSError as error:
        raise BacktalkError(_FAILED, f"no way to the others: {error}") from error
    if ipaddress.ip_address(address).is_loopback:
        raise BacktalkError(
            "Only this computer can reach me, so there is nothing to announce: please listen at 0.0.0.0, or leave out"
            " --zeroconf.",
            f"{host} is {address}",
        )
    return address


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Announcement:
    """On the network from `start` to `stop`."""

    def __init__(self, port: int, address: str, name: str, interfaces: Sequence[str] | None = None) -> None:
        """interfaces: addresses of those to speak on; None for all."""
        self._info = AsyncServiceInfo(SERVICE, f"{name}.{SERVICE}", parsed_addresses=[address], port=port)
        self._interfaces = list(interfaces) if interfaces is not None else None
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Raises BacktalkError."""
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces) if self._interfaces else AsyncZeroconf()
            await (await self._zeroconf.async_register_service(self._info, allow_name_change=True))
        except (OSError, ZeroconfError, NonUniqueNameException) as error:
            await self.stop()
            raise BacktalkError(_FAILED, f"zeroconf: {error!r}") from error

    async def stop(self) -> None:
        """Takes the announcement back."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()
