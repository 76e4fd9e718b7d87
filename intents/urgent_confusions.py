"""Mishearings learned from decoded sound, to be merged with those written in a rule file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from intents.urgent_parse import plain
from intents.urgent_schema import ConfusionTable, UrgentRulesError


def read_confusions(path: Path) -> list[tuple[str, str, float]]:
    """Lines `said<TAB>heard<TAB>weight`; weight from 0 to 1. Raises UrgentRulesError with the line's number."""
    found: list[tuple[str, str, float]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UrgentRulesError(path, "file", f"can't be read ({error})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        try:
            said, heard, weight = fields[0], fields[1], float(fields[2])
        except (IndexError, ValueError) as error:
            raise UrgentRulesError(path, f"line {number}", "is not said, heard and weight, divided by tabs") from error
        if not (plain(said) and plain(heard) and 0 < weight <= 1):
            raise UrgentRulesError(path, f"line {number}", "needs words and a weight above 0 and at most 1")
        found.append((plain(said), plain(heard), weight))
    return found


def learned(
    tables: Sequence[tuple[Path, ConfusionTable]], confusions: Iterable[tuple[str, str, float]]
) -> list[tuple[Path, ConfusionTable]]:
    """Learned mishearings in the contexts that were written for the same word; words without a context are left out."""
    return [
        (path, table.model_copy(update={"heard": [heard], "weight": min(weight, table.weight)}))
        for said, heard, weight in confusions
        for path, table in tables
        if plain(table.said) == said and heard not in {plain(known) for known in table.heard}
    ]
