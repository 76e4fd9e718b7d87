#!/usr/bin/env python3
"""Sets Backtalk up and runs it. Needs Python 3.10 or later and a package index; nothing else.

    python3 run.py              set up what is missing, then listen and answer
    python3 run.py COMMAND ...  the same, for any command of backtalk (ask, doctor, evaluate, ...)
    python3 run.py test ...     set up, then run all tests (further words go to pytest)

Everything is installed into the folder .venv beside this file. The second time nothing is installed again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STAMP = VENV / "backtalk-installed"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
NEEDED = (3, 10)


def fail(sentence: str) -> None:
    sys.exit(f"Backtalk: {sentence}")


def make_environment() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail(
            "Python's venv module is missing. On Debian, Ubuntu and Raspberry Pi OS run: sudo apt install python3-venv"
        )
    print("Making an environment in .venv ...", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)]).returncode:
        fail(
            "the environment could not be made. On Debian, Ubuntu and Raspberry Pi OS run: sudo apt install python3-venv python3-pip"
        )


def install(extras: tuple[str, ...]) -> None:
    """Installs the project with these extras, unless this very state of pyproject.toml is installed with them already."""
    wanted = hashlib.sha256((HERE / "pyproject.toml").read_bytes()).hexdigest()
    have = STAMP.read_text().split() if STAMP.is_file() else []
    if PYTHON.is_file() and have[:1] == [wanted] and set(extras) <= set(have[1:]):
        return
    if not PYTHON.is_file():
        make_environment()
    every = sorted({*have[1:], *extras}) if have[:1] == [wanted] else sorted(extras)
    print("Installing; this takes a minute the first time ...", flush=True)
    target = f"{HERE}[{','.join(every)}]" if every else str(HERE)
    if subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", target]
    ).returncode:
        fail("the installation failed; the lines above say why. A package index must be reachable the first time.")
    STAMP.write_text(" ".join([wanted, *every]))


def run(program: list[str]) -> int:
    try:
        return subprocess.run(program).returncode
    except KeyboardInterrupt:
        return 130


def become(program: list[str]) -> int:
    """Goes on as this program, so that a signal that ends run.py ends what listens. Windows can't: there it is run."""
    if os.name == "nt":
        return run(program)
    sys.stdout.flush()
    os.execv(program[0], program)


def main(words: list[str]) -> int:
    if sys.version_info < NEEDED:
        fail(f"Python {NEEDED[0]}.{NEEDED[1]} or later is needed; this is {sys.version.split()[0]}.")
    if words[:1] == ["test"]:
        install(("test",))
        if code := run([str(PYTHON), "-m", "voice.cli", "setup"]):
            return code
        os.chdir(HERE)
        return become([str(PYTHON), "-m", "pytest", *words[1:]])
    install(())
    if not words and (code := run([str(PYTHON), "-m", "voice.cli", "setup"])):
        return code
    return become([str(BIN / "backtalk"), *words])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
