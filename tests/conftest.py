"""What all tests share: the speech model, where there is one."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.stalls import STOOD_STILL_S, MachineStoodStill, watched
from voice.errors import ModelError
from voice.model import MANIFEST, SpeechModel, find_model, load_model

# No test by the clock, and none that differs from run to run: a loaded machine is slow, and a find on the CI must be found again here.
hypothesis.settings.register_profile("calm", deadline=None, derandomize=True)
hypothesis.settings.load_profile("calm")


TRIES = 2
"""Of a test in real time, when it failed and the machine had stood still."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs in real time is tried again, but only for that one reason."""
    again = pytest.mark.flaky(reruns=TRIES - 1, reruns_delay=3, only_rerun=[MachineStoodStill.__name__])
    for item in items:
        if item.get_closest_marker("realtime"):
            item.add_marker(again)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """See tests/stalls.py."""
    if not pyfuncitem.get_closest_marker("realtime"):
        return (yield)
    try:
        with watched() as stalls:
            return (yield)
    except Exception as error:
        if stalls.worst_s < STOOD_STILL_S:
            raise
        reason = f"the machine stood still for {stalls.worst_s:.2f} s: {error}"
        if getattr(pyfuncitem, "execution_count", 1) >= TRIES:
            pytest.skip(f"real time proves nothing here: {reason}")
        raise MachineStoodStill(reason) from error


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """A command that runs in this process sets the level of the program's log: it is put back, or later tests see nothing."""
    level = logging.getLogger("voice").level
    yield
    logging.getLogger("voice").setLevel(level)


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Folder of the speech model: BACKTALK_MODEL, else the user's cache. Skips, visibly, where there is none."""
    try:
        return find_model()
    except ModelError as error:
        pytest.skip(f"no speech model: {error}")


@pytest.fixture(scope="session")
def speech_model(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """The loaded model, shared by all tests; without dither, as a taught one (see voice.lm), so that no result is by chance."""
    place = tmp_path_factory.mktemp("model") / model_dir.name
    shutil.copytree(model_dir, place, copy_function=os.symlink, ignore=shutil.ignore_patterns(MANIFEST))
    options = place / "conf" / "mfcc.conf"
    before = options.read_text("utf-8")
    options.unlink()
    options.write_text(f"{before}\n--dither=0\n", "utf-8")
    return load_model(place)
