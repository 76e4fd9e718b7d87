"""Tables and plots of docs/understanding.md from the figures that tools.understanding_figures measured. Pure but for `write_pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.markdown import table
from voice.evaluate.bounds import at_least, at_most
from voice.evaluate.plots import BLUE, ORANGE, calibration, svg

Figures = Mapping[str, Sequence[int]]
TITLES = {
    "right": "questions right first time",
    "right_or_offered": "right, or asked back with the right one",
    "wrong": "questions answered wrong",
    "found": "danger signs found",
    "found_or_asked": "danger signs found or asked about",
    "false_counter": "warned: danger words without danger",
    "false_other": "warned: all others",
    "oos_answered": "out of scope answered",
    "illness_answered": "other illness answered",
    "commands": "commands carried out",
}
TOO = {"answered_too": "the question answered too"}
ABLATED = ("right", "wrong", "found", "found_or_asked", "false_counter", "oos_answered", "illness_answered")
SPOKEN = ("right", "right_or_offered", "wrong", "found", "found_or_asked", "false_counter", "false_other", "oos_answered")  # fmt: skip
TARGETS: dict[str, tuple[float, float, float]] = {
    "right": (95, 92, 85),
    "right_or_offered": (98, 96, 92),
    "wrong": (2, 3, 4),
    "oos_answered": (3, 3, 3),
    "illness_answered": (1, 2, 2),
    "commands": (98, 96, 92),
}
"""The project's targets in percent: on true text, spoken in a clean room, spoken in a kitchen at 12 dB."""
AT_MOST = ("wrong", "oos_answered", "illness_answered")


def percent(pair: Sequence[int] | None) -> str:
    """[hits, tried] → "93.1 %"."""
    return f"{100 * pair[0] / pair[1]:.1f} %" if pair and pair[1] else "none tried"


def of(pair: Sequence[int] | None) -> str:
    return f"{percent(pair)} ({pair[0]} of {pair[1]})" if pair and pair[1] else "none tried"


def curve_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each number of writers."""
    head = (
        "writers",
        "wordings",
        "encoder trained: likeliest label right",
        "questions right first time",
        "answered wrong",
        "danger signs, likeliest label",
        "danger signs found",
        "encoder as published: likeliest label right",
        "questions right first time",
    )
    cells = []
    for row in rows:
        trained, plain = row["trained"], row["published"]
        cells.append(
            (
                f"{row['writers']}{' (shipped)' if row.get('shipped') else ''}",
                str(row["wordings"]),
                percent(trained["argmax"]["right"]),
                percent(trained["conversation"]["right"]),
                percent(trained["conversation"]["wrong"]),
                percent(trained["argmax"]["found"]),
                percent(trained["conversation"]["found"]),
                percent(plain["argmax"]["right"]),
                percent(plain["conversation"]["right"]),
            )
        )
    return table(head, cells, figures=True)


def curve_plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Number of writers, each doubling as wide as the one before → percent."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    sizes = [row["writers"] for row in rows]
    series = (
        ("trained", "argmax", "right", BLUE, "-", "o", "questions: likeliest label, encoder trained"),
        ("trained", "conversation", "right", BLUE, ":", "s", "questions: right first time, encoder trained"),
        ("published", "argmax", "right", "#555555", "--", "^", "questions: likeliest label, encoder as published"),
        ("trained", "conversation", "found", ORANGE, "-.", "D", "danger signs found, encoder trained, with rules"),
        ("trained", "argmax", "found", ORANGE, "-", "x", "danger signs: likeliest label, encoder trained"),
    )
    for kind, way, key, colour, style, mark, label in series:
        pairs = [row[kind][way][key] for row in rows]
        axes.plot(sizes, [100 * hit / tried for hit, tried in pairs], style, color=colour, marker=mark, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel("writers learned from")
    axes.set_ylabel("percent, on writers never met")
    axes.set_ylim(0, 100)
    axes.grid(axis="y", color="#dddddd")
    axes.legend(fontsize=7, loc="lower right")
    return svg(figure)


ABLATION_ORDER = (
    "Backtalk as shipped",
    "without clauses",
    "without n-grams",
    "without rules for danger",
    "rules that need no consent",
    "danger by rules alone",
    "shipped encoder and head, likeliest label",
    "published encoder, head of ours",
    "published encoder, head of ours, likeliest label",
)


def rows_table(first: str, rows: Mapping[str, Figures], keys: Sequence[str]) -> str:
    return table(
        (first, *({**TITLES, **TOO}[key] for key in keys)),
        [(name, *(percent(row.get(key)) if key in row else "" for key in keys)) for name, row in rows.items()],
        figures=True,
    )


def target_table(columns: Mapping[str, Figures]) -> str:
    """Target, measured, what is missing and the 95 % bound, for true text, clean room and kitchen."""
    rows = []
    for key, targets in TARGETS.items():
        for number, (place, figures) in enumerate(columns.items()):
            pair, target = figures[key], targets[number]
            if not pair[1]:
                continue
            most = key in AT_MOST
            word, value = "at most" if most else "at least", 100 * pair[0] / pair[1]
            missed = value - target if most else target - value
            bound = (at_most if most else at_least)(pair[0], pair[1])
            sure = "" if bound is None else f"{word} {100 * bound:.1f} %"
            verdict = "met" if missed <= 0 else f"missed by {missed:.1f}"
            rows.append((TITLES[key], place, f"{word} {target} %", of(pair), sure, verdict))
    return table(("", "where", "target", "measured", "true rate, 95 % sure", "verdict (points)"), rows, figures=True)


def calibration_table(bins: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ("confidence", "replies", "mean confidence", "right"),
        [
            (f"{row['from']:.1f} to {row['to']:.1f}", str(row["number"]), f"{row['stated']:.2f}", f"{row['right']:.2f}")
            for row in bins
        ],
        figures=True,
    )


def blocks(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name of a generated part of the page → its text, for all that was measured."""
    if curve := data.get("curve"):
        yield "curve", curve_table(curve)
    if ablation := data.get("ablation"):
        rows = dict(ablation)
        for row in curve or ():
            if row.get("shipped"):
                rows["published encoder, head of ours"] = row["published"]["conversation"]
                rows["published encoder, head of ours, likeliest label"] = row["published"]["argmax"]
        yield (
            "ablation",
            rows_table("on true text", {name: rows[name] for name in ABLATION_ORDER if name in rows}, ABLATED),
        )
    if breath := data.get("breath"):
        yield "breath", rows_table("in one breath", breath, ("found", "found_or_asked", "answered_too"))
    if by_writer := data.get("by_writer"):
        yield "by_writer", rows_table("writer", by_writer, tuple(TITLES))
    if readings := data.get("readings"):
        yield "spoken", rows_table("all test recordings", readings["spoken"], SPOKEN)
        yield "conditions", rows_table("condition", readings["conditions"], SPOKEN)
    for name, one in data.get("calibration", {}).items():
        text = calibration_table(one["bins"])
        yield (
            f"calibration {name}",
            f"{text}\n\nExpected calibration error {one['error']:.3f}, {one['utterances']} utterances.",
        )
    if by_writer and readings:
        places = readings["conditions"]
        total = {key: [sum(row[key][i] for row in by_writer.values()) for i in (0, 1)] for key in TITLES}
        spoken = {"clean": "spoken, clean", "kitchen_12db": "spoken, kitchen at 12 dB"}
        columns = {"true text": total, **{name: places[key] for key, name in spoken.items() if key in places}}
        if len(columns) == 3:
            yield "targets", target_table(columns)
    if peers := data.get("peers"):
        yield "peers", str(peers).strip()


def filled(page: str, parts: Mapping[str, str]) -> str:
    """The page with every generated part between its marks anew. Raises ValueError when a part has no place."""
    for name, text in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise ValueError(f"the page has no place for {name}")
        page = f"{page[: page.index(begin)]}{begin}\n{text}\n{page[page.index(end) :]}"
    return page


def write_pages(data: Mapping[str, Any], docs: Path) -> None:
    """Fills docs/understanding.md and writes the plots beside it. Raises ValueError, OSError."""
    page = docs / "understanding.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), dict(blocks(data))), encoding="utf-8")
    images = docs / "images"
    images.mkdir(exist_ok=True)
    if data.get("curve"):
        (images / "learning_curve.svg").write_text(curve_plot(data["curve"]), encoding="utf-8")
    for name, one in data.get("calibration", {}).items():
        (images / f"calibration_{name}.svg").write_text(calibration(one["bins"]), encoding="utf-8")
