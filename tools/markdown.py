"""Tables of figures for the pages in docs/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = False) -> str:
    """A Markdown table; with `figures` all columns but the first are set to the right."""
    align = ["---", *("---:" if figures else "---" for _ in head[1:])]
    return "\n".join(
        f"| {' | '.join(row)} |" for row in [head, align, *([_cell(text) for text in row] for row in rows)]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
