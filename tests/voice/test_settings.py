"""Settings survive a restart, and whatever a person writes into the file."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from voice.errors import BacktalkError
from voice.settings import Settings, load_settings, parse_settings, save_settings


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    told: list[str] = []
    assert load_settings(tmp_path / "none.toml", told.append) == Settings()
    assert not told


def test_what_was_saved_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"
    chosen = Settings().slower().quieter()
    chosen = replace(chosen, patience="patient", emergency_number="112", voice="Klaus", follow_up_s=12.5)
    save_settings(chosen, path)
    assert load_settings(path) == chosen


def test_only_what_was_chosen_is_written(tmp_path: Path) -> None:
    """So that a better default of a later version reaches who never chose."""
    path = tmp_path / "settings.toml"
    save_settings(Settings().faster(), path)
    assert path.read_text().strip() == f"rate = {Settings().faster().rate}"
    save_settings(Settings(), path)
    assert f"rate = {Settings().rate}" in path.read_text()  # back to the default by choice


def test_a_key_of_a_later_version_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('later = "x"\n')
    told: list[str] = []
    save_settings(load_settings(path, told.append).louder(), path)
    assert 'later = "x"' in path.read_text()
    assert "later" in told[0]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("rate = 1000", "rate"),
        ('rate = "fast"', "rate"),
        ("rate = true", "rate"),
        ("volume = 0", "volume"),
        ('patience = "endless"', "patience"),
        ("follow_up_s = nan", "follow_up_s"),
        ('emergency_number = "police"', "emergency_number"),
        ('emergency_number = ""', "emergency_number"),
        ('voice = "a\\nb"', "voice"),
        ("wake_phrase = ['hey']", "wake_phrase"),
        ('cues = "loud"', "cues"),
    ],
)
def test_a_bad_value_is_told_and_only_that_key_falls_back(tmp_path: Path, line: str, key: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'{line}\nloudspeaker = "kitchen"\n')
    told: list[str] = []
    settings = load_settings(path, told.append)
    assert settings == replace(Settings(), loudspeaker="kitchen")
    assert len(told) == 1
    assert key in told[0]


@pytest.mark.parametrize("content", [b"rate = ", b"\xff\xfe", b"[[", b"\x00"])
def test_a_broken_file_is_told_and_gives_the_defaults(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    told: list[str] = []
    assert load_settings(path, told.append) == Settings()
    assert len(told) == 1


def test_an_emergency_number_may_be_written_as_a_number() -> None:
    problems: list[str] = []
    assert parse_settings({"emergency_number": 112}, problems).emergency_number == "112"
    assert not problems


def test_a_folder_that_cannot_be_written_is_a_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BacktalkError, match="couldn't keep your settings"):
        save_settings(Settings(), tmp_path / "file" / "settings.toml")


def test_steps_stop_at_the_bounds() -> None:
    slow = fast = quiet = loud = Settings()
    for _ in range(50):
        slow, fast, quiet, loud = slow.slower(), fast.faster(), quiet.quieter(), loud.louder()
    assert (slow.rate, fast.rate, quiet.volume, loud.volume) == (100, 300, 10, 100)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=3
)


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(asdict(Settings()))) | st.text(max_size=60), _values, max_size=8))
def test_whatever_stands_in_the_file_gives_settings_that_are_valid(document: dict[str, object]) -> None:
    settings = parse_settings(document, [])
    problems: list[str] = []
    assert parse_settings(asdict(settings), problems) == settings
    assert not problems
