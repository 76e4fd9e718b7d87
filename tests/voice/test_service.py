"""The systemd unit, and telling systemd how it goes."""

from __future__ import annotations

import configparser
import os
import shlex
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from voice.commands import service
from voice.notify import notify


def _unit(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_the_unit_restarts_it_and_watches_it() -> None:
    unit = _unit(service.unit_text("/opt/backtalk/bin/backtalk"))["Service"]
    assert unit["Type"] == "notify"
    assert unit["Restart"] == "on-failure"
    assert int(unit["WatchdogSec"]) > 15
    assert shlex.split(unit["ExecStart"]) == ["/opt/backtalk/bin/backtalk", "listen"]


def test_paths_and_options_with_odd_characters_are_quoted() -> None:
    unit = _unit(service.unit_text("/home/a b/100%/backtalk", ("--wake-phrase", "hey $you")))["Service"]
    assert shlex.split(unit["ExecStart"]) == [
        "/home/a b/100%%/backtalk",
        "listen",
        "--wake-phrase",
        "hey $$you",
    ]


def test_no_words_of_anybody_reach_the_journal() -> None:
    assert "transcript" not in service.unit_text("backtalk")


def test_without_systemd_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(service, "_program", lambda: "/bin/backtalk")
    monkeypatch.setattr(service.shutil, "which", lambda _name: None)
    result = CliRunner().invoke(service.command, ["install"])
    assert result.exit_code == 1
    assert "systemd" in result.output
    assert "Traceback" not in result.output


def test_install_status_and_uninstall(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def systemctl(*arguments: str, check: bool = True) -> str:
        asked.append(arguments)
        return "active\n"

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(service, "_program", lambda: "/bin/backtalk")
    monkeypatch.setattr(service, "_systemctl", systemctl)
    run = CliRunner().invoke
    assert run(service.command, ["status"]).exit_code == 1
    assert run(service.command, ["install", "--", "--no-wake"]).exit_code == 0
    assert "--no-wake" in service.unit_path().read_text()
    assert ("enable", "--now", "backtalk.service") in asked
    assert run(service.command, ["status"]).exit_code == 0
    assert run(service.command, ["uninstall"]).exit_code == 0
    assert not service.unit_path().exists()


def test_systemd_is_told_through_its_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        assert notify("READY=1")
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nonexistent/socket", "@" + os.urandom(8).hex()])
def test_a_missing_socket_is_no_failure(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("READY=1")
