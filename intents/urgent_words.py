"""The words of a text as the danger rules match them: one spelling, near misses of clinical words put right, no fillers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz, process

from intents.urgent_parse import END, Lexicon, tokens

FUZZY_MIN, FUZZY_MAX, FUZZY_SCORE = 8, 24, 88.0
"""Only words of this many letters are matched by likeness, and only when this alike (0 to 100)."""


class Spelling:
    """How a text is spelt for the rules. Built once, then only read.

    `rewrite` gives the words for a word that is said in many ways, `fuzzy` the long words that are also found by
    likeness, `fillers` the phrases that are passed over, `known` the words of the rules, which are never put right.
    """

    def __init__(
        self,
        rewrite: Mapping[str, Sequence[str]],
        fuzzy: Sequence[str],
        fillers: frozenset[str],
        known: frozenset[str],
    ) -> None:
        self._rewrite = rewrite
        self._fuzzy = fuzzy
        self._fillers = Lexicon({"filler": sorted(fillers)})
        self._filler = self._fillers.concept("filler")
        self._known = known

    def read(self, text: str) -> tuple[list[str], list[tuple[int, int]]]:
        """The words to be matched, END last, and for each its first and last (exclusive) character in the text."""
        words: list[str] = []
        spans: list[tuple[int, int]] = []
        alike: dict[str, str] = {}
        for token in tokens(text):
            for word in self._rewrite.get(token.text) or (self._likeness(token.text, alike),):
                words.append(word)
                spans.append((token.start, token.end))
        kept = self._without_fillers(words)
        return [*(words[at] for at in kept), END], [*(spans[at] for at in kept), (len(text), len(text))]

    def _without_fillers(self, words: Sequence[str]) -> list[int]:
        """The places of the words that belong to no filler."""
        places = self._fillers.places(words).get(self._filler, {})
        kept: list[int] = []
        position = 0
        while position < len(words):
            if position in places:
                position = max(places[position])
            else:
                kept.append(position)
                position += 1
        return kept

    def _likeness(self, word: str, alike: dict[str, str]) -> str:
        """A long clinical word for a near miss of it; any other word unchanged."""
        if not FUZZY_MIN <= len(word) <= FUZZY_MAX or word in self._known:
            return word
        if word not in alike:
            found = process.extractOne(word, self._fuzzy, scorer=fuzz.ratio, score_cutoff=FUZZY_SCORE)
            alike[word] = found[0] if found and found[0][0] == word[0] else word
        return alike[word]
