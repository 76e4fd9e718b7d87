"""Text on its way to an engine and samples on their way back: pure functions that every voice shares."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

Int16 = npt.NDArray[np.int16]
"""Shape (n,): mono, 16-bit, at whatever rate stands beside it."""

SPEECH_DBFS = -20.0
"""Loudness of all speech and every cue: root mean square over the parts that sound, in dB below full scale."""
PEAK_DBFS = -1.0
"""No sample is louder than this, so that nothing clips in a later conversion."""
PIECE_CHARS = 300
"""Characters given to an engine at a time, about 20 seconds: a stuck engine is noticed and speech starts early."""
_WINDOW_S = 0.01
_SOUNDING_DB = -35.0
"""A 10 ms window sounds when it is at most this far below the loudest window."""
_KEEP_BEFORE_S = 0.01
_KEEP_AFTER_S = 0.04


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of sound ready to be played."""

    samples: Int16
    rate: int
    """Hertz."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate

    def at(self, rate: int) -> Clip:
        """The same sound at another rate, in hertz."""
        if rate == self.rate or not len(self.samples):
            return Clip(self.samples, rate)
        return Clip(np.asarray(soxr.resample(self.samples, self.rate, rate), dtype=np.int16), rate)


def speakable(text: str) -> str:
    """The text without what no engine can say: control and unassigned characters, lone surrogates, runs of white space.

    A NUL would cut the rest of the sentence off inside the C library; a surrogate can't be encoded.
    """
    kept = "".join(" " if unicodedata.category(char)[0] == "C" or char.isspace() else char for char in text)
    return re.sub(r" {2,}", " ", kept).strip()


_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TELEPHONE = re.compile(
    r"""(?<![\w.,])(?:(?<=\bcall\ )|(?<=\bdial\ )|(?<=\bring\ )|(?<=\btext\ )|(?<=\bphone\ )|(?<=\bnumber\ ))
        \+?\d[\d -]*\d(?![\w%]|[.,]\d)
      | (?<![\w.,-])(?:911|988|112|999|000)(?![\w%-]|[.,]\d)""",
    re.IGNORECASE | re.VERBOSE,
)


def spell_telephone(text: str) -> str:
    """Telephone numbers as people say them: "Call nine one one", where an engine says "call nine hundred eleven"."""

    def spelled(number: re.Match[str]) -> str:
        groups = re.split(r"[ -]+", number[0].replace("+", "plus "))
        return ", ".join(" ".join(_DIGITS[int(c)] for c in group) if group.isdigit() else group for group in groups)

    return _TELEPHONE.sub(spelled, text)


def has_words(text: str) -> bool:
    """True when there is a letter or a digit to be said."""
    return any(char.isalnum() for char in text)


def pieces(sentence: str, limit: int = PIECE_CHARS) -> Iterator[str]:
    """A speakable sentence in parts of at most `limit` characters, cut where a speaker would breathe if possible."""
    rest = speakable(sentence)
    while len(rest) > limit:
        head = rest[:limit]
        breaks = [match.end() for match in re.finditer(r"[.!?;:,]\s|[。！？；，、]", head)]
        cut = breaks[-1] if breaks else head.rfind(" ")
        cut = cut if cut > 0 else limit
        if piece := rest[:cut].strip():
            yield piece
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def _window_rms(samples: Int16, rate: int) -> npt.NDArray[np.float64]:
    """Root mean square of each 10 ms window, full scale = 1; the last, incomplete window counts too."""
    width = max(1, round(rate * _WINDOW_S))
    padded = np.zeros(-(-len(samples) // width) * width)
    padded[: len(samples)] = samples / 32768.0
    rms: npt.NDArray[np.float64] = np.sqrt(np.mean(padded.reshape(-1, width) ** 2, axis=1))
    return rms


def _sounding(rms: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    loudest = float(rms.max(initial=0.0))
    return rms > loudest * 10 ** (_SOUNDING_DB / 20) if loudest > 0 else np.zeros(len(rms), dtype=bool)


def trim(samples: Int16, rate: int) -> Int16:
    """Without the silence before and after; a little is kept so that soft first and last sounds survive."""
    sounding = np.flatnonzero(_sounding(_window_rms(samples, rate)))
    if not len(sounding):
        return samples[:0]
    width = max(1, round(rate * _WINDOW_S))
    first = max(0, int(sounding[0]) * width - round(rate * _KEEP_BEFORE_S))
    last = (int(sounding[-1]) + 1) * width + round(rate * _KEEP_AFTER_S)
    return samples[first:last]


def loudness_dbfs(samples: Int16, rate: int) -> float:
    """Root mean square over the windows that sound, in dB below full scale; minus infinity for silence."""
    rms = _window_rms(samples, rate)
    sounding = rms[_sounding(rms)]
    return float(10 * np.log10(np.mean(sounding**2))) if len(sounding) else float("-inf")


def level(samples: Int16, rate: int, dbfs: float = SPEECH_DBFS) -> Int16:
    """The same sound at the common loudness, or a little softer where a peak would pass PEAK_DBFS."""
    now = loudness_dbfs(samples, rate)
    if now == float("-inf"):
        return samples
    peak = float(np.max(np.abs(samples.astype(np.int32)))) / 32768.0
    gain = min(10 ** ((dbfs - now) / 20), 10 ** (PEAK_DBFS / 20) / peak)
    louder: Int16 = np.rint(samples * gain).astype(np.int16)
    return louder
