"""A closer look at a second or two of sound: was the phrase said, or something like it?

The spotter's decoder has nothing but the phrase and "everything else", which is a poor rival: it hears parts of the
phrase in much that is said, and in noise loses the end of it. Here two decoders hear the same sound from its beginning,
one bound to the phrase and one to common words and words spelled nearly like the phrase's own. The difference of their
log likelihoods tells how much better than anything else the phrase explains what was heard: a keyword's likelihood ratio
against a filler model (Rose and Paul, "A hidden Markov model based keyword recognition system", 1990).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Protocol

from voice.frame import SAMPLE_RATE, Samples
from voice.noise import quietened

MARGIN = 2.0
"""Nats by which the phrase must be likelier than other words, as it is heard or with the noise turned down.

All three margins were set on twelve hours of a television's talk (11,600 looks, in which other words reached 1.5) and on 220 calls of
development voices in a kitchen at 6 to 18 dB, of which 217 are found."""
MARGIN_WORDLESS = 4.0
"""The same where the other decoder knows no word for any of it, which makes it a poor rival: in 6 of the 220 calls, and in three of the television's
looks that reached 1.9 to 2.1."""
MARGIN_BROKEN = 8.0
"""The same where the phrase is pieced together. Four looks at the television's talk reached 3.1 to 6.1; callers who say a comma ("hey, back talk") reach 11."""
LONGEST_GAP_S = 0.2
"""Seconds between two words of the phrase from which it is pieced together: at most 0.15 in the 220 calls, 0.3 at a comma."""
SHORTEST_S = 0.4
"""Seconds that a phrase lasts at least: what is shorter wasn't spoken by anybody, but fitted to a noise."""
AFTER = round(0.1 * SAMPLE_RATE)
"""Samples that must follow the phrase: half of its last word is often enough to be likely, and still another word."""
_WEIGHT = 3000
"""How often the phrase is in its grammar: Vosk makes a bigram model with discounts of it, and a phrase that is there
once may be left after each word at the price of another that was really said."""
_COMMON = tuple((Path(__file__).parent / "data" / "common_words.txt").read_text("utf-8").split())
"""The commonest words of English, most of one syllable: together they have every sound of it."""


@dataclass(frozen=True, slots=True)
class _Reading:
    likelihood: float
    """Nats."""
    words: tuple[tuple[str, float, float], ...]
    """Each with the seconds of its begin and end."""

    def phrase(self, wanted: list[str]) -> _Phrase | None:
        """Where these words stand next to each other the last time, if they do."""
        for first in range(len(self.words) - len(wanted), -1, -1):
            said = self.words[first : first + len(wanted)]
            if [word for word, _, _ in said] == wanted:
                gaps = [begin - end for (_, _, end), (_, begin, _) in pairwise(said)]
                broken = len(self.words) > len(said) or max(gaps, default=0.0) > LONGEST_GAP_S
                return _Phrase(said[0][1], said[-1][2], broken)
        return None


@dataclass(frozen=True, slots=True)
class _Phrase:
    begin_s: float
    end_s: float
    broken: bool
    """Pieced together: words with gaps between them, or more of its words than the phrase has, for speech that goes on."""


class PhraseModel(Protocol):
    """See voice.model.SpeechModel."""

    takes_grammars: bool

    def knows(self, word: str) -> bool: ...
    def recognizer(self, grammar: list[str] | None = None) -> Any: ...


def fillers(model: PhraseModel, phrase: str) -> tuple[str, ...]:
    """What may have been said instead: common words, the phrase's own, and what one letter more, less or other makes of them."""
    words = phrase.split()
    near = sorted(other for word in words for other in _one_letter_off(word) if model.knows(other))
    return tuple(dict.fromkeys([*words, *near, *(word for word in _COMMON if model.knows(word))]))


def _one_letter_off(word: str) -> set[str]:
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    less = {left + right[1:] for left, right in cuts if right}
    other = {left + letter + right[1:] for left, right in cuts if right for letter in ascii_lowercase}
    more = {left + letter + right for left, right in cuts for letter in ascii_lowercase}
    return {made for made in less | other | more if len(made) > 1}


class SecondLook:
    """Judges stretches of sound that may hold one phrase. Not for use by two threads at once."""

    def __init__(self, model: PhraseModel, phrase: str) -> None:
        """Raises ModelError when the model can't be used."""
        self._wanted = phrase.split()
        self._bound = _Decoder(model, [phrase] * _WEIGHT, 10)
        others = [*fillers(model, phrase), "[unk]"]
        # A model that takes no grammars hears freely: then it has heard the phrase or not.
        self._free = _Decoder(model, others, 1) if model.takes_grammars else None

    def end(self, sound: Samples, context: int = 0) -> int | None:
        """Sample of `sound` at which the phrase ended, when it was said; else None.

        sound: shape (n,); the phrase is expected to be nearly all of it after the first `context` samples, which only
        tell what the noise is like. Looks at it as it is and with the noise turned down; once is enough.
        """
        found = self._found(sound[context:])
        if found is None:
            found = self._found(quietened(sound)[context:])
        return None if found is None else context + found

    def _found(self, sound: Samples) -> int | None:
        for reading in self._bound.readings(sound):
            phrase = reading.phrase(self._wanted)
            if phrase is not None:
                break
        else:
            return None
        end = round(phrase.end_s * SAMPLE_RATE)
        if phrase.end_s - phrase.begin_s < SHORTEST_S or end + AFTER > len(sound):
            return None
        if self._free is not None:
            other = self._free.readings(sound)[0]
            if reading.likelihood - other.likelihood < _margin(phrase, other):
                return None
        return end


def _margin(phrase: _Phrase, other: _Reading) -> float:
    if phrase.broken:
        return MARGIN_BROKEN
    return MARGIN if any(word != "[unk]" for word, _, _ in other.words) else MARGIN_WORDLESS


class _Decoder:
    """A decoder that begins anew with every sound."""

    def __init__(self, model: PhraseModel, grammar: list[str], readings: int) -> None:
        self._recognizer = model.recognizer(grammar)
        self._recognizer.SetMaxAlternatives(readings)
        self._recognizer.SetWords(True)
        self._fed = 0
        """Samples in its life: Vosk counts the times of words from there."""

    def readings(self, sound: Samples) -> list[_Reading]:
        """What may have been said, likeliest first."""
        start_s = self._fed / SAMPLE_RATE
        self._fed += len(sound)
        self._recognizer.AcceptWaveform(sound.tobytes())
        return [
            _Reading(
                one["confidence"],
                tuple((word["word"], word["start"] - start_s, word["end"] - start_s) for word in one.get("result", [])),
            )
            for one in json.loads(self._recognizer.FinalResult()).get("alternatives", [])
        ]
