"""From guesses to figures, by the same rules as `backtalk evaluate`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers.peer import Guess
from benchmarks.peers.product import acted
from voice.evaluate.figures import Rate, main_rates, rate
from voice.evaluate.manifest import KINDS, Line
from voice.evaluate.result import GOODNESS, Result

COLUMNS = {
    "questions right": "questions right first time",
    "questions wrong": "questions answered wrong",
    "out of scope answered": "out of scope answered",
    "other illness answered": "other illness answered",
    "danger signs found": "danger signs found",
    "provider soon found": "gradual signs found",
    "false warnings, danger words without danger": "false warnings, danger words",
    "false warnings, all others": "false warnings, ordinary words",
    "commands carried out": "commands carried out",
}
"""Rate of the evaluation → its name in the table. "first time": without asking back."""
GOOD = 3
CANDIDATES = 60
"""Thresholds tried: so many quantiles of the scores."""


def figures(results: Sequence[Result]) -> dict[str, Rate]:
    """The figures of one peer on one set."""
    rates = main_rates(results)
    return {name: rates[key] for key, name in COLUMNS.items()}


def decided(
    lines: Sequence[Line], guesses: Sequence[Guess], texts: Sequence[str], threshold: float | None
) -> list[Result]:
    """A guess below the threshold counts as turned away."""
    return [
        Result(line, acted(label if threshold is None or score >= threshold else None, score, text))
        for line, (label, score), text in zip(lines, guesses, texts, strict=True)
    ]


def balanced(results: Sequence[Result]) -> float:
    """Share treated as a good nurse would, averaged over questions, danger, commands and out of scope."""
    kinds = [[result for result in results if result.line.kind == kind] for kind in KINDS]
    shares = [rate(some, lambda result: GOODNESS[result.outcome] == GOOD).value for some in kinds if some]
    return float(np.mean([share for share in shares if share is not None]))


def best_threshold(lines: Sequence[Line], guesses: Sequence[Guess]) -> float | None:
    """The score below which turning away is best on these lines, by `balanced`; None when no threshold is better than none."""
    texts = [line.text or "" for line in lines]
    best, chosen = balanced(decided(lines, guesses, texts, None)), None
    for threshold in np.unique(np.quantile([score for _, score in guesses], np.linspace(0.0, 1.0, CANDIDATES))):
        value = balanced(decided(lines, guesses, texts, float(threshold)))
        if value > best:
            best, chosen = value, float(threshold)
    return chosen
