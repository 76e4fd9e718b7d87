"""The model that a command gets: taught where it can be, plain where not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from speech_models import make_model

from voice.cli import main
from voice.fst import LanguageModelError
from voice.model import cached_model
from voice.prepare import adapted_folder, prepared_model

SENTENCES = ("what is facet hypertrophy",)


def teach(monkeypatch: pytest.MonkeyPatch, ensure_adapted: object) -> None:
    """Puts a language-model teacher of the test's own in the place of the real one, which takes seconds."""
    lm = ModuleType("voice.lm")
    lm.__dict__.update(ensure_adapted=ensure_adapted, LanguageModelError=LanguageModelError)
    monkeypatch.setitem(sys.modules, "voice.lm", lm)


def test_the_prepared_model_is_the_taught_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make_model(cached_model())
    taught: list[tuple[Path, tuple[str, ...]]] = []

    def ensure_adapted(model: Path, sentences: tuple[str, ...], folder: Path, progress: object = None) -> Path:
        taught.append((model, sentences))
        return folder / "taught"

    teach(monkeypatch, ensure_adapted)
    assert prepared_model(None, SENTENCES) == adapted_folder() / "taught"
    assert taught == [(plain, SENTENCES)]
    assert prepared_model(None, ()) == plain
    assert len(taught) == 1


def test_a_model_that_cannot_be_taught_is_used_plain_and_that_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = make_model(cached_model())

    def ensure_adapted(*_: object, **__: object) -> Path:
        raise LanguageModelError("This speech model can't be taught.", "a fixed graph")

    teach(monkeypatch, ensure_adapted)
    told: list[str] = []
    assert prepared_model(None, SENTENCES, lambda doing, done=0, total=0: told.append(doing)) == plain
    assert any("can't be taught" in line and "plain" in line for line in told)


def test_set_up_says_a_problem_in_one_sentence_with_status_1(home: Path) -> None:
    done = CliRunner().invoke(main, ["setup", "--model", str(home / "absent")])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "no speech model folder" in done.stderr
