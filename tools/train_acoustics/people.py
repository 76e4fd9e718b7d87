"""What real people teach: their recordings come without words, so the unchanged model's own are taken where it is sure of each.

Self-training with confident words only (Kahn et al., "Self-training for end-to-end speech recognition", ICASSP 2020): without noise
the published model hears actors well enough to say what the network is to hear of them in noise. Half of the recordings pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import vosk

from tools.fixtures.sound import RATE, rms, silence, to_peak
from tools.train_acoustics.crowd import PITCHES

SUREST, SURE = 0.9, 0.6
"""Least mean and least single confidence of a recording's words."""
LONGEST_S = 12.0
SHORTEST_S = 1.0
BED_S = 30
Rng = np.random.Generator


def read_people(folders: tuple[Path, ...], rng: Rng) -> list[Any]:
    """Every second recording (FLAC, WAV or Ogg) under the folders, 16 kHz, peak at -6 dB, sometimes as another person's; the rest is for measuring."""
    found = []
    for folder in folders:
        files = sorted(file for kind in ("flac", "wav", "ogg") for file in folder.rglob(f"*.{kind}"))
        for file in files[::2]:
            samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
            if len(samples) < SHORTEST_S * rate:
                continue
            heard = soxr.resample(samples.mean(axis=1), rate * float(rng.choice(PITCHES)), RATE)
            around = [silence(0.2), heard[: round(LONGEST_S * RATE)], silence(0.3)]
            found.append(to_peak(np.concatenate(around), -6.0).astype(np.float32))
    return found


def sure_words(model: vosk.Model, samples: Any) -> str | None:
    """What the model hears; None where it isn't sure of all of it."""
    recognizer = vosk.KaldiRecognizer(model, RATE)
    recognizer.SetWords(True)
    recognizer.AcceptWaveform((samples * 32767).astype(np.int16).tobytes())
    result = json.loads(recognizer.FinalResult())
    sure = [word["conf"] for word in result.get("result", [])]
    return result["text"] if sure and min(sure) > SURE and np.mean(sure) > SUREST else None


def talk(people: list[Any], count: int, music: list[Any], rng: Rng) -> dict[str, list[Any]]:
    """Beds of noise in which people speak: one after the other over music (television), and many at once (babble)."""

    def one() -> Any:
        said = np.concatenate([people[number] for number in rng.integers(len(people), size=BED_S)])
        said = np.resize(said, BED_S * RATE).astype(np.float64)
        return said / rms(said)

    def over_music() -> Any:
        return one() + (music[rng.integers(len(music))] * 10 ** (-rng.uniform(0, 15) / 20) if music else 0.0)

    def crowd() -> Any:
        return np.sum([one() * rng.uniform(0.4, 1.0) for _ in range(rng.integers(3, 9))], axis=0)

    return {"television": [over_music() for _ in range(count)], "babble": [crowd() for _ in range(count)]}


def read_music(folder: Path | None) -> list[Any]:
    """Half minutes of the recordings in a folder, at root mean square 1.0."""
    found: list[Any] = []
    for file in sorted(folder.iterdir()) if folder else []:
        samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
        heard = soxr.resample(samples.mean(axis=1), rate, RATE)
        parts = [heard[begin : begin + BED_S * RATE] for begin in range(0, len(heard), BED_S * RATE)]
        found += [part / rms(part) for part in parts if len(part) == BED_S * RATE and rms(part) > 1e-3]
    return found
