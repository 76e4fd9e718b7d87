"""What the recognizer writes for a word that it does not know: a voice says the word, and it is heard again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import soxr

from voice.frame import SAMPLE_RATE
from voice.model import SpeechModel
from voice.tts import Voice

CARRIER = "What is {word}?"
"""Words are said in a short question, for a word alone is heard worse."""
CARRIED = ("what is", "what's", "what as", "what his", "what in", "what the", "what", "was")
MOST = 40
"""Words that are tried at most: each takes about a third of a second."""
RATE = 150
"""Words a minute."""
_SILENCE_S = 0.3


def spoken_forms(model: SpeechModel, voice: Voice, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(word, what is written in its place) for the first `MOST` words. Raises VoiceError and ModelError."""
    for word in words[:MOST]:
        samples = voice.speak(CARRIER.format(word=word), RATE)
        at_rate = soxr.resample(np.asarray(samples, np.float32) / 32768.0, voice.sample_rate, SAMPLE_RATE)
        quiet = np.zeros(int(_SILENCE_S * SAMPLE_RATE), np.float32)
        sound = np.concatenate([quiet, at_rate, quiet])
        heard = _decode(model, (np.clip(sound, -1.0, 1.0) * 32767).astype(np.int16).tobytes())
        carrier = next((start for start in CARRIED if heard == start or heard.startswith(f"{start} ")), "")
        if rest := heard[len(carrier) :].strip():
            yield word, rest


def _decode(model: SpeechModel, sound: bytes) -> str:
    recognizer = model.recognizer()
    recognizer.AcceptWaveform(sound)
    return str(json.loads(recognizer.FinalResult()).get("text", ""))
