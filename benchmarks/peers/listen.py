"""Hearing peers side by side: words wrong, and whether what was heard is still understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.hearing import Recognizer, Transcript
from benchmarks.peers.product import Product
from benchmarks.peers.score import GOOD, figures
from intents.heard import Heard
from intents.understand import Understander
from voice.evaluate.figures import Rate, rate
from voice.evaluate.manifest import Line
from voice.evaluate.result import GOODNESS, Result
from voice.evaluate.words import WordErrors, word_errors


@dataclass(frozen=True, slots=True)
class HearingRow:
    """One recognizer on the recordings."""

    name: str
    how: str
    words: WordErrors
    right: Rate
    """Replies with the right id or rightly none, when Backtalk understands its best reading."""
    figures: Mapping[str, Rate]
    real_time: float
    """Processor seconds for a second of sound."""


def hearing_row(
    recognizer: Recognizer, lines: Sequence[Line], heard: Sequence[Transcript], understander: Understander
) -> HearingRow:
    """Only the best reading counts, for the other recognizers give no more."""
    product = Product(understander)
    results = [Result(line, product.reply(Heard(one.text))) for line, one in zip(lines, heard, strict=True)]
    return HearingRow(
        recognizer.name,
        recognizer.how,
        word_errors(results),
        rate(results, lambda result: GOODNESS[result.outcome] == GOOD),
        figures(results),
        sum(one.seconds for one in heard) / max(1e-9, sum(one.length for one in heard)),
    )
