"""Why something was understood as it was: for the author of a pack, not for the listener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from intents.heard import Heard
from intents.pack import Example
from intents.text import normalise, without_fillers
from intents.understand import Meaning, Understander
from intents.urgent import Sign, UrgentRules

LONGEST = 40
"""Words of an utterance that are left out one at a time."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A wording that is like what was said."""

    example: Example
    score: float
    """rapidfuzz likeness of the sorted words, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one utterance, for one pack."""

    pack: str
    named: bool
    """Whether the condition was named."""
    scores: tuple[tuple[str, float], ...]
    """Label and probability, best first."""
    words: tuple[tuple[str, float], ...]
    """Each word, with how much the best label's probability falls when it is left out; the most telling first."""
    nearest: tuple[Nearest, ...]
    signs: tuple[Sign, ...]
    """Danger rules that matched, also those that the words take back."""


def explain(
    understander: Understander, rules: UrgentRules, examples: Sequence[Sequence[Example]], text: str, most: int = 5
) -> tuple[Explanation, ...]:
    """One for each pack. `examples`: each pack's wordings, in the packs' order; `most`: scores and wordings named."""
    clean = without_fillers(normalise(text))
    if not clean:
        return ()
    words = clean.split()[:LONGEST]
    whole = understander.understand(Heard.from_text(clean)).meanings
    shorter = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))] if len(words) > 1 else []
    without = [understander.understand(Heard.from_text(rest)).meanings for rest in shorter]
    signs = rules.read(clean)
    return tuple(
        Explanation(
            meaning.pack,
            meaning.named,
            tuple(sorted(meaning.probabilities.items(), key=lambda pair: -pair[1])[:most]),
            _telling(words, meaning, [parts[number] for parts in without]),
            tuple(_nearest(clean, examples[number], most)),
            signs,
        )
        for number, meaning in enumerate(whole)
    )


def _telling(words: Sequence[str], whole: Meaning, without: Sequence[Meaning]) -> tuple[tuple[str, float], ...]:
    label, probability = max(whole.probabilities.items(), key=lambda pair: pair[1])
    falls = [
        (word, probability - part.probabilities.get(label, 0.0)) for word, part in zip(words, without, strict=False)
    ]
    return tuple(sorted(falls, key=lambda pair: -abs(pair[1])))


def _nearest(text: str, examples: Sequence[Example], most: int) -> list[Nearest]:
    found = process.extract(text, [example.text for example in examples], scorer=fuzz.token_sort_ratio, limit=most)
    return [Nearest(examples[index], float(score)) for _, score, index in found]
