"""Who says the sentences of a training: the voices of five engines, without those of the test recordings.

The fixtures' development voices (tools/fixtures/voices.py) are two dozen, nearly all of one engine; a network that learns from
those alone learns that engine. What isn't installed is left out, and told. MBROLA's voices are left out on purpose: they measure.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tools.fixtures.sound import RATE, Signal, trim
from tools.fixtures.voices import pronounceable

Rng = np.random.Generator
PITCHES = (0.92, 1.0, 1.0, 1.08)
"""As if another person with the same manner of speaking: all but espeak-ng, which has a pitch of its own."""
_NO_PERSON = re.compile("whisper|robo|croak|demonic|fast|announcer", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that speaks."""

    program: str
    share: float
    """How often it is drawn where all are installed."""
    voices: tuple[str, ...]
    command: Callable[[str, str, str, Rng], tuple[list[str], str]]
    """Voice, text, WAV file to be written → the command line and its standard input."""


def _espeak(voice: str, text: str, wav: str, rng: Rng) -> tuple[list[str], str]:
    speed, pitch = int(rng.integers(100, 180)), int(rng.integers(25, 76))
    return ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdin", "-w", wav], text


def _flite(voice: str, text: str, wav: str, rng: Rng) -> tuple[list[str], str]:
    stretch = f"duration_stretch={rng.uniform(0.85, 1.5):.3f}"
    return ["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", wav], ""


def _pico(voice: str, text: str, wav: str, rng: Rng) -> tuple[list[str], str]:
    return ["pico2wave", "-l", voice, "-w", wav, text], ""


def _festival(voice: str, text: str, wav: str, rng: Rng) -> tuple[list[str], str]:
    stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.9, 1.4):.2f})"
    return ["text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-o", wav], text


def _rhvoice(voice: str, text: str, wav: str, rng: Rng) -> tuple[list[str], str]:
    rate, pitch = int(rng.integers(70, 125)), int(rng.integers(80, 125))
    return ["RHVoice-test", "-p", voice, "-r", str(rate), "-t", str(pitch), "-o", wav], text


def _espeak_voices() -> tuple[str, ...]:
    """Development accents, with each variant that may be taken for a person; none where espeak-ng is missing."""
    if shutil.which("espeak-ng") is None:
        return ()
    told = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    variants = sorted(file.name for file in (Path(told.split("Data at:")[1].strip()) / "voices" / "!v").iterdir())
    accents = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-x-gbcwmd")
    return tuple(f"{accent}+{one}" for accent in accents for one in variants if not _NO_PERSON.search(one))


ENGINES = (
    Engine("espeak-ng", 0.38, _espeak_voices(), _espeak),
    Engine("flite", 0.12, ("slt", "kal16"), _flite),
    Engine("pico2wave", 0.12, ("en-US", "en-GB"), _pico),
    Engine("text2wave", 0.14, ("kal_diphone", "ked_diphone", "rab_diphone", "cmu_us_slt_arctic_hts"), _festival),
    Engine("RHVoice-test", 0.24, ("alan", "bdl", "clb", "slt", "evgeniy-eng", "lyubov"), _rhvoice),
)


def installed() -> tuple[Engine, ...]:
    """The engines that are there."""
    return tuple(engine for engine in ENGINES if engine.voices and shutil.which(engine.program))


def say(text: str, engines: Sequence[Engine], rng: Rng) -> Signal | None:
    """The text in a voice drawn from the engines, silence at both ends cut; None where the engine has no sound for it."""
    shares = np.array([engine.share for engine in engines])
    engine = engines[rng.choice(len(engines), p=shares / shares.sum())]
    voice = engine.voices[rng.integers(len(engine.voices))]
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder:
        wav = Path(folder) / "said.wav"
        command, words = engine.command(voice, pronounceable(text), str(wav), rng)
        done = subprocess.run(command, input=words.encode(), capture_output=True, timeout=60, check=False)
        if done.returncode or not wav.exists():
            return None
        samples, rate = soundfile.read(wav, dtype="float64")
    if not len(samples) or not np.any(samples):
        return None
    pitch = 1.0 if engine.program == "espeak-ng" else float(rng.choice(PITCHES))
    return trim(np.asarray(soxr.resample(samples, rate * pitch, RATE, quality="HQ"), dtype=np.float64))
