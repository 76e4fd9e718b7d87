"""Telling systemd how it goes: one datagram to the socket that it names. No-op where there is none."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(state: str) -> bool:
    """Sends "READY=1", "WATCHDOG=1", "STOPPING=1" or "STATUS=..." as sd_notify(3) does; False where nobody asked."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.sendto(state.encode(), address)
    except OSError as error:
        log.warning("systemd can't be told: %s", error)
        return False
    return True
