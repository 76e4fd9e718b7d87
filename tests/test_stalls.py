"""A failure is excused where the machine stood still meanwhile, and only there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FROZEN = """
import os, subprocess, sys, time
import pytest

def freeze():
    subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(.5); os.kill({os.getpid()}, 18)"])
    os.kill(os.getpid(), 19)

@pytest.mark.realtime
def test_fails_while_frozen():
    freeze()
    assert False, "what was said had holes"

@pytest.mark.realtime
def test_fails_awake():
    assert False

@pytest.mark.realtime
def test_passes_frozen():
    freeze()

def test_not_in_real_time():
    freeze()
    assert False
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="freezes itself with Linux's signal numbers")
def test_only_a_failure_while_the_machine_stood_still_is_tried_again_and_then_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_frozen.py").write_text(FROZEN, encoding="utf-8")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", f"--junitxml={report}"]
    root = Path(__file__).parents[1]
    done = subprocess.run([*command, str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "1 rerun" in done.stdout
    ends = {case.get("name"): case for case in ElementTree.parse(report).iter("testcase")}
    assert {name: [end.tag for end in case] for name, case in ends.items()} == {
        "test_fails_while_frozen": ["skipped"],
        "test_fails_awake": ["failure"],
        "test_passes_frozen": [],
        "test_not_in_real_time": ["failure"],
    }
    told = ends["test_fails_while_frozen"][0].get("message") or ""
    assert "stood still for 0." in told
    assert "what was said had holes" in told
