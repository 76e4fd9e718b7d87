"""Speakers that need no device: how loud they are, replies kept as files, and words that nobody hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import tone

from voice.errors import DeviceError
from voice.file_speaker import FileSpeaker
from voice.loudspeaker import SystemSpeaker, find_loudspeaker
from voice.speaker import NoSpeaker, Speaker, gain


def test_volume_is_a_gain_with_a_floor_for_warnings() -> None:
    assert gain(1.0) == gain(1.0, urgent=True) == 1.0
    assert gain(0.0) == 0.0
    assert gain(0.0, urgent=True) == gain(0.5) > 0.2
    assert gain(7.0) == 1.0


def test_files_one_for_each_reply_at_one_rate_with_the_volume(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with FileSpeaker(folder) as speaker:
        speaker.play(tone(1), 22_050)  # a cue between replies belongs to none
        speaker.begin("q1.wav reply/../x")
        speaker.play(tone(0.5), 22_050)
        speaker.volume = 0.0
        speaker.play(tone(0.5, 16_000), 16_000)
        speaker.play(tone(0.5), 22_050, urgent=True)
        speaker.end()
        speaker.begin("second")
        speaker.play(tone(0.25), 22_050)
    assert [path.parent for path in speaker.written] == [folder, folder]
    samples, rate = soundfile.read(speaker.written[0], dtype="int16")
    assert rate == 22_050
    assert len(samples) == pytest.approx(1.5 * rate, abs=5)
    first, silent, urgent = (np.max(np.abs(part)) for part in np.array_split(samples, 3))
    assert first > 7_900
    assert silent < 100
    assert urgent == pytest.approx(8_000 * gain(0.5), rel=0.05)


def test_a_folder_that_can_not_be_written_is_one_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    speaker = FileSpeaker(tmp_path / "file")
    speaker.begin("one")
    speaker.play(tone(0.1), 22_050)
    with pytest.raises(DeviceError, match="another one"):
        speaker.end()


def test_no_speaker_tells_the_words() -> None:
    told: list[str] = []
    with NoSpeaker(told.append) as speaker:
        speaker.begin("one")
        speaker.show("Call 911 now.")
        speaker.play(tone(0.1), 22_050)
        assert speaker.wait()
        speaker.end()
    assert told == ["Call 911 now."]


def test_all_three_are_speakers(tmp_path: Path) -> None:
    speakers: list[Speaker] = [SystemSpeaker(), FileSpeaker(tmp_path), NoSpeaker(print)]
    assert not any(speaker.playing for speaker in speakers)
    assert find_loudspeaker("no such loudspeaker anywhere") is None
