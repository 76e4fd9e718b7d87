"""The computer's loudspeaker, on a private PulseAudio with a null sink."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sounds import tone

from tests.pulse import PulseServer, lacking
from voice.errors import DeviceError
from voice.loudspeaker import DEVICE_RATE, LEAD_IN_S, SystemSpeaker, loudspeakers
from voice.speech import Int16

needs_pulse = pytest.mark.skipif(bool(lacking("parec")), reason="pulseaudio and pulseaudio-utils are missing")
pytestmark = pytest.mark.realtime


class Pulse(PulseServer):
    """A private sound server with one null sink called `earshot`, and a recorder at its monitor."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder, ["module-null-sink sink_name=earshot sink_properties=device.description=Earshot rate=48000"]
        )
        self.folder = folder
        self._heard = bytearray()
        self.start()
        record = ["parec", "--device=earshot.monitor", "--rate=48000", "--channels=1", "--format=s16le"]
        self.recorder = subprocess.Popen([*record, "--latency-msec=10"], env=self.environment, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.recorder.stdout is not None
        while part := self.recorder.stdout.read1(4096):  # type: ignore[union-attr]
            self._heard += part

    def heard(self) -> Int16:
        """Everything that sounded so far, without the silence around it."""
        data = bytes(self._heard)
        samples = np.frombuffer(data[: len(data) // 2 * 2], dtype=np.int16)
        loud = np.flatnonzero(np.abs(samples.astype(int)) > 40)
        return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]

    def heard_at_least(self, seconds: float) -> Int16:
        """`heard`, once it is that long, or after ten seconds."""
        for _ in range(200):
            if len(self.heard()) >= seconds * DEVICE_RATE:
                break
            threading.Event().wait(0.05)
        return self.heard()

    def forget(self) -> None:
        threading.Event().wait(0.2)  # what is still on its way belongs to the past
        self._heard.clear()

    def close(self) -> None:
        self.kill()
        self.recorder.kill()
        self.recorder.wait()


@pytest.fixture
def pulse(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    folder = tmp_path_factory.mktemp("p")
    pulse = Pulse(folder)
    for name, value in {**pulse.variables, "HOME": str(folder)}.items():
        monkeypatch.setenv(name, value)
    yield pulse
    pulse.close()


@needs_pulse
def test_what_is_played_is_heard_whole_and_in_order(pulse: Pulse) -> None:
    assert loudspeakers() == ("Earshot",)
    told: list[Int16] = []
    with SystemSpeaker("earshot", played=lambda block, _rate: told.append(block.copy())) as speaker:
        speaker.play(tone(0.5, hertz=400), 22_050)
        speaker.play(tone(0.5, 16_000, hertz=1_000), 16_000)
        assert speaker.playing
        assert speaker.wait(20)
        assert not speaker.playing
        assert speaker.played_samples == pytest.approx((1.0 + LEAD_IN_S) * DEVICE_RATE, abs=5)
    assert np.count_nonzero(np.concatenate(told)) == pytest.approx(DEVICE_RATE, rel=0.05)
    heard = pulse.heard_at_least(0.95)
    assert len(heard) == pytest.approx(DEVICE_RATE, rel=0.05)
    for part, hertz in ((heard[: len(heard) // 2], 400), (heard[len(heard) // 2 :], 1_000)):
        assert np.argmax(np.abs(np.fft.rfft(part))) * DEVICE_RATE / len(part) == pytest.approx(hertz, rel=0.02)


@needs_pulse
def test_stop_from_another_thread_silences_within_two_buffers_and_forgets_the_rest(pulse: Pulse) -> None:
    with SystemSpeaker() as speaker:
        speaker.play(tone(30), 22_050)
        speaker.play(tone(30), 22_050)
        assert len(pulse.heard_at_least(0.5))
        given = speaker.played_samples
        stopper = threading.Thread(target=speaker.stop)
        stopper.start()
        assert speaker.wait(20)
        stopper.join()
        assert speaker.played_samples - given <= 0.3 * DEVICE_RATE  # a fade of 10 ms; the rest is this test's own delay
        assert len(pulse.heard()) < 5 * DEVICE_RATE
        pulse.forget()
        speaker.play(tone(0.2), 22_050)
        assert speaker.wait(20)
        assert len(pulse.heard_at_least(0.19)) < 0.4 * DEVICE_RATE  # nothing of the old sound comes back


@needs_pulse
def test_lead_in_only_before_the_first_sound_of_a_stream(pulse: Pulse) -> None:
    """Who asks after a long silence isn't kept waiting: the open stream has carried silence all the time."""
    with SystemSpeaker() as speaker:
        for _ in range(2):
            speaker.play(tone(0.1), 22_050)
            assert speaker.wait(20)
        assert speaker.played_samples == pytest.approx((0.2 + LEAD_IN_S) * DEVICE_RATE, abs=10)
        speaker._next(60 * DEVICE_RATE)  # a minute of silence
        speaker.play(tone(0.1), 22_050)
        assert speaker.wait(20)
        assert speaker.played_samples == pytest.approx((0.3 + LEAD_IN_S) * DEVICE_RATE, abs=15)
    with SystemSpeaker(keep_alive=False) as speaker:
        for _ in range(2):  # each time it is opened anew
            speaker.play(tone(0.1), 22_050)
            assert speaker.wait(20)
        assert speaker.played_samples == pytest.approx((0.2 + 2 * LEAD_IN_S) * DEVICE_RATE, abs=15)


@needs_pulse
def test_after_a_reply_that_was_torn_it_opens_with_a_longer_buffer_and_loses_nothing(pulse: Pulse) -> None:
    with SystemSpeaker() as speaker:
        for _ in range(2):
            pulse.forget()
            speaker.play(tone(0.5), 22_050)
            for _ in range(3):  # the machine stood still
                speaker._buffer.asked_after(0.3)
            assert speaker.wait(20)
            speaker.end()
            assert speaker._buffer.ms == 320
            heard = pulse.heard_at_least(0.49)
            assert len(heard) == pytest.approx(0.5 * DEVICE_RATE, rel=0.05)
        assert speaker.played_samples == pytest.approx((1.0 + LEAD_IN_S) * DEVICE_RATE, abs=10)


@needs_pulse
def test_the_longer_buffer_is_kept_for_a_loudspeaker_that_is_closed_between_replies(pulse: Pulse) -> None:
    with SystemSpeaker(keep_alive=False) as speaker:
        speaker.play(tone(0.2), 22_050)
        for _ in range(3):
            speaker._buffer.asked_after(0.3)
        assert speaker.wait(20)
        speaker.end()
        assert speaker._buffer.ms == 320
        pulse.forget()
        speaker.play(tone(0.2), 22_050)
        assert speaker.wait(20)
        assert len(pulse.heard_at_least(0.19)) == pytest.approx(0.2 * DEVICE_RATE, rel=0.1)


@needs_pulse
def test_a_lost_sound_server_is_noticed_and_a_new_one_is_used(
    pulse: Pulse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    speaker = SystemSpeaker()
    speaker.play(tone(60), 22_050)
    pulse.heard_at_least(0.2)
    pulse.close()
    with pytest.raises(DeviceError, match="connect it again"):
        speaker.wait(30)
    with pytest.raises(DeviceError, match="can't find a loudspeaker"):
        speaker.play(tone(0.1), 22_050)
    again = Pulse(pulse.folder)
    try:
        speaker.play(tone(0.3), 22_050)
        assert speaker.wait(20)
        assert len(again.heard_at_least(0.25)) > 0.25 * DEVICE_RATE
    finally:
        speaker.close()
        again.close()


@needs_pulse
def test_without_keep_alive_the_device_is_given_back(pulse: Pulse) -> None:
    speaker = SystemSpeaker(keep_alive=False)
    speaker.play(tone(0.2), 22_050)
    assert speaker.wait(20)
    assert len(pulse.heard_at_least(0.19)) > 0.19 * DEVICE_RATE  # the last buffers still sound
    for _ in range(100):
        if not (inputs := pulse.pactl("list", "short", "sink-inputs").stdout):
            break
        threading.Event().wait(0.05)
    assert inputs == ""


@needs_pulse
def test_an_unknown_loudspeaker_is_named(pulse: Pulse) -> None:
    with pytest.raises(DeviceError, match="Bathroom") as failure:
        SystemSpeaker("Bathroom").open()
    assert "Earshot" in failure.value.reason


def test_no_loudspeaker_is_none_and_nothing_is_written_about_it(tmp_path: Path) -> None:
    code = (
        "from voice.loudspeaker import *\nprint(loudspeakers(), find_loudspeaker())\n"
        "try:\n    SystemSpeaker().play(__import__('numpy').zeros(9, 'int16'), 16000)\n"
        "except DeviceError as error:\n    print(error)"
    )
    environment = {"HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none", "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    if run.stdout.startswith("() None") is False and Path("/proc/asound/cards").exists():
        pytest.skip("this machine has a sound card")
    assert run.stdout.splitlines()[0] == "() None"
    assert "can't find a loudspeaker" in run.stdout
    assert run.stderr == ""
