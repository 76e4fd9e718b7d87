"""Microphones: a recording as one, and real device calls through a PulseAudio of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.pulse import PulseServer, lacking
from voice import mic
from voice.errors import DeviceError
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE
from voice.mic import FileMicrophone, SystemMicrophone, default_microphone, find_microphone, microphones

DESK = "master=into_desk.monitor source_name=desk source_properties=device.description=Desk"
TONE = Path(__file__).parent / "data" / "what_is_facet_hypertrophy.flac"


def test_a_recording_as_microphone_gives_the_same_frames_each_time() -> None:
    samples = np.arange(2 * FRAME_SAMPLES + 10, dtype=np.int16)
    source = FileMicrophone(samples, tail_s=0.1)
    for _ in range(2):
        with source:
            cut = []
            with suppress(EOFError):
                while True:
                    cut.append(source.read())
        joined = np.concatenate(cut)
        assert np.array_equal(joined[: len(samples)], samples)
        assert not joined[len(samples) :].any()
        assert 0 <= len(joined) - len(samples) - 0.1 * SAMPLE_RATE < FRAME_SAMPLES
    with pytest.raises(EOFError):
        source.read()


def test_frames_nobody_reads_are_dropped_oldest_first_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mic, "QUEUE_FRAMES", 3)
    source = SystemMicrophone()
    receiver = source._receive()
    next(receiver)
    samples = np.repeat(np.arange(5, dtype=np.int16), FRAME_SAMPLES)
    for piece in np.array_split(samples, 7):  # the device's pieces are not our frames
        receiver.send(bytearray(piece.tobytes()))
    assert source.overflowed == 2 * FRAME_SAMPLES
    source._capture = object()
    assert [int(source.read()[0]) for _ in range(3)] == [2, 3, 4]


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseServer]:
    """A sound server with a loudspeaker and a microphone "Desk" that hears what is played into the sink "into_desk"."""
    if lacking("paplay"):
        pytest.skip("PulseAudio is not installed (on Debian: apt install pulseaudio pulseaudio-utils)")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sinks = [f"module-null-sink sink_name={name}" for name in ("speaker", "into_desk")]
    server = PulseServer(runtime, [*sinks, f"module-remap-source {DESK}"])
    for name in ("PULSE_SOURCE", "PULSE_SINK", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**server.variables, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()


def loudest(source: SystemMicrophone, count: int) -> int:
    return max(int(np.abs(source.read().astype(int)).max()) for _ in range(count))


@pytest.mark.realtime
def test_hears_what_is_said_into_it(pulse: PulseServer) -> None:
    assert default_microphone() == "Desk"
    with SystemMicrophone() as source:
        assert source.read().shape == (FRAME_SAMPLES,)
        player = subprocess.Popen(["paplay", "--device=into_desk", str(TONE)])
        assert loudest(source, 150) > 3000
        assert player.wait() == 0
        assert source.overflowed == 0
    with pytest.raises(DeviceError):
        source.read()


@pytest.mark.realtime
def test_each_frame_is_cleaned(pulse: PulseServer) -> None:
    with SystemMicrophone(clean=lambda frame: np.full_like(frame, 7)) as source:
        assert set(source.read()) == {7}


@pytest.mark.realtime
def test_chosen_by_id_or_name(pulse: PulseServer) -> None:
    assert [find_microphone(wanted).id for wanted in ("desk", "Desk", "DES", " desk ")] == ["desk"] * 4
    with SystemMicrophone("desk") as source:
        assert source.read().dtype == np.int16
    with pytest.raises(DeviceError, match="Desk"), SystemMicrophone("headset"):
        pass
    with pytest.raises(DeviceError, match="More than one"):
        find_microphone("null output")


@pytest.mark.realtime
def test_a_loudspeaker_s_monitor_is_no_microphone(pulse: PulseServer) -> None:
    pulse.pactl("unload-module", "module-remap-source")
    assert microphones()
    assert all(device.monitor for device in microphones())
    assert default_microphone() is None
    with pytest.raises(DeviceError, match="can't find a microphone"), SystemMicrophone():
        pass


@pytest.mark.parametrize("wanted", ["desk", None])
@pytest.mark.realtime
def test_unplugged_in_the_middle(pulse: PulseServer, wanted: str | None) -> None:
    """Also where the sound server moves the recording to what the loudspeaker plays."""
    with SystemMicrophone(wanted) as source:
        source.read()
        pulse.pactl("unload-module", "module-remap-source")
        with pytest.raises(DeviceError, match="was lost"):
            loudest(source, 10_000)


def test_no_sound_server_is_no_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if any(Path("/dev").glob("snd/pcm*")):
        pytest.skip("this machine has a sound card")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/absent")
    assert default_microphone() is None
    with pytest.raises(DeviceError, match="plug one in"), SystemMicrophone():
        pass
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
