"""`backtalk service`: starts Backtalk with the device, as a systemd user service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click

from voice.errors import BacktalkError

UNIT = "backtalk.service"
WATCHDOG_S = 30
"""Longer than loading and any one step; a program that gives no sign for so long is started again."""
START_S = 300
"""The first start fetches the speech model."""
_TIMEOUT_S = 60
_NO_SYSTEMD = "This computer has no systemd for users, so I can't start by myself: please start backtalk by hand."


def unit_path() -> Path:
    """Where systemd looks for a user's own units."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(config) if config else Path.home() / ".config") / "systemd" / "user" / UNIT


def unit_text(program: str, options: tuple[str, ...] = ()) -> str:
    """The unit file. Nothing that was said is ever logged, so the journal holds no words of anybody."""
    start = " ".join(_quoted(word) for word in (program, "listen", *options))
    return f"""\
[Unit]
Description=Backtalk, a spoken assistant
Documentation=man:systemd.service(5)
After=pipewire-pulse.service pulseaudio.service sound.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
ExecStart={start}
Restart=on-failure
RestartSec=2
WatchdogSec={WATCHDOG_S}
TimeoutStartSec={START_S}
TimeoutStopSec=10
Environment=PYTHONUNBUFFERED=1
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(word: str) -> str:
    """A word of ExecStart=: quoted, its specifiers and variables switched off (systemd.service(5), systemd.unit(5))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


@click.group()
def command() -> None:
    """Start Backtalk by itself when you log in, and again when it fails (needs systemd)."""


@command.command()
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION...]")
@click.option("--print", "only_print", is_flag=True, help="Print the unit file and change nothing.")
def install(options: tuple[str, ...], only_print: bool) -> None:
    """Install the service and start it. Options after two dashes are those of backtalk listen."""
    text = unit_text(_program(), options)
    if only_print:
        click.echo(text, nl=False)
        return
    path = unit_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        _fail(BacktalkError(f"I can't write {path}: please check its permissions.", str(error)))
    try:
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", UNIT)
    except BacktalkError as error:
        _fail(error)
    click.echo("Installed and started. Backtalk says when it is ready.")
    click.echo("To have it start with the computer, before you log in, run: loginctl enable-linger")


@command.command()
def uninstall() -> None:
    """Stop the service and remove it."""
    path = unit_path()
    if not path.exists():
        click.echo("The service is not installed.")
        return
    try:
        _systemctl("disable", "--now", UNIT)
    except BacktalkError as error:
        click.echo(str(error), err=True)  # the file is removed all the same
    path.unlink(missing_ok=True)
    click.echo("Removed.")


@command.command()
def status() -> None:
    """Say whether the service is installed and runs. The exit status is 1 when it doesn't."""
    if not unit_path().exists():
        click.echo("The service is not installed. To install it, run: backtalk service install")
        sys.exit(1)
    try:
        state = _systemctl("is-active", UNIT, check=False).strip() or "unknown"
    except BacktalkError as error:
        _fail(error)
    click.echo("The service runs." if state == "active" else f"The service is installed, its state is {state}.")
    sys.exit(0 if state == "active" else 1)


def _program() -> str:
    """The installed `backtalk` beside the Python that runs this, else the one on the path."""
    beside = Path(sys.executable).with_name("backtalk")
    found = str(beside) if beside.exists() else shutil.which("backtalk")
    if found is None:
        _fail(BacktalkError("I can't find the program backtalk: please install it with pipx or pip first."))
    return found


def _systemctl(*arguments: str, check: bool = True) -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise BacktalkError(_NO_SYSTEMD, "no systemctl")
    try:
        done = subprocess.run(
            [program, "--user", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BacktalkError(_NO_SYSTEMD, str(error)) from error
    if check and done.returncode:
        raise BacktalkError(f"{_NO_SYSTEMD} It said: {done.stderr.strip() or 'nothing'}", done.stderr)
    return done.stdout


def _fail(error: BacktalkError) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(1)
