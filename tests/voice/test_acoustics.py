"""The changes to the acoustic model: made to one file only, and to nothing else in it."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice import acoustics, lm
from voice.acoustics import AcousticsError, Changes, changed, read_changes

BEFORE = b"head" + np.arange(6, dtype="<f4").tobytes() + b"tail"


def write(path: Path, **arrays: Any) -> Path:
    about = {"sha256": np.array(hashlib.sha256(BEFORE).hexdigest()), "size": np.array(len(BEFORE))}
    np.savez(path, allow_pickle=False, **(about | arrays))
    return path


def test_each_row_is_moved_by_its_steps_and_the_rest_stays(tmp_path: Path) -> None:
    steps = np.array([[1, 0, -127], [2, 2, 2]], np.int8)
    file = write(tmp_path / "changes.npz", q4=steps, s4=np.array([0.5, 2.0], np.float32))
    after = changed(BEFORE, read_changes(file))
    assert (after[:4], after[-4:], len(after)) == (b"head", b"tail", len(BEFORE))
    assert np.frombuffer(after, "<f4", 6, 4).tolist() == [0.5, 1.0, 2.0 - 63.5, 7.0, 8.0, 9.0]


def test_no_changes_leave_every_byte(tmp_path: Path) -> None:
    file = write(tmp_path / "changes.npz", q4=np.zeros((2, 3), np.int8), s4=np.ones(2, np.float32))
    assert changed(BEFORE, read_changes(file)) == BEFORE


@pytest.mark.parametrize("other", [BEFORE[:-1], BEFORE[:-1] + b"L", b""])
def test_another_model_is_refused_in_words(tmp_path: Path, other: bytes) -> None:
    with pytest.raises(AcousticsError, match="used as it is"):
        changed(other, read_changes(write(tmp_path / "changes.npz")))


def test_changes_past_the_end_of_the_model_are_refused() -> None:
    past = Changes(hashlib.sha256(BEFORE).hexdigest(), len(BEFORE), ((len(BEFORE) - 3, np.ones(1, np.float32)),))
    with pytest.raises(AcousticsError, match="install the program again"):
        changed(BEFORE, past)


@pytest.mark.parametrize(
    "arrays",
    [
        {"q4": np.zeros((2, 3), np.int8)},
        {"q4": np.zeros((2, 3), np.int8), "s4": np.zeros(3, np.float32)},
        {"q4": np.zeros((2, 3), np.int8), "s4": np.full(2, np.nan, np.float32)},
        {"qx": np.zeros((2, 3), np.int8), "sx": np.zeros(2, np.float32)},
    ],
)
def test_a_broken_file_of_changes_is_told_in_words(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(AcousticsError, match="install the program again"):
        read_changes(write(tmp_path / "changes.npz", **arrays))


def test_a_missing_or_cut_file_of_changes_is_told_in_words(tmp_path: Path) -> None:
    whole = write(tmp_path / "changes.npz", q4=np.zeros((2, 3), np.int8), s4=np.ones(2, np.float32)).read_bytes()
    for content in (b"", whole[: len(whole) // 2]):
        (tmp_path / "cut.npz").write_bytes(content)
        with pytest.raises(AcousticsError):
            read_changes(tmp_path / "cut.npz")
    with pytest.raises(AcousticsError):
        read_changes(tmp_path / "nowhere.npz")


def test_an_unknown_model_is_left_as_it_is_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "final.mdl").write_bytes(b"model")
    with caplog.at_level(logging.INFO, "voice"):
        assert acoustics.improved(tmp_path / "final.mdl") is None
    assert "used as it is" in caplog.text


@pytest.mark.model
def test_the_bundled_changes_fit_the_published_model(model_dir: Path) -> None:
    before = (model_dir / acoustics.MODEL).read_bytes()
    after = acoustics.improved(model_dir / acoustics.MODEL)
    assert after is not None
    assert len(after) == len(before)
    parts = acoustics.bundled().parts
    assert len(parts) > 40
    for offset, amount in parts:
        numbers = np.frombuffer(after, "<f4", amount.size, offset)
        assert np.isfinite(numbers).all()
        assert np.abs(numbers - np.frombuffer(before, "<f4", amount.size, offset)).max() <= np.abs(amount).max() * 1.01


@pytest.mark.model
def test_a_taught_model_hears_with_them_and_its_source_stays(model_dir: Path, tmp_path: Path) -> None:
    before = hashlib.sha256((model_dir / acoustics.MODEL).read_bytes()).hexdigest()
    out = lm.adapt(model_dir, ["my facet joint hurts"], tmp_path / "taught")
    assert (out / acoustics.MODEL).read_bytes() == acoustics.improved(model_dir / acoustics.MODEL)
    assert hashlib.sha256((model_dir / acoustics.MODEL).read_bytes()).hexdigest() == before
