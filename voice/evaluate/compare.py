"""Two reports, utterance by utterance: what got better and what got worse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voice.errors import InputError
from voice.evaluate.report_text import percent
from voice.evaluate.result import GOODNESS


def read_report(path: Path) -> dict[str, Any]:
    """A report.json. Raises InputError when it isn't one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for one in data["utterances"]:
            GOODNESS[one["outcome"]], one["label"], one["kind"], one["name"]
        data["figures"]["rates"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no report of an evaluation: please name a report.json.", repr(error)) from error
    return dict(data)


def _by_identity(report: Mapping[str, Any]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Utterances by what makes two the same: name, words, label, and how many such came before. Line numbers and
    folders may differ.
    """
    seen: Counter[tuple[Any, ...]] = Counter()
    table = {}
    for one in report["utterances"]:
        same = (one["name"], one.get("text"), one["label"], one["kind"])
        table[(*same, seen[same])] = one
        seen[same] += 1
    return table


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`better`, `worse` and `other` (changed, neither better nor worse), gravest first; figures before and after; what
    only one of them has.
    """
    before, after = _by_identity(old), _by_identity(new)
    changes: dict[str, list[dict[str, Any]]] = {"better": [], "worse": [], "other": []}
    for identity, one in after.items():
        if (was := before.get(identity)) is None or was["outcome"] == one["outcome"]:
            continue
        step = GOODNESS[one["outcome"]] - GOODNESS[was["outcome"]]
        changes["better" if step > 0 else "worse" if step < 0 else "other"].append(
            {
                "name": one["name"],
                "text": one.get("text"),
                "label": one["label"],
                "kind": one["kind"],
                "before": was["outcome"],
                "after": one["outcome"],
                "step": step,
                "heard_before": (was.get("reply") or {}).get("transcript"),
                "heard_after": (one.get("reply") or {}).get("transcript"),
            }
        )
    for some in changes.values():
        some.sort(key=lambda change: (change["kind"] != "urgent", -abs(change["step"]), change["name"]))
    rates = {
        name: {"before": old["figures"]["rates"].get(name, {}).get("rate"), "after": row.get("rate")}
        for name, row in new["figures"]["rates"].items()
    }
    return {
        **changes,
        "compared": len(before.keys() & after.keys()),
        "only_before": len(before.keys() - after.keys()),
        "only_after": len(after.keys() - before.keys()),
        "rates": rates,
    }


def text(changes: Mapping[str, Any]) -> str:
    """For a screen reader."""
    return "\n".join(_lines(changes)) + "\n"


def _lines(changes: Mapping[str, Any]) -> Iterator[str]:
    yield "Comparison"
    yield f"utterances in both: {changes['compared']}"
    if changes["only_before"] or changes["only_after"]:
        yield f"only in the old report: {changes['only_before']}; only in the new one: {changes['only_after']}"
    yield f"better: {len(changes['better'])}"
    yield f"worse: {len(changes['worse'])}"
    yield f"different, neither better nor worse: {len(changes['other'])}"
    yield ""
    yield "Figures"
    for name, row in changes["rates"].items():
        if row["before"] != row["after"]:
            yield f"{name}: {percent(row['before'])} before, {percent(row['after'])} now"
        else:
            yield f"{name}: {percent(row['after'])} as before"
    for title in ("worse", "better", "other"):
        if changes[title]:
            yield ""
            yield title.capitalize()
            yield from _changes(changes[title])


def _changes(some: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for change in some:
        said = f": {change['text']}" if change["text"] and change["text"] != change["name"] else ""
        yield f"{change['name']}, {change['label']}, {change['before']} before, {change['after']} now{said}"
        if change["heard_before"] != change["heard_after"]:
            yield f"   heard before: {change['heard_before'] or 'no words'}; now: {change['heard_after'] or 'no words'}"
