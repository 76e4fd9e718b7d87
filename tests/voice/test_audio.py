"""Reading sound files of every kind, and every kind of bad one."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from voice import audio
from voice.audio import LIMIT_S, frames, read_audio
from voice.errors import InputError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE

TONE_HZ = 440.0
SECONDS = 0.5


def tone(rate: int, channels: int = 1, amplitude: float = 0.5) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * TONE_HZ * np.arange(round(SECONDS * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)[spectrum.argmax()])


def level(samples: np.ndarray) -> float:
    """Amplitude of a tone, full scale 1."""
    middle = samples[len(samples) // 4 : -len(samples) // 4] / 32768
    return float(np.sqrt(2 * np.mean(middle**2)))


def is_tone(samples: np.ndarray, amplitude: float = 0.5) -> None:
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert abs(len(samples) - SECONDS * SAMPLE_RATE) <= 16
    assert pitch(samples) == pytest.approx(TONE_HZ, abs=2)
    assert level(samples) == pytest.approx(amplitude, rel=0.03)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_any_rate_and_channel_count(tmp_path: Path, rate: int, channels: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate, channels), rate)
    is_tone(read_audio(tmp_path / "a.wav"))


WIDTHS = {
    "WAV": ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"],
    "FLAC": ["PCM_S8", "PCM_16", "PCM_24"],
    "OGG": ["VORBIS"],
    "AIFF": ["PCM_16"],
}


@pytest.mark.parametrize(("kind", "width"), [(kind, width) for kind, widths in WIDTHS.items() for width in widths])
def test_any_width_whatever_the_name_ends_in(tmp_path: Path, kind: str, width: str) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, tone(44100), 44100, subtype=width, format=kind)
    for name in ("a.wav", "a.raw", "a", "ä b.flac"):
        (tmp_path / name).write_bytes(stream.getvalue())
        is_tone(read_audio(tmp_path / name))


def test_channels_that_cancel_out_leave_the_strongest(tmp_path: Path) -> None:
    stereo = tone(16000, 2) * [0.8, -1.0]
    soundfile.write(tmp_path / "a.wav", stereo * 1.0, 16000)
    is_tone(read_audio(tmp_path / "a.wav"))


def test_one_live_channel_of_eight_is_not_lost(tmp_path: Path) -> None:
    eight = np.zeros((8000, 8))
    eight[:, 5] = tone(16000)[:, 0]
    soundfile.write(tmp_path / "a.wav", eight, 16000)
    is_tone(read_audio(tmp_path / "a.wav"))


def test_float_beyond_full_scale_keeps_its_shape(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16000, amplitude=4.0), 16000, subtype="FLOAT")
    is_tone(read_audio(tmp_path / "a.wav"), amplitude=1.0)


def test_silence_is_no_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    assert not read_audio(tmp_path / "a.wav").any()


def test_single_values_that_are_not_numbers_become_silence(tmp_path: Path) -> None:
    wave = tone(16000)
    wave[100:110], wave[200], wave[300] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    is_tone(read_audio(tmp_path / "a.wav"))


def wav_bytes(rate: int = 16000) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone(rate), rate, format="WAV")
    return stream.getvalue()


def refuse(path: Path, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_audio(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"What is facet hypertrophy?\n" * 50, "isn't a sound file"),
        (b"RIFF", "isn't a sound file"),
        (wav_bytes()[:20], "isn't a sound file"),
        (wav_bytes()[:44], "holds no sound"),
        (wav_bytes()[:24] + (1).to_bytes(4, "little") + wav_bytes()[28:], "damaged"),
        (bytes(5000), "isn't a sound file"),
    ],
)
def test_bad_files_are_told_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    refuse(path, said)


def test_missing_folder_pipe_and_odd_names(tmp_path: Path) -> None:
    refuse(tmp_path / "absent.wav", "no file")
    (tmp_path / "folder.wav").mkdir()
    refuse(tmp_path / "folder.wav", "folder")
    os.mkfifo(tmp_path / "pipe.wav")
    refuse(tmp_path / "pipe.wav", "not an ordinary file")  # and doesn't wait for a writer
    with pytest.raises(InputError):
        read_audio(Path("a\0b.wav"))
    with pytest.raises(InputError):
        read_audio(tmp_path / ("a" * 300 + ".wav"))


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes())

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)  # root may read whatever the mode says
    refuse(path, "may not be read")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_file_of_no_numbers_is_no_sound(tmp_path: Path, value: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(16000, value), 16000, subtype="FLOAT")
    refuse(tmp_path / "a.wav", "damaged values")


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_an_hour_is_refused_without_decoding_a_sample(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"hour.{kind.lower()}"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16", format=kind) as sound:
        for _ in range(60):
            sound.write(np.zeros(60 * 8000, np.int16))

    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(audio, "_blocks", never)
    refuse(path, "longer than 5 minutes")


def test_a_header_without_length_is_told(tmp_path: Path) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, tone(16000), 16000, format="FLAC")
    flac = bytearray(stream.getvalue())
    flac[21] &= 0xF0  # STREAMINFO: the number of samples, 36 bits, becomes 0 = unknown
    flac[22:26] = bytes(4)
    path = tmp_path / "piped.flac"
    path.write_bytes(flac)
    refuse(path, "how long")


def test_the_limit_itself_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000)
    assert len(read_audio(tmp_path / "a.wav", limit_s=SECONDS)) == SECONDS * SAMPLE_RATE
    assert LIMIT_S >= 60


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    cut=st.integers(0, 400),
    position=st.integers(0, 120),
    noise=st.binary(max_size=40),
    kind=st.sampled_from(["WAV", "FLAC"]),
)
@example(cut=0, position=40, noise=b"\xff\xff\xff\x7f", kind="WAV")
def test_whatever_the_bytes_it_is_sound_or_one_sentence(
    tmp_path: Path, cut: int, position: int, noise: bytes, kind: str
) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, tone(8000), 8000, format=kind)
    whole = stream.getvalue()
    path = tmp_path / "a.wav"
    path.write_bytes((whole[:position] + noise + whole[position + len(noise) :])[: len(whole) - cut])
    outcome: object
    try:
        outcome = read_audio(path).dtype
    except InputError as error:
        outcome = "a.wav" in str(error)
    assert outcome in (np.dtype(np.int16), True)


@given(length=st.integers(0, 3000), tail_s=st.floats(0, 0.2))
def test_frames_are_equal_and_whole(length: int, tail_s: float) -> None:
    samples = np.arange(length, dtype=np.int16)
    cut = list(frames(samples, tail_s))
    assert all(len(frame) == FRAME_SAMPLES for frame in cut)
    joined = np.concatenate([*cut, np.zeros(0, np.int16)])
    assert len(joined) - length - round(tail_s * SAMPLE_RATE) in range(FRAME_SAMPLES)
    assert np.array_equal(joined[:length], samples)
    assert not joined[length:].any()
