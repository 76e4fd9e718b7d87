"""Plots of a report as SVG. Each says nothing that a table beside it doesn't say too."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voice.evaluate.figures import quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0b4f8a", "#b34700"
"""Both far from white and from each other, for eyes that see colours otherwise (Okabe & Ito 2008, darkened)."""


def svg(figure: Figure) -> str:
    """The same figure gives the same text: no date, no random names."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "backtalk", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # not pyplot: it keeps every figure and looks for a screen

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def confusion(table: Mapping[str, Mapping[str, int]]) -> str:
    """Rows: the right id; columns: the id given; darkness: the share of the row. Numbers stand in the cells."""
    import numpy as np

    rows = list(table)
    columns = [*rows, *sorted({given for row in table.values() for given in row} - set(rows))]
    counts = np.array([[table[row].get(column, 0) for column in columns] for row in rows])
    shares = counts / counts.sum(axis=1, keepdims=True)
    size = 0.32 * len(columns) + 2
    figure, axes = _axes(size, 0.28 * len(rows) + 2)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xlabel("id given")
    axes.set_ylabel("right id")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=6, color=colour)
    return svg(figure)


NOISE_BARS = (("questions right", BLUE, ""), ("danger signs found", ORANGE, "//"))
"""Rate, colour and pattern."""


def against_noise(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Noise and its level → shares of questions right and danger signs found, as bars: two noises have nothing between
    them.
    """
    names = list(groups)[::-1]
    figure, axes = _axes(7, 0.5 * len(names) + 1.5)
    for number, (rate, colour, pattern) in enumerate(NOISE_BARS):
        known = [(place, row) for place, name in enumerate(names) if (row := groups[name]["rates"].get(rate))]
        places, values = [place - 0.38 * number + 0.19 for place, _ in known], [100 * row["rate"] for _, row in known]
        axes.barh(places, values, 0.36, color=colour, hatch=pattern, edgecolor="white", label=rate)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("percent")
    axes.set_xlim(0, 100)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return svg(figure)


def latency(times_ms: Sequence[float]) -> str:
    """Milliseconds → the share of replies that came within that time."""
    figure, axes = _axes(6, 3.5)
    ordered = sorted(times_ms)
    axes.plot(ordered, [100 * (place + 1) / len(ordered) for place in range(len(ordered))], color=BLUE)
    for share, line, name in ((0.5, "--", "median"), (0.95, ":", "95th percentile")):
        axes.axvline(quantile(ordered, share) or 0.0, color=ORANGE, linestyle=line, label=name)
    axes.set_xlim(left=0)
    axes.set_ylim(0, 100)
    axes.set_xlabel("milliseconds from the last sample of speech")
    axes.set_ylabel("percent of replies")
    axes.legend(loc="lower right", fontsize=8)
    return svg(figure)


def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    """Stated confidence → share of replies that were right; the dashed line is where both are the same."""
    figure, axes = _axes(4.5, 4.5)
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="as it should be")
    stated, right = [one["stated"] for one in bins], [one["right"] for one in bins]
    axes.plot(stated, right, color=BLUE, marker="o", label="Backtalk")
    for one in bins:
        axes.annotate(
            str(one["number"]), (one["stated"], one["right"]), (4, -10), textcoords="offset points", fontsize=7
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("confidence stated")
    axes.set_ylabel("share right")
    axes.legend(loc="upper left", fontsize=8)
    return svg(figure)
