"""What all tests share: the speech model, where there is one."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from voice.errors import ModelError
from voice.model import MANIFEST, SpeechModel, find_model, load_model

# No test by the clock, and none that differs from run to run: a loaded machine is slow, and a find on the CI must be found again here.
hypothesis.settings.register_profile("calm", deadline=None, derandomize=True)
hypothesis.settings.load_profile("calm")


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
