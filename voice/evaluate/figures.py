"""From results to figures. Pure: the same results give the same figures on any machine and engine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from voice.evaluate.bounds import at_least, at_most, at_most_an_hour
from voice.evaluate.manifest import NOISE_LEVEL, PROVIDER_SOON, URGENT_PREFIX
from voice.evaluate.result import Outcome, Result, predicted
from voice.evaluate.words import word_errors

GROUPS = ("input", "condition", NOISE_LEVEL, "room", "voice", "writer", "topic")
"""Keys that every report is grouped by where the manifest has them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many."""

    hits: int
    tried: int

    @property
    def value(self) -> float | None:
        """Share, 0 to 1; None of nothing."""
        return self.hits / self.tried if self.tried else None


def rate(results: Iterable[Result], test: Callable[[Result], bool]) -> Rate:
    """How many of the results pass the test."""
    marks = [test(result) for result in results]
    return Rate(sum(marks), len(marks))


def is_one_of(*outcomes: Outcome) -> Callable[[Result], bool]:
    """A test for `rate`: any of these outcomes."""
    return lambda result: result.outcome in outcomes


def main_rates(results: Sequence[Result]) -> dict[str, Rate]:
    """The figures that have targets, by their names in the report. Inputs that could not be used are in none."""
    usable = [result for result in results if result.error is None]
    kinds = {
        kind: [result for result in usable if result.line.kind == kind]
        for kind in ("question", "urgent", "command", "oos")
    }
    signs = [result for result in kinds["urgent"] if result.line.label != PROVIDER_SOON]
    soon = [result for result in kinds["urgent"] if result.line.label == PROVIDER_SOON]
    calm = [result for result in usable if result.line.kind != "urgent"]
    counter = [result for result in calm if result.line.counter]
    ordinary = [result for result in calm if not result.line.counter]
    other_illness = [result for result in kinds["oos"] if result.line.topic == "other_illness"]
    worded = [result for result in usable if result.line.audio and (result.line.text or "").strip()]
    return {
        "questions right": rate(kinds["question"], is_one_of("right")),
        "questions right or asked back with the right one": rate(
            kinds["question"], is_one_of("right", "clarified right")
        ),
        "questions wrong": rate(kinds["question"], is_one_of("wrong")),
        "questions asked back without the right one": rate(kinds["question"], is_one_of("clarified wrong")),
        "questions rejected": rate(kinds["question"], is_one_of("rejected")),
        "danger signs found": rate(signs, is_one_of("found")),
        "danger signs found or asked about": rate(signs, is_one_of("found", "asked")),
        "provider soon found": rate(soon, is_one_of("found")),
        "false warnings, all without a sign": rate(calm, lambda result: result.false_warning),
        "false warnings, danger words without danger": rate(counter, lambda result: result.false_warning),
        "false warnings, all others": rate(ordinary, lambda result: result.false_warning),
        "provider soon said without need": rate(calm, lambda result: result.false_provider_soon),
        "danger signs asked about without need": rate(calm, lambda result: result.asks_about_danger),
        "out of scope answered": rate(kinds["oos"], is_one_of("false accept")),
        "other illness answered": rate(other_illness, is_one_of("false accept")),
        "out of scope asked back": rate(kinds["oos"], is_one_of("clarified wrong")),
        "out of scope taken for a command": rate(kinds["oos"], is_one_of("wrong")),
        "commands carried out": rate(kinds["command"], is_one_of("right")),
        "commands wrong": rate(kinds["command"], is_one_of("wrong")),
        "recordings of words in which none was heard": rate(worded, lambda result: not result.transcript.strip()),
        "program failed": rate(usable, is_one_of("crashed")),
    }


MORE_IS_BETTER = frozenset(
    {
        "questions right",
        "questions right or asked back with the right one",
        "danger signs found",
        "danger signs found or asked about",
        "provider soon found",
        "commands carried out",
    }
)
"""Names of `main_rates` whose bound of interest is the lower one."""


def rate_json(name: str, one: Rate) -> dict[str, Any]:
    """A rate as report.json has it, with its one-sided bound (95 %)."""
    bound = at_least(one.hits, one.tried) if name in MORE_IS_BETTER else at_most(one.hits, one.tried)
    return {
        "hits": one.hits,
        "tried": one.tried,
        "rate": one.value,
        "at_least" if name in MORE_IS_BETTER else "at_most": bound,
    }


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of `values` don't exceed; None without values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None


def spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """Number, median, 95th percentile and greatest."""
    return {
        "number": len(values),
        "median": quantile(values, 0.5),
        "p95": quantile(values, 0.95),
        "greatest": quantile(values, 1.0),
    }


def timings(results: Iterable[Result], *spans: str) -> list[float]:
    """Sum of the named spans in milliseconds, for every result that has all of them."""
    times = (result.reply.get("timing_ms") or {} for result in results if result.error is None)
    return [
        sum(float(one[span]) for span in spans) for one in times if all(one.get(span) is not None for span in spans)
    ]


def latency(results: Sequence[Result]) -> dict[str, Any]:
    """Milliseconds. `reply` runs from the last sample of speech to the first sample of the reply; waiting for a pause
    is not in it.
    """
    spoken = [result for result in results if result.line.audio]
    return {
        "recognize": spread(timings(spoken, "recognize")),
        "understand": spread(timings(results, "understand")),
        "first_audio": spread(timings(spoken, "first_audio")),
        "text": spread(timings(spoken, "recognize", "understand")),
        "reply": spread(timings(spoken, "recognize", "understand", "first_audio")),
    }


def confusion(results: Iterable[Result]) -> dict[str, dict[str, int]]:
    """Right id → id given → number."""
    table: dict[str, Counter[str]] = {}
    for result in results:
        table.setdefault(result.line.label, Counter())[predicted(result)] += 1
    return {
        label: dict(sorted(row.items(), key=lambda item: (-item[1], item[0]))) for label, row in sorted(table.items())
    }


def by_id(table: dict[str, dict[str, int]]) -> dict[str, dict[str, Any]]:
    """Recall and precision of each right id, from the confusion."""
    given: Counter[str] = Counter()
    for row in table.values():
        given.update(row)
    return {
        label: {
            "tried": sum(row.values()),
            "recall": row.get(label, 0) / sum(row.values()),
            "given": given[label],
            "precision": row.get(label, 0) / given[label] if given[label] else None,
        }
        for label, row in table.items()
    }


def urgent_by_sign(results: Iterable[Result]) -> dict[str, dict[str, Any]]:
    """Recall by sign. Bounds take each utterance as independent of the others; `wordings` tells how many different ones
    there were.
    """
    signs: dict[str, list[Result]] = {}
    for result in results:
        if result.line.kind == "urgent" and result.error is None:
            signs.setdefault(result.line.label, []).append(result)
    dangers = [result for sign, some in signs.items() if sign.startswith(URGENT_PREFIX) for result in some]
    if dangers:
        signs["all danger signs"] = dangers
    table = {}
    for sign, some in sorted(signs.items()):
        found = rate(some, is_one_of("found"))
        table[sign] = {
            "found": found.hits,
            "tried": found.tried,
            "recall": found.value,
            "at_least": at_least(found.hits, found.tried),
            "asked": rate(some, is_one_of("asked")).hits,
            "same_sign": sum(result.line.label in result.urgent for result in some),
            "wordings": len({result.line.text or result.line.name for result in some}),
        }
    return table


def false_warnings(results: Iterable[Result]) -> dict[str, Any]:
    """False warnings an utterance and an hour of recording, with exact upper bounds."""
    calm = [result for result in results if result.line.kind != "urgent" and result.error is None]
    false = [result for result in calm if result.false_warning]
    heard = [result for result in calm if result.line.audio]
    hours = sum(result.seconds for result in heard) / 3600
    in_hours = sum(result.false_warning for result in heard)
    return {
        "warnings": len(false),
        "utterances": len(calm),
        "rate": len(false) / len(calm) if calm else None,
        "at_most": at_most(len(false), len(calm)),
        "hours": hours,
        "warnings_in_recordings": in_hours,
        "per_hour": in_hours / hours if hours else None,
        "per_hour_at_most": at_most_an_hour(in_hours, hours),
    }


def is_good(result: Result) -> bool:
    """Whether the reply was the right thing to do, an offered choice included."""
    return result.outcome in ("right", "clarified right", "found", "asked", "refused")


def calibration(results: Iterable[Result], bins: int = 10) -> dict[str, Any]:
    """Stated confidence against how often the reply was right, in `bins` equal bins; `error` is the expected
    calibration error (Naeini et al. 2015).
    """
    usable = [result for result in results if result.error is None and result.reply.get("confidence") is not None]
    shelves: dict[int, list[Result]] = {}
    for result in usable:
        shelves.setdefault(min(bins - 1, max(0, int(result.confidence * bins))), []).append(result)
    table = []
    for number, some in sorted(shelves.items()):
        stated = sum(result.confidence for result in some) / len(some)
        right = sum(map(is_good, some)) / len(some)
        table.append(
            {"from": number / bins, "to": (number + 1) / bins, "number": len(some), "stated": stated, "right": right}
        )
    error = sum(row["number"] * abs(row["stated"] - row["right"]) for row in table) / len(usable) if usable else None
    return {"bins": table, "error": error}


def group_figures(results: Sequence[Result], key: str) -> dict[str, dict[str, Any]]:
    """Group → its main figures, for the groups that the lines have by `key`."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        for value in result.line.values(key):
            groups.setdefault(value, []).append(result)
    return {value: group_row(some) for value, some in sorted(groups.items())}


def group_row(results: Sequence[Result]) -> dict[str, Any]:
    """The main figures of some results in short."""
    errors = word_errors(results)
    rates = {
        name: {"hits": one.hits, "tried": one.tried, "rate": one.value}
        for name, one in main_rates(results).items()
        if one.tried
    }
    return {"utterances": len(results), "rates": rates, "words": errors.words, "word_error_rate": errors.rate}


def all_figures(results: Sequence[Result], by: Sequence[str] = ()) -> dict[str, Any]:
    """Everything that a report says, as plain values for JSON."""
    table = confusion(results)
    errors = word_errors(results)
    groups = {key: group_figures(results, key) for key in dict.fromkeys((*GROUPS, *by))}
    return {
        "utterances": len(results),
        "recordings": sum(result.line.audio is not None for result in results),
        "seconds": sum(result.seconds for result in results),
        "unusable": sum(result.error is not None for result in results),
        "rates": {name: rate_json(name, one) for name, one in main_rates(results).items() if one.tried},
        "outcomes": {
            kind: dict(Counter(r.outcome for r in results if r.line.kind == kind))
            for kind in sorted({r.line.kind for r in results})
        },
        "urgent": urgent_by_sign(results),
        "false_warnings": false_warnings(results),
        "ids": by_id(table),
        "confusion": table,
        "words": {
            "said": errors.words,
            "substituted": errors.substituted,
            "deleted": errors.deleted,
            "inserted": errors.inserted,
            "rate": errors.rate,
        },
        "latency_ms": latency(results),
        "calibration": calibration(results),
        "groups": {key: rows for key, rows in groups.items() if rows and (len(rows) > 1 or key in by)},
    }
