"""The report as one page that needs nothing else: no script, no other file, every plot beside a table that says the
same.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.errors import BacktalkError
from voice.evaluate import plots, report_text
from voice.evaluate.figures import timings
from voice.evaluate.manifest import NOISE_LEVEL
from voice.evaluate.result import MEANING, Result
from voice.frame import SAMPLE_RATE

TEMPLATE = "report.html.j2"
LONGEST_S = 30.0
"""Seconds of a recording that the page carries."""
MOST_BYTES = 6_000_000
"""All recordings of a page together, as MP3; the rest is named by its path."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; the first cell of a row names it."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with the words that stand for it."""

    source: str
    """A data URI."""
    words: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it."""

    anchor: str
    title: str
    notes: Sequence[str] = ()
    plot: Plot | None = None
    tables: Sequence[Table] = ()


def page(
    results: Sequence[Result], figures: Mapping[str, Any], worst: Sequence[Result], header: Mapping[str, Any]
) -> str:
    """The whole page. Needs jinja2 and matplotlib."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("voice.evaluate", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        section for section in _sections(results, figures) if section.tables and any(t.rows for t in section.tables)
    ]
    return environment.get_template(TEMPLATE).render(
        header=header, figures=figures, sections=sections, worst=_worst(worst), meaning=MEANING
    )


def _plot(svg: str, words: str) -> Plot:
    return Plot("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode(), words)


def _sections(results: Sequence[Result], figures: Mapping[str, Any]) -> list[Section]:
    return [
        _main(figures),
        _urgent(figures),
        _noise(figures),
        _confusion(figures),
        _time(results, figures),
        _calibration(figures),
        _outcomes(figures),
        *(_group(key, rows) for key, rows in figures["groups"].items()),
    ]


def _percent(value: float | None) -> str:
    return "" if value is None else report_text.percent(value)


def _main(figures: Mapping[str, Any]) -> Section:
    rows = [
        (name, _percent(one["rate"]), f"{one['hits']} of {one['tried']}", *_bounds(one))
        for name, one in figures["rates"].items()
    ]
    notes = ["Each bound is exact, one-sided, with 95 % confidence, and takes the utterances as independent."]
    if figures["words"]["said"]:
        notes.append(f"Word error rate: {_percent(figures['words']['rate'])} of {figures['words']['said']} words.")
    headings = ("Figure", "Rate", "Number", "At least", "At most")
    return Section("main-figures", "Main figures", notes, None, [Table("Rates with their bounds", headings, rows)])


def _bounds(one: Mapping[str, Any]) -> tuple[str, str]:
    return _percent(one.get("at_least")), _percent(one.get("at_most"))


def _urgent(figures: Mapping[str, Any]) -> Section:
    rows = [
        (
            sign,
            _percent(row["recall"]),
            f"{row['found']} of {row['tried']}",
            _percent(row["at_least"]),
            *map(str, (row["wordings"], row["asked"], row["same_sign"])),
        )
        for sign, row in figures["urgent"].items()
    ]
    headings = ("Sign", "Found", "Number", "At least", "Different wordings", "Asked about", "Exactly this sign")
    return Section(
        "danger-signs",
        "Danger signs and false warnings",
        [f"False warnings {line}." for line in report_text.false_warning_lines(figures)],
        None,
        [Table("Danger signs found", headings, rows)],
    )


def by_noise(groups: Mapping[str, Any]) -> dict[str, Any]:
    """No noise first, then each noise from quiet to loud."""

    def order(name: str) -> tuple[bool, str, float]:
        level = re.search(r" at (-?[\d.]+) dB$", name)
        return (
            name not in ("no noise", "text"),
            name[: level.start()] if level else name,
            -float(level[1]) if level else 0.0,
        )

    return {name: groups[name] for name in sorted(groups, key=order)}


def _noise(figures: Mapping[str, Any]) -> Section:
    groups = by_noise(figures["groups"].get(NOISE_LEVEL, {}))
    rows = [
        (
            name,
            *(_rate_cell(row, rate) for rate, _, _ in plots.NOISE_BARS),
            _percent(row["word_error_rate"]),
        )
        for name, row in groups.items()
    ]
    headings = ("Noise", *(rate.capitalize() for rate, _, _ in plots.NOISE_BARS), "Word error rate")
    words = "Bars of questions right and danger signs found for each noise; the table below has the same figures."
    plot = _plot(plots.against_noise(groups), words) if groups else None
    return Section(
        "noise", "Accuracy against noise", (), plot, [Table("Accuracy by noise and its level", headings, rows)]
    )


def _rate_cell(row: Mapping[str, Any], name: str) -> str:
    one = row["rates"].get(name)
    return f"{report_text.percent(one['rate'])} of {one['tried']}" if one else ""


def _confusion(figures: Mapping[str, Any]) -> Section:
    table = figures["confusion"]
    rows = [
        (
            label,
            str(row["tried"]),
            _percent(row["recall"]),
            _percent(row["precision"]),
            report_text.mistakes(table[label], label, number=100),
        )
        for label, row in figures["ids"].items()
    ]
    words = (
        "Confusion matrix: right ids in rows, ids given in columns, darker for a greater share of the row; "
        "the table below has every number."
    )
    headings = ("Right id", "Tried", "Recall", "Precision", "Taken for, with how often")
    plot = _plot(plots.confusion(table), words) if table else None
    return Section("confusion", "Which id was taken for which", (), plot, [Table("Confusion by id", headings, rows)])


def _time(results: Sequence[Result], figures: Mapping[str, Any]) -> Section:
    rows = [
        (
            title.capitalize(),
            *(report_text.milliseconds(row[key]) for key in ("median", "p95", "greatest")),
            str(row["number"]),
        )
        for name, title in report_text.TIMES.items()
        if (row := figures["latency_ms"][name])["number"]
    ]
    heard = [result for result in results if result.line.audio]
    times = timings(heard, "recognize", "understand", "first_audio") or timings(heard, "recognize", "understand")
    words = "Share of replies against the time that they took; the table below has median and 95th percentile."
    plot = _plot(plots.latency(times), words) if times else None
    headings = ("Time", "Median", "95th percentile", "Greatest", "Number")
    return Section("time", "Time from end of speech to reply", (), plot, [Table("Times", headings, rows)])


def _calibration(figures: Mapping[str, Any]) -> Section:
    bins = figures["calibration"]["bins"]
    rows = [
        (f"{one['from']:.1f} to {one['to']:.1f}", f"{one['stated']:.2f}", _percent(one["right"]), str(one["number"]))
        for one in bins
    ]
    notes = [f"Expected calibration error: {figures['calibration']['error']:.3f}."] if bins else []
    words = "Share of right replies against the confidence stated; the table below has the figures."
    plot = _plot(plots.calibration(bins), words) if bins else None
    headings = ("Confidence stated", "On average", "Right", "Number")
    return Section(
        "confidence", "Confidence", notes, plot, [Table("How often replies were right, by confidence", headings, rows)]
    )


def _outcomes(figures: Mapping[str, Any]) -> Section:
    rows = [
        (f"{kind}, {outcome}", MEANING[outcome], str(row[outcome]))
        for kind, row in figures["outcomes"].items()
        for outcome in MEANING
        if outcome in row
    ]
    return Section(
        "outcomes", "Outcomes", (), None, [Table("Outcomes by kind", ("Outcome", "Meaning", "Number"), rows)]
    )


def _group(key: str, groups: Mapping[str, Any]) -> Section:
    cells = {value: report_text.group_cells(row) for value, row in groups.items()}
    columns = list(dict.fromkeys(name for row in cells.values() for name in row))
    rows = [
        (value, str(groups[value]["utterances"]), *(row.get(name, "") for name in columns))
        for value, row in cells.items()
    ]
    headings = (key.capitalize(), "Utterances", *(name.capitalize() for name in columns))
    anchor = "by-" + re.sub(r"\W+", "-", key).strip("-")
    return Section(anchor, f"By {key}", (), None, [Table(f"Figures by {key}", headings, rows)])


def _worst(worst: Sequence[Result]) -> list[dict[str, Any]]:
    left = MOST_BYTES
    entries = []
    for result in worst:
        sound = mp3(result.line.audio) if result.line.audio else None
        if sound is not None and len(sound) > left:
            sound = None
        left -= len(sound or b"")
        source = "data:audio/mpeg;base64," + base64.b64encode(sound).decode() if sound else None
        entries.append({"result": result, "came": report_text.what_came(result), "sound": source})
    return entries


def mp3(path: Path) -> bytes | None:
    """The recording, small enough to be carried in a page and playable in every browser; None when it can't be read."""
    import soundfile

    from voice.audio import read_audio

    try:
        samples = read_audio(path)[: int(LONGEST_S * SAMPLE_RATE)]
    except BacktalkError:
        return None
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III")
    except (soundfile.LibsndfileError, ValueError):
        return None  # a libsndfile without MP3: the page names the file instead
    return buffer.getvalue()
