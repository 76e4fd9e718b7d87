"""What the network is trained with: development voices in rooms and noise that no recording of the project has, cut into pieces.

Rooms and beds of noise are made with seeds of their own: those of the fixtures, development and test alike, stay unmet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyroomacoustics
from scipy.signal import butter, fftconvolve, sosfilt

from tools.fixtures import noises
from tools.fixtures.render import HISS_DBFS
from tools.fixtures.sound import RATE, db, rms, speech_rms, to_peak
from tools.train_acoustics.network import LEFT, RIGHT, STEP

Floats = npt.NDArray[Any]
Rng = np.random.Generator

OUTPUTS = 40
"""Of the network, in a piece: 1.2 s."""
FRAMES = STEP * (OUTPUTS - 1) + LEFT + 1 + RIGHT
KINDS = (
    ((5.2, 4.1, 2.5), (0.25, 0.55), (1.0, 3.5)),
    ((4.3, 3.5, 2.5), (0.4, 0.8), (1.5, 3.2)),
    ((2.4, 2.0, 2.4), (0.4, 0.75), (0.5, 1.2)),
    ((3.8, 3.2, 2.4), (0.18, 0.4), (0.5, 2.0)),
    ((4.8, 3.9, 2.6), (0.5, 0.75), (2.0, 3.3)),
)
"""Rooms: metres, seconds of reverberation, metres from mouth to microphone."""
SHARES = {"kitchen": 0.45, "babble": 0.13, "hum": 0.06, "music": 0.13, "television": 0.13, "white": 0.04, "pink": 0.06}
"""How often each noise is heard, where one is."""
BEDS = 5
_SEED = 991


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Impulse responses, and half a minute of each noise at root mean square 1.0, several times."""

    rooms: list[Floats]
    beds: dict[str, list[Floats]]


def surroundings(rooms: int, more: dict[str, list[Floats]] | None = None) -> Surroundings:
    """Makes them; takes two minutes. `more`: recordings of noise to be drawn with the synthetic ones of that name."""
    rng = np.random.default_rng(77)
    responses = [made for number in range(rooms) if (made := _room(number, rng)) is not None]
    names = sorted(noises.NOISES)
    beds = {
        name: [noises.NOISES[name](30.0, "dev", np.random.default_rng([_SEED, bed, number])) for bed in range(BEDS)]
        for number, name in enumerate(names)
    }
    white = rng.standard_normal(30 * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(30 * RATE))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(30 * RATE, 1 / RATE), 40.0)))
    beds |= {"white": [white], "pink": [pink]}
    for name, recordings in (more or {}).items():
        beds[name] = [*beds[name], *recordings]
    return Surroundings(responses, {name: [bed / rms(bed) for bed in many] for name, many in beds.items()})


def _room(number: int, rng: Rng) -> Floats | None:
    """An impulse response from the direct sound on, largest sample 1.0; None for a room that can't echo for so long."""
    size0, reverberation, distance = KINDS[number % len(KINDS)]
    size = np.array(size0) * rng.uniform(0.85, 1.2, 3)
    away = min(rng.uniform(*distance), size[:2].max() - 0.9)
    for _ in range(200):
        microphone = np.array([rng.uniform(0.4, size[0] - 0.4), rng.uniform(0.3, 0.7), rng.uniform(0.7, 1.1)])
        angle, rise = rng.uniform(0.05, 0.95) * np.pi, rng.uniform(0.1, min(0.5, away * 0.7))
        flat = np.sqrt(away**2 - rise**2)
        mouth = microphone + np.array([flat * np.cos(angle), flat * np.sin(angle), rise])
        if np.all(mouth > 0.2) and np.all(mouth < size - 0.2):
            break
    else:
        return None
    seconds = rng.uniform(*reverberation)
    try:
        absorption, order = pyroomacoustics.inverse_sabine(seconds, size)
    except ValueError:
        return None
    material = pyroomacoustics.Material(absorption)
    box = pyroomacoustics.ShoeBox(size, fs=RATE, materials=material, max_order=min(order, 50), air_absorption=True)
    box.add_source(mouth)
    box.add_microphone(microphone)
    box.compute_rir()
    response = np.asarray(box.rir[0][0])
    start = max(0, int(np.argmax(np.abs(response) > 0.3 * np.abs(response).max())) - 8)
    response = response[start : start + round(min(0.6, seconds) * RATE)]
    return np.asarray(response / np.abs(response).max())


def other_microphone(x: Floats, rng: Rng) -> Floats:
    """Random smooth gains over frequency: a few decibels, and a tilt."""
    spectrum = np.fft.rfft(x)
    gains = rng.normal(0, 4, 7) + np.linspace(0, 1, 7) * rng.normal(0, 6)
    level = np.interp(np.linspace(0, 8000, len(spectrum)), [0, 200, 500, 1000, 2000, 4000, 8000], gains)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (level / 20), len(x)))


def heard(x: Floats, around: Surroundings, rng: Rng, clean: float) -> Floats:
    """Speech as it may come out of a microphone, same length, of the size of 16-bit numbers. `clean`: how often nothing is added."""
    y = np.asarray(x, np.float64)
    if rng.random() < clean:
        if rng.random() < 0.3:
            y = other_microphone(y, rng)
    else:
        place = rng.random()
        if place < 0.8:
            y = fftconvolve(y, around.rooms[rng.integers(len(around.rooms))])[: len(x)]
        if rng.random() < 0.35:
            y = other_microphone(y, rng)
        if place > 0.7 or rng.random() < 0.75:
            y = y + _noise(len(y), around, rng) * speech_rms(y) * db(-rng.uniform(5, 26))
        if rng.random() < 0.05:
            y = np.asarray(sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), y))
        if rng.random() < 0.04:
            y = np.clip(to_peak(y, rng.uniform(4, 12)), -1, 1)
    y = to_peak(y, rng.uniform(-40, -3)) + rng.standard_normal(len(y)) * db(HISS_DBFS)
    return np.asarray(np.clip(np.round(y * 32767), -32768, 32767), np.float32)


def _noise(samples: int, around: Surroundings, rng: Rng) -> Floats:
    beds = around.beds[str(rng.choice(list(SHARES), p=list(SHARES.values())))]
    bed = beds[rng.integers(len(beds))]
    noise = np.take(bed, np.arange(samples) + rng.integers(len(bed)), mode="wrap")
    if rng.random() < 0.2:
        noise = other_microphone(noise, rng)
    return np.asarray(noise / max(rms(noise), 1e-9))


@dataclass(frozen=True, eq=False)
class Piece:
    """What one output of the training batch is made of."""

    frames: Floats
    """Shape (FRAMES, 40)."""
    ivector: Floats
    """Shape (30,): what would be known of the speaker by then."""
    sounds: npt.NDArray[np.int64]
    """Shape (OUTPUTS,): what is said; after `length` of them the last again."""
    length: int


def pieces(
    frames: Floats,
    sounds: npt.NDArray[np.int64],
    silence: npt.NDArray[np.bool_],
    vectors: Callable[[Floats, list[int], Floats | None], Floats],
    rng: Rng,
    count: int = 2,
) -> list[Piece]:
    """Random pieces of one recording. sounds, shape (outputs,); silence, shape (outputs,): where nobody speaks; vectors: features.Extractor.vectors.

    Like Kaldi while it listens, the i-vector mostly leaves silence out, and never knows what comes later.
    """
    after = STEP * (len(sounds) - 1) + RIGHT - (len(frames) - 1)
    around = np.pad(frames, ((LEFT, max(0, after)), (0, 0)), "edge")
    last = len(sounds) - OUTPUTS
    starts = rng.integers(last + 1, size=count) if last >= 0 else np.zeros(1, int)
    weights = None
    if rng.random() < 0.7:
        weights = np.ones(len(frames), np.float32)
        quiet = np.repeat(silence, STEP)[: len(frames)]
        weights[: len(quiet)][quiet] = 0.001
    ends = np.array([int(STEP * start + rng.uniform(40, STEP * OUTPUTS + RIGHT)) for start in starts])
    order = np.argsort(ends)
    ivectors = dict(zip(order.tolist(), vectors(frames, ends[order].tolist(), weights), strict=True))
    found = []
    for number, start in enumerate(starts.tolist()):
        piece = around[STEP * start : STEP * start + FRAMES]
        said = sounds[start : start + OUTPUTS]
        found.append(
            Piece(
                np.pad(piece, ((0, FRAMES - len(piece)), (0, 0)), "edge"),
                ivectors[number],
                np.pad(said, (0, OUTPUTS - len(said)), "edge"),
                len(said),
            )
        )
    return found
