"""The figures as text that reads well aloud, as a table for the README, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.listen import HearingRow
from benchmarks.peers.run import Row
from benchmarks.peers.score import COLUMNS
from voice.evaluate.figures import Rate


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run found."""

    header: Mapping[str, str]
    """What was run, name → value."""
    sets: Mapping[str, int]
    """Set → number of sentences."""
    rows: Sequence[Row]
    hearing: Sequence[HearingRow]
    missing: Mapping[str, str]
    """Peer → why it did not run."""


def percent(one: Rate | None) -> str:
    return "none tried" if one is None or one.value is None else f"{100 * one.value:.1f} %"


def of(one: Rate) -> str:
    return f"{percent(one)}, {one.hits} of {one.tried}" if one.tried else "none tried"


def text(report: Report) -> str:
    """For a screen reader: a paragraph for each peer, "name: value"."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield "Backtalk beside its peers"
    for name, value in report.header.items():
        yield f"{name}: {value}"
    for name, number in report.sets.items():
        yield ""
        yield f"On {name}, {number} sentences"
        for row in report.rows:
            if name in row.figures:
                yield ""
                yield row.name
                yield from (f"{title}: {of(rate)}" for title, rate in row.figures[name].items())
    if report.hearing:
        yield ""
        yield "Hearing, on the same recordings"
        for one in report.hearing:
            yield ""
            yield one.name
            yield f"words wrong: {_percent(one.words.rate)} of {one.words.words}"
            yield f"right when Backtalk understands it: {of(one.right)}"
            yield from (f"{title}: {of(rate)}" for title, rate in one.figures.items())
            yield f"processor time: {one.real_time:.2f} of real time"
    yield ""
    yield "How each was set up"
    yield from (f"{name}: {how}" for name, how in _setups(report))
    yield from (f"{name}: did not run, {reason}" for name, reason in report.missing.items())


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _setups(report: Report) -> Iterator[tuple[str, str]]:
    for row in report.rows:
        if row.about.tuned:
            cut = (
                "no threshold helped"
                if row.threshold is None
                else f"turned away below {row.threshold:.3g}, best on the held-out writer"
            )
        else:
            cut = "decides for itself"
        trained = (
            "" if row.name.startswith("Backtalk") else f"; {row.trained_on} wordings, trained in {row.training_s:.1f} s"
        )
        yield row.name, f"{row.about.how}; {cut}{trained}; {row.sentence_ms:.1f} ms a sentence"
    for one in report.hearing:
        yield f"{one.name} (hearing)", one.how


def markdown(report: Report) -> str:
    """For the README: one table a set, the date in its header."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    yield "; ".join(f"{name}: {value}" for name, value in report.header.items()) + "."
    for name, number in report.sets.items():
        rows = [row for row in report.rows if name in row.figures]
        yield ""
        yield f"On {name} ({number} sentences):"
        yield ""
        titles = list(COLUMNS.values())
        tried = [rows[0].figures[name][title].tried for title in titles]
        yield from _grid(
            ["peer", *(f"{title} (of {count})" for title, count in zip(titles, tried, strict=True))],
            [[row.name, *(percent(row.figures[name][title]) for title in titles)] for row in rows],
        )
    if report.hearing:
        yield ""
        yield "Hearing, on the same recordings:"
        yield ""
        yield from _grid(
            [
                "recognizer",
                "words wrong",
                "right when Backtalk understands it",
                "questions right",
                "danger signs found",
                "of real time",
            ],
            [
                [
                    one.name,
                    _percent(one.words.rate),
                    percent(one.right),
                    percent(one.figures[COLUMNS["questions right"]]),
                    percent(one.figures[COLUMNS["danger signs found"]]),
                    f"{one.real_time:.2f}",
                ]
                for one in report.hearing
            ],
        )
    yield ""
    yield from (f"- {name}: {how}." for name, how in _setups(report))
    yield from (f"- {name}: did not run: {reason}." for name, reason in report.missing.items())


def _grid(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"| --- |{' ---: |' * (len(titles) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def as_json(report: Report) -> dict[str, Any]:
    """For programs."""
    return {
        "header": dict(report.header),
        "sets": dict(report.sets),
        "peers": [
            {
                "name": row.name,
                "how": row.about.how,
                "trained_on": row.trained_on,
                "training_s": round(row.training_s, 3),
                "threshold": row.threshold,
                "sentence_ms": round(row.sentence_ms, 3),
                "figures": {name: _rates(rates) for name, rates in row.figures.items()},
            }
            for row in report.rows
        ],
        "hearing": [
            {
                "name": one.name,
                "how": one.how,
                "word_error_rate": one.words.rate,
                "words": one.words.words,
                "right": _rate(one.right),
                "figures": _rates(one.figures),
                "real_time": round(one.real_time, 4),
            }
            for one in report.hearing
        ],
        "missing": dict(report.missing),
    }


def _rates(rates: Mapping[str, Rate]) -> dict[str, dict[str, float | int | None]]:
    return {title: _rate(one) for title, one in rates.items()}


def _rate(one: Rate) -> dict[str, float | int | None]:
    return {"hits": one.hits, "tried": one.tried, "rate": one.value}
