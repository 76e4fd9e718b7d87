"""Exact one-sided 95 % bounds: how sure a rate is for the number tried."""

from __future__ import annotations

from typing import Any

LEVEL = 0.95


def at_least(hits: int, tried: int) -> float | None:
    """Lower bound of a rate (Clopper & Pearson 1934): no lower with 95 % confidence. None when nothing was tried."""
    return _bound(hits, tried, "greater")


def at_most(hits: int, tried: int) -> float | None:
    """Upper bound of a rate (Clopper & Pearson 1934). None when nothing was tried."""
    return _bound(hits, tried, "less")


def _bound(hits: int, tried: int, alternative: str) -> float | None:
    if not tried:
        return None
    from scipy.stats import binomtest

    interval: Any = binomtest(hits, tried, alternative=alternative).proportion_ci(LEVEL, method="exact")
    return float(interval.low if alternative == "greater" else interval.high)


def at_most_an_hour(events: int, hours: float) -> float | None:
    """Upper bound of events an hour when `events` happened in `hours` (exact Poisson, Garwood 1936). None without any
    hours.
    """
    if hours <= 0:
        return None
    from scipy.stats import chi2

    return float(chi2.ppf(LEVEL, 2 * (events + 1)) / 2 / hours)
