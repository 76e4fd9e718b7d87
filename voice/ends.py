"""How often people stop after these words: learned from the packs' wordings.

"What use is it" is a whole question, and goes on in most mouths: "what use is it knowing the grade". An answer that
comes after a fifth of a second would talk over them. Of the wordings of five writers who were left out, half end in
words after which this says END or more; 5 of 100 of the gaps between their words do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

LIKELY = 0.32
"""Probability from which people mostly stop there."""
UNLIKELY = 0.16
"""Probability below which they mostly go on: below it are 3 of 10 ends and 87 of 100 gaps."""
_LONGEST = 3
"""Words looked back."""
_PRIOR = 3.0
"""Times that words seen less often count as if seen with the probability of one word fewer."""
_START = ("<s>",)
_Words = tuple[str, ...]


class Ends:
    """Probability of an end after the last three words, each length mixed with the next shorter one."""

    def __init__(self, sentences: Iterable[str]) -> None:
        """sentences: whole utterances in lower case."""
        self._ends: Counter[_Words] = Counter()
        self._seen: Counter[_Words] = Counter()
        for sentence in sentences:
            words = (*_START, *sentence.split())
            for end in range(2, len(words) + 1):
                for context in _contexts(words[:end]):
                    self._seen[context] += 1
                    self._ends[context] += end == len(words)

    def after(self, text: str) -> float:
        """Probability, 0 to 1, that whoever said `text`, lower case, has finished; 0 where nothing was learned."""
        probability = 0.0
        for context in _contexts((*_START, *text.split())):
            probability = (self._ends[context] + _PRIOR * probability) / (self._seen[context] + _PRIOR)
        return probability


def _contexts(words: _Words) -> Iterable[_Words]:
    """The last words, from none of them to the longest."""
    return (words[len(words) - length :] for length in range(min(_LONGEST, len(words)) + 1))
