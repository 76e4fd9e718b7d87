"""`backtalk doctor`: one line a part, what to do, and an exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from voice.commands import doctor
from voice.commands.doctor import Finding, examine, summary
from voice.errors import DeviceError
from voice.settings import Settings


def _fails() -> str:
    raise DeviceError("Please plug it in.", "no such device")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is said aloud; settings are those of an empty home folder."""
    spoken: list[str] = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "_say", lambda sentence, _settings: spoken.append(sentence))
    return spoken


def _run(monkeypatch: pytest.MonkeyPatch, checks: dict[str, doctor.Check], *arguments: str) -> Result:
    monkeypatch.setattr(doctor, "_checks", lambda *_: list(checks.items()))
    return CliRunner().invoke(doctor.command, list(arguments))


def test_all_is_well(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    result = _run(monkeypatch, {"Voice": lambda: "It speaks.", "Microphone": lambda: "It hears."})
    assert result.exit_code == 0
    assert result.output.splitlines() == ["Voice: OK. It speaks.", "Microphone: OK. It hears."]
    assert said == ["Everything works."]


def test_a_problem_is_told_with_what_to_do_and_the_rest_is_checked_all_the_same(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    result = _run(monkeypatch, {"Microphone": _fails, "Voice": lambda: "It speaks."})
    assert result.exit_code == 1
    assert "Microphone: Problem. Please plug it in." in result.output
    assert "Voice: OK" in result.output
    assert "plug it in" in said[0]
    assert "no such device" not in result.output  # the reason is for the log


def test_json_says_nothing_aloud(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    result = _run(monkeypatch, {"Microphone": _fails}, "--json")
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert [finding["part"] for finding in report["findings"]] == ["Settings", "Microphone"]
    assert said == []
    assert result.exit_code == 1


def test_bad_settings_are_a_problem(monkeypatch: pytest.MonkeyPatch, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "backtalk").mkdir()
    (tmp_path / "backtalk" / "settings.toml").write_text("rate = 9000")
    result = _run(monkeypatch, {"Voice": lambda: "It speaks."})
    assert result.exit_code == 1
    assert "rate" in said[0]


def test_what_is_said_is_short_and_counts_the_problems() -> None:
    one = [Finding("A", True, "x."), Finding("B", False, "Do this.")]
    assert summary(one) == "One thing needs your help. B: Do this."
    assert summary([*one, Finding("C", False, "Do that.")]).startswith("2 things need your help.")


def test_without_any_device_the_real_checks_give_sentences_not_tracebacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent")
    monkeypatch.setenv("BACKTALK_MODEL", str(tmp_path))
    findings = [examine(part, check) for part, check in doctor._checks(Settings(), None, (tmp_path,))]
    parts = ["Speech model", "Answers", "Warnings", "Voice", "Loudspeaker", "Microphone", "Echo"]
    assert [finding.part for finding in findings] == parts
    assert not findings[0].ok
    assert not findings[1].ok
    for finding in findings:
        assert finding.sentence.endswith((".", "?"))
        assert "\n" not in finding.sentence


def test_it_names_the_numbers_that_warnings_name() -> None:
    settings = Settings(emergency_number="112", crisis_line="116 123")
    check = dict(doctor._checks(settings, None, ()))["Warnings"]
    assert "112" in check()
    assert "116 123" in check()
