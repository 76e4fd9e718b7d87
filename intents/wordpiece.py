"""WordPiece: text → the token ids that the sentence encoder was trained on.

The published algorithm (greedy longest match from the left, Wu et al. 2016; uncased BERT vocabulary), in the few lines that lower-case spoken English needs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
LONGEST_WORD = 40
"""Characters; a longer "word" is noise and becomes one unknown token."""
_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_")


class WordPiece:
    """A fixed vocabulary; safe to share between conversations."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        self._word = lru_cache(maxsize=20_000)(self._split)

    def encode(self, text: str, limit: int = 48) -> list[int]:
        """Token ids, start and end tokens included, at most `limit`; the end of a longer text is kept, for that is where people come to the point."""
        plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
        ids = [piece for word in _PIECE.findall(plain) for piece in self._word(word)]
        return [self._ids[START], *ids[-(limit - 2) :], self._ids[END]]

    def _split(self, word: str) -> tuple[int, ...]:
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + LONGEST_WORD), start, -1):
                if (found := self._ids.get(prefix + word[start:end])) is not None:
                    pieces.append(found)
                    start = end
                    break
            else:
                return (self._ids[UNKNOWN],)
        return tuple(pieces)
