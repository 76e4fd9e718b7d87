"""The capacity curve as an SVG picture, with the same figures as text in it for who can't see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 30, 50, 60
MOST_S = 2.0
"""Top of the axis: what is slower is drawn at the edge and told in the text."""
LINES = (
    ("backtalk", "sound_s", "p95", "#b71c1c", "", "Backtalk, first sound of the reply, 95 of 100"),
    ("backtalk", "sound_s", "median", "#b71c1c", "6 4", "Backtalk, first sound of the reply, median"),
    ("vosk-server", "text_s", "p95", "#0d47a1", "", "vosk-server's way, text only, 95 of 100"),
    ("vosk-server, connection kept", "text_s", "p95", "#00695c", "2 4", "the same with its connection kept, 95 of 100"),
)
"""Side, time, statistic, colour, dashes, name."""


def draw(found: Mapping[str, Any]) -> str:
    """The figures of benchmarks.capacity → SVG text."""
    rows = {side: [row for row in rows if row["listeners"]] for side, rows in found["sides"].items()}
    most: int = max(row["listeners"] for some in rows.values() for row in some)

    def x(listeners: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * listeners / most, 1)

    def y(seconds: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(seconds, MOST_S) / MOST_S, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d" '
        'font-family="sans-serif" font-size="12">',
        '<title id="t">Seconds from the end of speech, by how many people speak at once</title>',
        f'<desc id="d">{escape(told(found))}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for second in (0.0, 0.5, 1.0, 1.5, 2.0):
        colour = "#2e7d32" if second == 1.0 else "#cfd8dc"
        parts.append(f'<line x1="{LEFT}" y1="{y(second)}" x2="{WIDTH - RIGHT}" y2="{y(second)}" stroke="{colour}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(second) + 4}" text-anchor="end" fill="#222">{second:g} s</text>')
    for listeners in sorted({row["listeners"] for some in rows.values() for row in some}):
        middle = f'x="{x(listeners)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle"'
        parts.append(f'<text {middle} fill="#222">{listeners}</text>')
    parts.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 18}" text-anchor="middle" fill="#222">people who speak at once</text>'
    )
    for number, (side, time, statistic, colour, dashes, name) in enumerate(LINES):
        points = [(row["listeners"], row[time][statistic]) for row in rows.get(side, []) if row[time]]
        path = " ".join(f"{x(listeners)},{y(seconds)}" for listeners, seconds in points)
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x(at)}" cy="{y(seconds)}" r="3" fill="{colour}"/>' for at, seconds in points]
        down = 16 + 15 * (number % 2)
        across = LEFT + (WIDTH - LEFT) // 2 * (number // 2)
        parts.append(
            f'<line x1="{across}" y1="{down - 4}" x2="{across + 24}" y2="{down - 4}" stroke="{colour}" stroke-width="2"{dash}/>'
        )
        parts.append(f'<text x="{across + 30}" y="{down}" fill="#222">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def told(found: Mapping[str, Any]) -> str:
    """The curve in words."""
    return " ".join(
        f"{name}: "
        + ", ".join(f"{row['listeners']} speaking: {row[time][statistic]:.2f} s" for row in rows if row[time])
        + "."
        for side, time, statistic, _, _, name in LINES
        if (rows := _rows(found, side))
    )


def _rows(found: Mapping[str, Any], side: str) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = found["sides"].get(side, [])
    return rows
