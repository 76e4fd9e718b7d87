"""What goes over the network between a front end and the fleet: plain HTTP bodies, nothing that could run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from intents.heard import Heard, Word
from voice.fleet.fleet import FleetError
from voice.speech import Clip

HEAR, SPEAK = "/hear", "/speak"
"""Paths. /hear: sound in, 16 kHz mono 16-bit little-endian; Heard as JSON out. /speak: JSON in; sound out."""
RATE_HEADER = "x-backtalk-rate"
PROCESS_HEADER = "x-backtalk-process"
_SLOWEST, _FASTEST = 8_000, 48_000


def heard_out(heard: Heard) -> bytes:
    """JSON."""
    words = [[word.text, word.start, word.end, word.confidence] for word in heard.words]
    found = {"text": heard.text, "alternatives": heard.alternatives, "words": words}
    return json.dumps(found).encode()


def heard_in(body: bytes) -> Heard:
    """Raises FleetError when it is no Heard."""
    found = _object(body)
    text, others, words = (found.get(key) for key in ("text", "alternatives", "words"))
    if not isinstance(text, str) or not isinstance(others, list):
        raise FleetError("no text in the answer")
    if not all(isinstance(one, str) for one in others) or not isinstance(words, list):
        raise FleetError("readings that are no text in the answer")
    return Heard(text, tuple(others), tuple(_word(one) for one in words))


def _word(found: object) -> Word:
    if not isinstance(found, list) or len(found) != 4 or not isinstance(found[0], str):
        raise FleetError("a word that is none in the answer")
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in found[1:]):
        raise FleetError("a word without times in the answer")
    return Word(found[0], float(found[1]), float(found[2]), float(found[3]))


def sentence_out(sentence: str, rate: int) -> bytes:
    """JSON."""
    return json.dumps({"sentence": sentence, "rate": rate}).encode()


def sentence_in(body: bytes) -> tuple[str, int]:
    """(sentence, words a minute). Raises FleetError."""
    found = _object(body)
    sentence, rate = found.get("sentence"), found.get("rate")
    if not isinstance(sentence, str) or type(rate) is not int:
        raise FleetError("no sentence")
    return sentence, rate


def clip_out(clip: Clip) -> tuple[bytes, dict[str, str]]:
    """Body and headers."""
    return clip.samples.astype("<i2").tobytes(), {RATE_HEADER: str(clip.rate)}


def clip_in(body: bytes, headers: Mapping[str, str]) -> Clip:
    """Raises FleetError when it is no sound."""
    rate = headers.get(RATE_HEADER, "")
    if not (rate.isascii() and rate.isdigit()) or len(body) % 2 or not _SLOWEST <= int(rate) <= _FASTEST:
        raise FleetError("no sound in the answer")
    return Clip(np.frombuffer(body, "<i2").astype(np.int16), int(rate))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise FleetError("an answer that is no JSON") from None  # its text may hold what was said
    if not isinstance(found, dict):
        raise FleetError("an answer that is no object")
    return found
