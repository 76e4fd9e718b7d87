"""Word error rate, by jiwer: what was heard against what was said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from voice.evaluate.result import Result

_NOT_A_WORD = re.compile(r"[^\w']+")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Counted over whole utterances; add them up for a corpus."""

    words: int = 0
    """Words that were said."""
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    @property
    def rate(self) -> float | None:
        """Errors by words said, above 1 where much was invented; None without any words."""
        return (self.substituted + self.deleted + self.inserted) / self.words if self.words else None

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.words + other.words,
            self.substituted + other.substituted,
            self.deleted + other.deleted,
            self.inserted + other.inserted,
        )


def plain(text: str) -> str:
    """Lower case, no punctuation but apostrophes inside words, single spaces: a comma is no error."""
    folded = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(word for word in (word.strip("'") for word in _NOT_A_WORD.split(folded)) if word)


@lru_cache(maxsize=200_000)
def compare_words(said: str, heard: str) -> WordErrors:
    """Errors of `heard` against `said`, both in any spelling. Nothing said: every word heard is inserted."""
    said, heard = plain(said), plain(heard)
    if not said:
        return WordErrors(inserted=len(heard.split()))
    import jiwer

    out = jiwer.process_words(said, heard)
    return WordErrors(out.hits + out.substitutions + out.deletions, out.substitutions, out.deletions, out.insertions)


def word_errors(results: Iterable[Result]) -> WordErrors:
    """Over the recordings whose words are known and that could be used."""
    total = WordErrors()
    for result in results:
        if result.line.audio and result.line.text is not None and result.error is None:
            total += compare_words(result.line.text, result.transcript)
    return total
