"""The fleet as a front end sees it: HTTP addresses. Ray may die as a whole, and the front end lives on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from intents.heard import Heard
from voice.errors import BacktalkError
from voice.fleet.fleet import FleetError
from voice.fleet.wire import HEAR, PROCESS_HEADER, SPEAK, clip_in, heard_in, sentence_out
from voice.speech import Clip

log = logging.getLogger(__name__)

MOST_BYTES = 16 * 1024 * 1024
"""Of an answer: three minutes of sound."""
_BAD_URL = "I can't use {url} as the address of a fleet: please give one such as http://10.0.0.5:8000."


class HttpFleet:
    """See voice.fleet.fleet.Fleet. A connection for each call, so that nothing of one call is left for the next."""

    def __init__(self, urls: Sequence[str]) -> None:
        """urls: of the machines of one fleet; after a failure the next one is asked. Raises BacktalkError."""
        if not urls:
            raise ValueError("a fleet has at least one address")
        self._places = [_place(url) for url in urls]
        self._next = 0
        self._lock = threading.Lock()

    def hear(self, sound: bytes, timeout_s: float) -> Heard:
        """See `Fleet.hear`."""
        body, headers = self._asked(HEAR, sound, "application/octet-stream", timeout_s)
        log.info("heard by replica %s", headers.get(PROCESS_HEADER, "?")[:20])
        return heard_in(body)

    def speak(self, sentence: str, rate: int, timeout_s: float) -> Clip:
        """See `Fleet.speak`."""
        body, headers = self._asked(SPEAK, sentence_out(sentence, rate), "application/json", timeout_s)
        return clip_in(body, headers)

    def _asked(self, path: str, body: bytes, kind: str, timeout_s: float) -> tuple[bytes, Mapping[str, str]]:
        with self._lock:
            turn = self._next
        secure, host, port, prefix = self._places[turn % len(self._places)]
        connection = (HTTPSConnection if secure else HTTPConnection)(host, port, timeout=timeout_s)
        try:
            connection.request("POST", prefix + path, body, {"content-type": kind, "connection": "close"})
            answer = connection.getresponse()
            found = answer.read(MOST_BYTES)
            if answer.status != 200:
                raise FleetError(f"status {answer.status}")
            return found, {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, HTTPException) as error:
            self._away(turn)
            raise FleetError(type(error).__name__) from error
        except FleetError:
            self._away(turn)
            raise
        finally:
            connection.close()

    def _away(self, turn: int) -> None:
        """From now on the next address is asked, unless another call has seen to that."""
        with self._lock:
            if self._next == turn:
                self._next += 1


def _place(url: str) -> tuple[bool, str, int, str]:
    """(whether it is https, host, port, path before ours). Raises BacktalkError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BacktalkError(_BAD_URL.format(url=url), str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BacktalkError(_BAD_URL.format(url=url))
    secure = parts.scheme == "https"
    return secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/")
