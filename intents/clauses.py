"""One breath, several things: where a long utterance may be cut so that each part is understood by itself."""

from __future__ import annotations

JOINTS = frozenset(
    ["and", "but", "so", "because", "cos", "also", "then", "plus", "since", "while", "although", "though", "or"]
)
"""Words that begin a new clause."""
SHORTEST = 2
"""Words; a shorter part means nothing alone."""
MOST = 10
"""Parts looked at, from the end of the utterance."""


def clauses(text: str) -> tuple[str, ...]:
    """The parts of a normalised text between joints, in order; empty when it is one part."""
    parts: list[list[str]] = [[]]
    for word in text.split():
        if word in JOINTS and len(parts[-1]) >= SHORTEST:
            parts.append([])
        elif word in JOINTS and not parts[-1]:
            continue
        parts[-1].append(word)
    if len(parts) > 1 and len(parts[-1]) < SHORTEST + 1:
        last = parts.pop()
        parts[-1] += last
    found = [" ".join(part) for part in parts if part]
    return tuple(found[-MOST:]) if len(found) > 1 else ()
