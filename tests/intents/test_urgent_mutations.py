"""Hundreds of machine-made variants of every example keep warning, and of every counter-example keep quiet."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from urgent_mutate import misheard, variants

from intents.urgent import UrgentRules

RULES = UrgentRules.load([Path(__file__).resolve().parents[2] / "intents" / "packs" / "facet_hypertrophy"])
KEPT, WARNED = 0.98, 0.01
"""Stated rates: variants of examples that must still warn, variants of counter-examples that may."""
MISHEARD_KEPT = 0.88
"""One word of the example written as the recognizer is known to mishear it."""
EACH = 120


def tried(sentences: Iterable[str], urgent: bool) -> list[str]:
    """EACH variants of each sentence."""
    found = [text for one in sentences for text in variants(one, EACH, zlib.crc32(one.encode()), urgent=urgent)]
    assert len(found) > 100 * len(RULES.rules)
    return found


def test_variants_of_urgent_examples_keep_warning() -> None:
    texts = tried((example for rule in RULES.rules for example in rule.examples), urgent=True)
    missed = [text for text in texts if not RULES.find(text)]
    assert len(missed) <= (1 - KEPT) * len(texts), (len(missed), len(texts), missed[:20])


def test_variants_of_counter_examples_keep_quiet() -> None:
    texts = tried((example for rule in RULES.rules for example in rule.counter_examples), urgent=False)
    warned = [text for text in texts if RULES.find(text)]
    assert len(warned) <= WARNED * len(texts), (len(warned), len(texts), warned[:20])


def test_misheard_examples_keep_warning() -> None:
    texts = [text for rule in RULES.rules for example in rule.examples for text in misheard(example, RULES.confusions)]
    missed = [text for text in texts if not RULES.find(text)]
    assert len(texts) > 50
    assert len(missed) <= (1 - MISHEARD_KEPT) * len(texts), (len(missed), len(texts), missed[:40])


def test_variants_are_the_same_for_the_same_seed() -> None:
    assert variants("my leg is numb", 50, 7, urgent=True) == variants("my leg is numb", 50, 7, urgent=True)
    assert len(set(variants("my leg is numb", 50, 7, urgent=True))) == 50
