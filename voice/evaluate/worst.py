"""Which replies were worst: what to listen to first."""

from __future__ import annotations

from collections.abc import Iterable

from voice.evaluate.manifest import PROVIDER_SOON
from voice.evaluate.result import GOODNESS, Result

_GRAVITY = {
    "missed": 2,
    "crashed": 2,
    "warned": 3,
    "false accept": 3,
    "wrong": 3,
    "clarified wrong": 4,
    "rejected": 5,
    "asked": 6,
    "clarified right": 7,
    "unusable": 8,
}


def gravity(result: Result) -> int:
    """0 is the gravest: a missed danger sign, then an unmet one; then `provider_soon`, then what was done wrongly, then
    what was not done.
    """
    if result.line.kind == "urgent" and result.line.label != PROVIDER_SOON:
        return 0 if result.outcome in ("missed", "crashed") else 1
    return _GRAVITY.get(result.outcome, 9)


def worst(results: Iterable[Result], number: int = 20) -> list[Result]:
    """The `number` worst, gravest first, the surest first among equals. What went well is never among them."""
    bad = [result for result in results if GOODNESS[result.outcome] < 3 and result.error is None]
    return sorted(bad, key=lambda result: (gravity(result), -result.confidence, result.line.number))[:number]
