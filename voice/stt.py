"""Hearing words: frames in, a `Heard` value out. The decoding is Vosk's.

One decoder. A second one, bound to the phrases of the pack, took a fifth of hearing's processor time and made no reply
better on 689 recordings: what the pack's wordings can help is in the taught language model.

Vosk gives either word confidences or alternatives, never both. So it is asked for alternatives, and the confidences are
computed from them: a score is a log likelihood, so the scores make probabilities, and a word is as sure as the readings
that have it in that place are probable together. Vosk's own confidences are the same over all paths of its lattice
(Xu et al., "Minimum Bayes Risk decoding", 2011), these over the best PATHS.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from intents.heard import Heard, Word
from voice.errors import ModelError
from voice.frame import SAMPLE_RATE, Samples, seconds
from voice.model import SpeechModel, unheard_words
from voice.native import give_back

__all__ = ["Recognizer", "unheard_words"]

ALTERNATIVES = 8
"""Other readings that are handed on, at most."""

PATHS = 24
"""Readings that Vosk is asked for; confidences are computed from all of them."""

TAIL_SAMPLES = round(0.1 * SAMPLE_RATE)
"""Silence added at the end of an utterance: without it 3 of 100 last words are lost; 0.5 s finds no more of them."""

SEGMENT_SAMPLES = 30 * SAMPLE_RATE
"""An utterance this long is cut at the next pause that Vosk finds, so that its memory stays bounded."""

RENEWAL_SAMPLES = 60 * SAMPLE_RATE
"""A decoder that has heard this much is replaced (70 ms): its graph, made on demand, grows by 1 MB a second."""


_DITHER = np.rint(np.random.default_rng(1).standard_normal(10 * SAMPLE_RATE)).astype(np.int32)
"""Ten seconds of noise as loud as Kaldi's own dither (a standard deviation of 1 of 32,768), over and over."""


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str
    probability: float
    words: tuple[Word, ...]


class Recognizer:
    """One listener's decoder over a shared model. Not for use by two threads at once."""

    def __init__(self, model: SpeechModel) -> None:
        """Raises ModelError when the model can't be used."""
        self._model = model
        self._decoder = self._new_decoder()
        self._fed = 0  # samples that the decoder has had in its life: its word times count from there
        self._begin()

    def _new_decoder(self) -> Any:
        decoder = self._model.recognizer()
        decoder.SetWords(True)
        decoder.SetMaxAlternatives(PATHS)
        return decoder

    def _begin(self) -> None:
        self._start = self._fed
        self._segment_start = self._fed
        self._segments: list[list[_Reading]] = []

    def accept(self, frame: Samples) -> None:
        """Decodes the next frame of the utterance. Raises ModelError when the decoder fails."""
        if self._feed(frame) and self._fed - self._segment_start >= SEGMENT_SAMPLES:
            self._end_segment()

    def _feed(self, samples: Samples) -> bool:
        """Whether Vosk sees a pause. Its own endpointing is not followed: it would cut an utterance at a breath."""
        if self._fed == self._start and self._fed >= RENEWAL_SAMPLES:
            self._renew()
        data = self._dithered(samples).tobytes()
        self._fed += len(samples)
        try:
            return bool(self._decoder.AcceptWaveform(data))
        except Exception as error:  # vosk raises the bare class
            raise ModelError("The speech recognizer failed: please start Backtalk again.", str(error)) from error

    def _dithered(self, samples: Samples) -> Samples:
        """With the faint noise that the model needs where a recording is all zeros: the same in each utterance."""
        begun = self._fed - self._start
        noise = np.take(_DITHER, np.arange(begun, begun + len(samples)), mode="wrap")
        loudest = np.iinfo(np.int16)
        dithered: Samples = np.clip(samples + noise, loudest.min, loudest.max).astype(np.int16)
        return dithered

    def _end_segment(self) -> None:
        """Takes the words so far out of the decoder, which then begins anew."""
        self._segments.append(_readings(self._decoder.FinalResult(), seconds(self._start)))
        self._segment_start = self._fed

    def partial(self) -> str:
        """The words so far; the last of them may still change."""
        segments = [readings[0].text for readings in self._segments if readings]
        return " ".join(filter(None, [*segments, json.loads(self._decoder.PartialResult()).get("partial", "")]))

    def finish(self) -> Heard:
        """Ends the utterance: all readings of what was fed since the last finish or reset."""
        if self._fed == self._start:
            return Heard("")
        self._feed(np.zeros(TAIL_SAMPLES, np.int16))
        self._end_segment()
        heard = _joined(self._segments)
        self._begin()
        return heard

    def reset(self) -> None:
        """Drops the utterance. Nothing of it colours the next: the result is that of a new recognizer."""
        if self._fed == self._start:
            return
        self._decoder.SetMaxAlternatives(1)  # the dropped readings needn't be found first
        self._decoder.FinalResult()
        self._decoder.SetMaxAlternatives(PATHS)
        self._begin()

    def rest(self) -> None:
        """Drops the utterance, and gives back the memory that decoding took: some 200 MB after a minute of speech."""
        self.reset()
        if self._fed:
            self._renew()
            give_back()

    def _renew(self) -> None:
        self._decoder = self._new_decoder()
        self._fed = 0
        self._begin()


def _readings(result: str, start_s: float) -> list[_Reading]:
    """Vosk's n-best result → readings with probabilities that add up to 1, best first; times from `start_s` on."""
    alternatives = json.loads(result).get("alternatives", [])
    scores: dict[str, float] = {}
    words: dict[str, list[dict[str, Any]]] = {}
    for alternative in alternatives:
        text = alternative["text"]
        scores[text] = np.logaddexp(scores.get(text, -math.inf), alternative["confidence"])
        words.setdefault(text, alternative.get("result", []))
    if not scores:
        return []
    total = np.logaddexp.reduce(list(scores.values()))
    probabilities = {text: math.exp(score - total) for text, score in scores.items()}
    support = _support(words, probabilities)
    ranked = sorted(probabilities, key=lambda text: -probabilities[text])
    best = _fewest_errors(probabilities)
    ranked.remove(best)
    ranked.insert(0, best)
    return [
        _Reading(
            text,
            probabilities[text],
            tuple(
                Word(
                    word["word"],
                    round(max(0.0, word["start"] - start_s), 3),
                    round(word["end"] - start_s, 3),
                    support(word),
                )
                for word in words[text]
            ),
        )
        for text in ranked
    ]


def _fewest_errors(probabilities: dict[str, float]) -> str:
    """The reading with the fewest wrong words to be expected: likeliest as a whole isn't likeliest word for word.

    Minimum Bayes risk decoding over the best readings: 20.3 % of words wrong instead of 21.8 % on the same lists.
    """
    split = {text: text.split() for text in probabilities}

    def risk(text: str) -> float:
        return sum(share * Levenshtein.distance(split[text], split[other]) for other, share in probabilities.items())

    return min(probabilities, key=lambda text: (risk(text), -probabilities[text]))


def _support(words: dict[str, list[dict[str, Any]]], probabilities: dict[str, float]) -> Any:
    def support(word: dict[str, Any]) -> float:
        """Probability that the word was said where it stands: that of all readings that have it there."""
        sure = sum(
            probabilities[text]
            for text, others in words.items()
            if any(o["word"] == word["word"] and o["start"] < word["end"] and word["start"] < o["end"] for o in others)
        )
        return round(min(1.0, sure), 4)

    return support


def _joined(segments: list[list[_Reading]]) -> Heard:
    """One utterance from its segments: each alternative changes one segment of the best reading."""
    segments = [readings for readings in segments if readings]
    best = [readings[0] for readings in segments]
    text = " ".join(filter(None, (reading.text for reading in best)))
    others = [
        (reading.probability / best[place].probability, place, reading)
        for place, readings in enumerate(segments)
        for reading in readings[1:]
    ]
    others.sort(key=lambda other: -other[0])
    alternatives = dict.fromkeys(
        " ".join(filter(None, (reading.text if index == place else kept.text for index, kept in enumerate(best))))
        for _, place, reading in others
    )
    alternatives.pop(text, None)
    alternatives.pop("", None)
    words = tuple(word for reading in best for word in reading.words)
    return Heard(text, tuple(alternatives)[:ALTERNATIVES], words)
