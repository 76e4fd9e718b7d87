"""From lines to results: what is known is taken from the journal, the rest is answered, with progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voice.evaluate.answer import Maker, Reply
from voice.evaluate.engines import Engine, local
from voice.evaluate.journal import Journal, key
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result

Told = Callable[[int, int], None]
"""Told how many lines of how many are done."""


def evaluate(
    lines: Sequence[Line],
    maker: Maker,
    journal: Journal,
    *,
    jobs: int = 1,
    engine: Engine = local,
    address: str | None = None,
    told: Told = lambda done, total: None,
) -> list[Result]:
    """A result for each line, in their order, whatever the engine and the number of jobs.

    Raises BacktalkError for what would fail every line; what was answered until then, or until KeyboardInterrupt, is in
    the journal.
    """
    fingerprint = maker.fingerprint()
    keys = {line.number: key(line, fingerprint) for line in lines}
    replies: dict[int, tuple[Reply, float]] = {}
    for line in lines:
        if (known := journal.known(keys[line.number])) is not None:
            replies[line.number] = known
    todo = [line for line in lines if line.number not in replies]
    told(len(replies), len(lines))
    for line, reply, seconds in engine(maker, todo, min(jobs, len(todo)), address) if todo else ():
        replies[line.number] = (reply, seconds)
        journal.keep(keys[line.number], reply, seconds)
        told(len(replies), len(lines))
    return [Result(line, *replies[line.number]) for line in lines]
