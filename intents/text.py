"""Text as it is compared: lower case, one space, straight apostrophes, nothing that isn't said."""

from __future__ import annotations

import re
import unicodedata

LONGEST_TEXT = 2_000
"""Characters kept of an utterance, from its end: about two minutes of speech. More is a mistake, not a question."""

FILLERS = frozenset(["um", "uh", "er", "erm", "hmm", "mm", "ah", "oh", "eh"])
"""Sounds that carry no meaning; recognizers write them down all the same."""

_MEANT_YES = re.compile(r"\b(?:uh huh|m+ h+m+|mhm+|um hum)\b")
_MEANT_NO = re.compile(r"(?:uh uh|m+ m+|unh unh)")
"""Only where it is all that was said: in a sentence it is a hesitation. It stays unclear enough not to deny a danger sign."""

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})
_NOT_SAID = re.compile(r"[^a-z0-9' ]+")
_LOOSE_APOSTROPHE = re.compile(r"(?<![a-z0-9])'+|'+(?![a-z0-9])")
_SPACES = re.compile(r" {2,}")


def normalise(text: str) -> str:
    """Words of a-z, 0-9 and apostrophes between single spaces; accents are dropped, other scripts and punctuation vanish.

    Linear in the length of the text. Of a text beyond `LONGEST_TEXT` the end is kept, for that is where people come to the point.
    """
    tail = text[-4 * LONGEST_TEXT :].translate(_APOSTROPHES).lower()
    plain = "".join(char for char in unicodedata.normalize("NFKD", tail) if not unicodedata.combining(char))
    words = _LOOSE_APOSTROPHE.sub(" ", _NOT_SAID.sub(" ", plain.lower()))
    return _SPACES.sub(" ", words).strip()[-LONGEST_TEXT:].strip()


def without_fillers(text: str) -> str:
    """Normalised text without hesitation sounds and immediate repetitions ("what is um what is" → "what is").

    Sounds that mean something become words: "uh huh" is a yes.
    """
    if _MEANT_NO.fullmatch(text):
        return "nuh uh"
    words = [word for word in _MEANT_YES.sub("yes", text).split() if word not in FILLERS]
    for size in (3, 2, 1):
        kept: list[str] = []
        for word in words:
            kept.append(word)
            if len(kept) >= 2 * size and kept[-size:] == kept[-2 * size : -size]:
                del kept[-size:]
        words = kept
    return " ".join(words)
