"""The report as short lines that read well aloud: "name: value", nothing drawn, no colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voice.evaluate.result import MEANING, Result


def percent(value: float | None) -> str:
    """A share, 0 to 1, for people."""
    return "unknown" if value is None else f"{100 * value:.1f} %"


def milliseconds(value: float | None) -> str:
    """A time for people; one decimal below 10 ms."""
    return "unknown" if value is None else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def rate_line(name: str, one: Mapping[str, Any]) -> str:
    """ "questions right: 92.0 %, 46 of 50, at least 82.6 %"."""
    parts = [percent(one["rate"]), f"{one['hits']} of {one['tried']}"]
    if one.get("at_least") is not None:
        parts.append(f"at least {percent(one['at_least'])}")
    if one.get("at_most") is not None:
        parts.append(f"at most {percent(one['at_most'])}")
    return f"{name}: {', '.join(parts)}"


def report(figures: Mapping[str, Any], worst: Sequence[Result], header: Mapping[str, Any]) -> str:
    """The whole report. `header`: what was run, name → value."""
    sections = (
        ("Evaluation", _header(figures, header)),
        ("Main figures", _main(figures)),
        ("Danger signs", _urgent(figures)),
        ("False warnings", false_warning_lines(figures)),
        ("Outcomes", _outcomes(figures)),
        ("Ids", _ids(figures)),
        ("Words", _words(figures)),
        ("Time", _time(figures)),
        ("Confidence", _calibration(figures)),
        *((f"By {key}", _group(rows)) for key, rows in figures["groups"].items()),
        (f"The {len(worst)} worst", _worst(worst)),
    )
    parts = [f"{title}\n" + "\n".join(lines) for title, rows in sections if (lines := list(rows))]
    return "\n\n".join(parts) + "\n"


def _header(figures: Mapping[str, Any], header: Mapping[str, Any]) -> Iterator[str]:
    for name, value in header.items():
        yield f"{name}: {value}"
    yield f"utterances: {figures['utterances']}, of these recordings: {figures['recordings']}"
    if figures["recordings"]:
        yield f"length of the recordings: {figures['seconds'] / 60:.1f} minutes"
    if figures["unusable"]:
        yield f"inputs that could not be used, in no figure: {figures['unusable']}"


def _main(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["rates"]:
        yield "Each bound is exact, one-sided, with 95 % confidence, and takes the utterances as independent."
    for name, one in figures["rates"].items():
        yield rate_line(name, one)


def _urgent(figures: Mapping[str, Any]) -> Iterator[str]:
    for sign, row in figures["urgent"].items():
        found = f"{percent(row['recall'])}, {row['found']} of {row['tried']}, at least {percent(row['at_least'])}"
        more = f"different wordings {row['wordings']}; asked about {row['asked']}; exactly this sign {row['same_sign']}"
        yield f"{sign}: found {found}; {more}"


def false_warning_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """False warnings by utterance and by hour."""
    row = figures["false_warnings"]
    if not row["utterances"]:
        return
    share, bound = percent(row["rate"]), percent(row["at_most"])
    yield f"by utterance: {share}, {row['warnings']} of {row['utterances']}, at most {bound}"
    if row["hours"]:
        yield (
            f"by hour of recording: {row['per_hour']:.2f}, {row['warnings_in_recordings']} in {row['hours']:.2f} hours"
            f", at most {row['per_hour_at_most']:.2f}"
        )


def _outcomes(figures: Mapping[str, Any]) -> Iterator[str]:
    for kind, row in figures["outcomes"].items():
        for outcome in MEANING:
            if outcome in row:
                yield f"{kind}, {outcome} ({MEANING[outcome]}): {row[outcome]}"


def mistakes(row: Mapping[str, int], label: str, number: int = 3) -> str:
    """The most frequent wrong ids of a row of the confusion, in words."""
    wrong = [f"{given} {count}" for given, count in row.items() if given != label][:number]
    return ", ".join(wrong) or "none"


def _ids(figures: Mapping[str, Any]) -> Iterator[str]:
    for label, row in figures["ids"].items():
        recall, precision = percent(row["recall"]), percent(row["precision"])
        taken = mistakes(figures["confusion"][label], label)
        yield f"{label}: recall {recall} of {row['tried']}, precision {precision} of {row['given']}; taken for: {taken}"


def _words(figures: Mapping[str, Any]) -> Iterator[str]:
    row = figures["words"]
    if row["said"]:
        yield f"word error rate: {percent(row['rate'])} of {row['said']} words"
        yield f"substituted {row['substituted']}, lost {row['deleted']}, invented {row['inserted']}"


TIMES = {
    "recognize": "from the last sample of speech to its text",
    "understand": "from the text to the reply's text",
    "first_audio": "from there to the reply's first sound",
    "text": "from the last sample of speech to the reply's text",
    "reply": "from the last sample of speech to the reply's first sound",
}


def _time(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, title in TIMES.items():
        row = figures["latency_ms"][name]
        if row["number"]:
            median, p95, greatest = (milliseconds(row[one]) for one in ("median", "p95", "greatest"))
            yield f"{title}: median {median}, 95th percentile {p95}, greatest {greatest}, of {row['number']}"


def _calibration(figures: Mapping[str, Any]) -> Iterator[str]:
    for row in figures["calibration"]["bins"]:
        stated = f"stated {row['from']:.1f} to {row['to']:.1f}, on average {row['stated']:.2f}"
        yield f"{stated}: right {percent(row['right'])} of {row['number']}"
    if figures["calibration"]["error"] is not None:
        yield f"expected calibration error: {figures['calibration']['error']:.3f}"


_SHORT = {
    "questions right": "questions right",
    "questions right or asked back with the right one": "right or asked back",
    "questions wrong": "wrong",
    "danger signs found": "danger signs found",
    "provider soon found": "provider soon found",
    "false warnings, all without a sign": "false warnings",
    "out of scope answered": "out of scope answered",
    "commands carried out": "commands",
}
"""Rate → its name in a group."""


def group_cells(row: Mapping[str, Any]) -> dict[str, str]:
    """Figures of one group in short: name → value."""
    cells = {
        short: f"{percent(one['rate'])} of {one['tried']}"
        for name, short in _SHORT.items()
        if (one := row["rates"].get(name))
    }
    if row["word_error_rate"] is not None:
        cells["word errors"] = f"{percent(row['word_error_rate'])} of {row['words']}"
    return cells


def _group(rows: Mapping[str, Any]) -> Iterator[str]:
    for value, row in rows.items():
        cells = "".join(f"; {name} {cell}" for name, cell in group_cells(row).items())
        yield f"{value}: utterances {row['utterances']}{cells}"


def what_came(result: Result) -> str:
    """The reply in a few words: "answered causes with confidence 0.93"."""
    reply = result.reply
    if reply.get("crash"):
        return f"none, the program failed with {reply['crash']}"
    action = reply.get("action")
    # The thing that matters comes first: whom a warning was for, what was offered, what was answered.
    parts = [str(action)]
    if reply.get("urgent"):
        parts.append(f"signs {' and '.join(reply['urgent'])}")
    if reply.get("intent"):
        parts.append(str(reply["intent"]))
    if reply.get("choices"):
        parts.append(f"between {' and '.join(reply['choices'])}")
    return f"{' '.join(parts)}, confidence {result.confidence:.2f}"


def _worst(worst: Sequence[Result]) -> Iterator[str]:
    for number, result in enumerate(worst, start=1):
        line = result.line
        yield f"{number}. {result.outcome}: {line.name}, line {line.number}, is {line.label}"
        if line.text:
            yield f"   said: {line.text}"
        if line.audio:
            yield f"   heard: {result.transcript or 'no words'}"
        yield f"   reply: {what_came(result)}"
        if line.audio:
            yield f"   recording: {line.audio}"
