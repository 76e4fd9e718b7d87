"""What hearing may use of the packs: wordings to teach the recognizer, and phrases for its biased second opinion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from intents.pack import Pack
from intents.text import normalise

PHRASE_WORDS = 6
"""A wording of at most this many words is a phrase of the grammar; longer ones give their word pairs through the language model."""


@dataclass(frozen=True)
class Hints:
    """Read from the packs' wordings when first used: a start with a language model in the cache doesn't need them."""

    packs: tuple[Pack, ...]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Wordings to teach the language model. Overheard talk isn't taught: it is what the model knows anyway."""
        kept = (example.text for pack in self.packs for example in pack.examples if example.label != "oos:talk")
        return tuple(dict.fromkeys(kept))

    @cached_property
    def grammar(self) -> tuple[str, ...]:
        """Phrases for the biased decode: the packs' names, and short questions, signs and commands."""
        names = (normalise(name) for pack in self.packs for name in pack.about.names)
        short = (
            example.text
            for pack in self.packs
            for example in pack.examples
            if example.section in ("question", "urgent", "command") and len(example.text.split()) <= PHRASE_WORDS
        )
        return tuple(dict.fromkeys([*names, *short]))


def hints_for(packs: Sequence[Pack]) -> Hints:
    """What hearing may learn from these packs."""
    return Hints(tuple(packs))
