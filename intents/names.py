"""Whether a pack's condition was named, also when it was misheard or mispronounced."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import fuzz

from intents.pack import Pack
from intents.text import normalise

CLOSE = 87.0
"""rapidfuzz partial ratio from which a stretch of the text is a name: "facet hypertropy" is, "faucet" alone isn't."""


@lru_cache(maxsize=32)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(normalise(name) for name in names)


def named(pack: Pack, text: str) -> bool:
    """True when the normalised text names the pack's condition."""
    return any(
        f" {name} " in f" {text} "
        or (len(name) > 9 and len(text) >= len(name) and fuzz.partial_ratio(name, text) >= CLOSE)
        for name in _names(tuple(pack.about.names))
    )
