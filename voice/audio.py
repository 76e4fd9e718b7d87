"""Sound files: any rate, width and channel count in, 16 kHz mono out. Decoding is libsndfile's, conversion soxr's."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from voice.errors import InputError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples

LIMIT_S = 300.0
"""Seconds: a longer recording is refused. A spoken question takes ten."""

TAIL_S = 0.5
"""Seconds of silence after a recording, so that what waits for silence (endpointing) sees some."""

MIN_RATE, MAX_RATE = 4_000, 384_000
"""Hertz: outside, the header is damaged or it isn't sound for ears."""

MAX_CHANNELS = 64

_BLOCK_FRAMES = 65_536
_UNKNOWN_FRAMES = 1 << 48
"""libsndfile gives a huge number of frames for a FLAC made in a pipe, whose header has none, and fails to read it."""
_CANCELLED = 0.1
"""Channels cancel out when their mean has less than this share of the strongest one's energy."""
_MOST = 0.5
"""A file of which more than this share is not numbers is not sound."""

Floats = npt.NDArray[np.float32]


def read_audio(path: Path, limit_s: float = LIMIT_S) -> Samples:
    """Reads a sound file (WAV, FLAC, whatever libsndfile reads) as 16 kHz mono int16, shape (n,).

    Channels are averaged, unless they cancel each other out: then the strongest one is taken. Samples that are not
    numbers become silence. Raises InputError, with one plain sentence that names the file, for whatever can't be used;
    a recording longer than `limit_s` seconds is refused by its header, without being decoded.
    """
    name = path.name or str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a folder" if path.is_dir() else "not an ordinary file"
            raise InputError(f"{name} is {what}: please give a sound file, such as a WAV or FLAC recording.")
        if not path.stat().st_size:
            raise InputError(f"{name} is empty: please record it again.")
        with path.open("rb", buffering=0) as stream:
            # By descriptor, for soundfile would judge the kind of a file object by its name.
            return _decode(stream.fileno(), name, limit_s)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}: please check its name and folder.", str(error)) from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read: please check the file's permissions.", str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"{name} can't be read: please check the file.", str(error)) from error


def _decode(descriptor: int, name: str, limit_s: float) -> Samples:
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            _check_header(sound, name, limit_s)
            weights = _channel_weights(sound, name, limit_s)
            return _to_int16(_resampled(sound, weights, name, limit_s), name)
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"{name} isn't a sound file that I can read: please give a WAV or FLAC recording.", str(error)
        ) from error


def _check_header(sound: Any, name: str, limit_s: float) -> None:
    if not MIN_RATE <= sound.samplerate <= MAX_RATE or not 1 <= sound.channels <= MAX_CHANNELS:
        raise InputError(
            f"{name} is damaged or not a recording of speech: please record it again.",
            f"{sound.samplerate} Hz, {sound.channels} channels",
        )
    if sound.frames >= _UNKNOWN_FRAMES:
        raise InputError(f"{name} doesn't say how long it is: please save it again with another program.")
    if sound.frames > limit_s * sound.samplerate:
        raise _too_long(name, limit_s)


def _too_long(name: str, limit_s: float) -> InputError:
    return InputError(f"{name} is longer than {limit_s / 60:g} minutes: please give a shorter recording.")


def _blocks(sound: Any, name: str, limit_s: float) -> Iterator[tuple[Floats, int]]:
    """Blocks of shape (n, channels), with the count of samples in them that were not numbers (now silence)."""
    sound.seek(0)
    frames = 0
    while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        frames += len(block)
        if frames > limit_s * sound.samplerate:
            raise _too_long(name, limit_s)
        numbers = np.isfinite(block)
        wrong = int(numbers.size - np.count_nonzero(numbers))
        yield (np.where(numbers, block, np.float32(0)) if wrong else block), wrong


def _channel_weights(sound: Any, name: str, limit_s: float) -> Floats:
    """Shape (channels,): what to multiply the channels with before they are added."""
    channels = sound.channels
    mean = np.full(channels, 1 / channels, np.float32)
    each, mixed = np.zeros(channels), 0.0
    count = wrong = 0
    for block, lost in _blocks(sound, name, limit_s):
        count, wrong = count + block.size, wrong + lost
        if channels > 1:
            exact = block.astype(np.float64)
            each += np.square(exact).sum(axis=0)
            mixed += float(np.square(exact.mean(axis=1)).sum())
    if not count:
        raise InputError(f"{name} holds no sound: please record it again.")
    if wrong > _MOST * count:
        raise InputError(
            f"{name} holds no sound, only damaged values: please record it again.", f"{wrong} of {count} not finite"
        )
    if channels > 1 and mixed < _CANCELLED * each.max():
        mean = np.where(np.arange(channels) == each.argmax(), 1, 0).astype(np.float32)
    return mean


def _resampled(sound: Any, weights: Floats, name: str, limit_s: float) -> Floats:
    """Shape (n,): mono at 16 kHz."""
    stream = soxr.ResampleStream(sound.samplerate, SAMPLE_RATE, 1, dtype="float32")
    pieces: list[Floats] = [stream.resample_chunk(block @ weights) for block, _ in _blocks(sound, name, limit_s)]
    pieces.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(pieces)


def _to_int16(sound: Floats, name: str) -> Samples:
    if not len(sound):
        raise InputError(f"{name} holds no sound: please record it again.")
    loud = float(np.quantile(np.abs(sound), 0.999))
    if loud > 1.0:  # a float file beyond full scale: keep its shape, let single spikes clip
        sound = sound / np.float32(loud)
    samples: Samples = np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)
    return samples


def frames(samples: Samples, tail_s: float = TAIL_S) -> Iterator[Samples]:
    """`samples` followed by `tail_s` seconds of silence, in frames; the last is filled up with silence."""
    total = len(samples) + round(tail_s * SAMPLE_RATE)
    for start in range(0, total, FRAME_SAMPLES):
        frame = samples[start : start + FRAME_SAMPLES]
        yield frame if len(frame) == FRAME_SAMPLES else np.pad(frame, (0, FRAME_SAMPLES - len(frame)))
