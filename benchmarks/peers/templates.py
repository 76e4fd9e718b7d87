"""Peers that match templates or keywords. They expect a person to write those; here they are made from the wordings by rule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.peers.corpus import by_label
from benchmarks.peers.peer import Guess, Pair, need

FUNCTION_WORDS = frozenset(
    """
    a about all am an and any are as at be been being but by can could did do does doing for from get had has have he her him his how i i'm i've if
    in into is it it's its just like me my no not of off on or our out really so some than that that's the their them then there these they this
    those to too up us was we were what what's when where which who why will with would you your
    """.split()  # noqa: SIM905
)
"""May be left out of a hassil template."""
HESITATIONS = ("um", "uh", "er", "well", "so", "please", "okay", "hello", "excuse me", "sorry", "you know", "tell me")
"""hassil's skip_words: ignored wherever they stand."""
KEYWORDS = 150
"""Terms of one to three words that are registered with Adapt for each id."""


class Hassil:
    """Each wording is a sentence template in which function words are optional, if two other words remain; the first match counts."""

    def __init__(self) -> None:
        self._hassil = need("hassil", "install the extra peers")

    def train(self, pairs: Sequence[Pair]) -> None:
        from hassil.intents import Intents

        self._intents = Intents.from_dict(
            {
                "language": "en",
                "intents": {
                    name: {"data": [{"sentences": [template(text) for text in texts]}]}
                    for name, texts in by_label(pairs).items()
                },
                "skip_words": list(HESITATIONS),
            }
        )

    def predict(self, text: str) -> Guess:
        found = self._hassil.recognize(text, self._intents) if text else None
        return (None, 0.0) if found is None else (found.intent.name, 1.0)


def template(text: str) -> str:
    """A hassil template from a wording: "what is a facet joint" → "[what] [is] [a] facet joint"."""
    words = text.split()
    if sum(word not in FUNCTION_WORDS for word in words) < 2:
        return text
    return " ".join(f"[{word}]" if word in FUNCTION_WORDS else word for word in words)


class Padacioso:
    """Each wording is an example as it is; exact matching, the default. With `fuzz` also its approximate one."""

    def __init__(self, fuzz: bool = False) -> None:
        self._module = need("padacioso", "install the extra peers")
        self._fuzz = fuzz

    def train(self, pairs: Sequence[Pair]) -> None:
        self._container = self._module.IntentContainer(fuzz=self._fuzz)
        for name, texts in by_label(pairs).items():
            self._container.add_intent(name, texts)

    def predict(self, text: str) -> Guess:
        # As calc_intent, but in this process: that starts a pool of processes for each sentence, and sends all templates to them.
        found = [
            self._container._match(text, name, examples) for name, examples in self._container.intent_samples.items()
        ]
        best = max((one for one in found if one), key=lambda one: float(one["conf"]), default=None)
        return (None, 0.0) if best is None else (best["name"], float(best["conf"]))


class Adapt:
    """Each id requires one of its keywords: the KEYWORDS terms of its wordings that tell most for it against the others."""

    def __init__(self) -> None:
        self._make = need("adapt.engine", "install the extra peers").IntentDeterminationEngine
        self._builder = need("adapt.intent", "install the extra peers").IntentBuilder

    def train(self, pairs: Sequence[Pair]) -> None:
        self._engine = self._make()
        for name, terms in keywords(pairs).items():
            for term in terms:
                self._engine.register_entity(term, f"{name}_word")
            self._engine.register_intent_parser(self._builder(name).require(f"{name}_word").build())

    def predict(self, text: str) -> Guess:
        found = next(self._engine.determine_intent(text), None) if text else None
        return (None, 0.0) if found is None else (found["intent_type"], float(found["confidence"]))


def keywords(pairs: Sequence[Pair], most: int = KEYWORDS) -> dict[str, list[str]]:
    """Label → its most telling terms: each term belongs to one label, where its share is greatest, weighted by how often it was said there."""
    counts = {
        name: Counter(term for text in texts for term in set(terms(text))) for name, texts in by_label(pairs).items()
    }
    sizes = {name: len(texts) for name, texts in by_label(pairs).items()}
    everywhere = sum(counts.values(), Counter[str]())
    total = sum(sizes.values())
    ranked: dict[str, list[tuple[float, str]]] = {name: [] for name in counts}
    for term, often in everywhere.items():
        name = max(counts, key=lambda one: counts[one][term] / sizes[one])
        here = counts[name][term]
        lift = math.log((here / sizes[name]) / (often / total))
        if here >= 3 and lift > 1.0:
            ranked[name].append((here * lift, term))
    return {name: [term for _, term in sorted(rows, reverse=True)[:most]] for name, rows in ranked.items()}


def terms(text: str, longest: int = 3) -> Iterator[str]:
    """Runs of one to `longest` words, not of function words alone."""
    words = text.split()
    for size in range(1, longest + 1):
        for start in range(len(words) - size + 1):
            run = words[start : start + size]
            if any(word not in FUNCTION_WORDS for word in run):
                yield " ".join(run)
