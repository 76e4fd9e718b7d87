"""Leaving writers out, and the check on people who never speak of a spine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from intents.pack import bundled, load_pack, wording_files
from tools import held_out
from voice.evaluate.manifest import Line, read_manifest
from voice.evaluate.result import Result

PACK = bundled()[0]
WRITERS = [path.stem for path in wording_files(PACK)]
HUMAN = Path(__file__).resolve().parents[2] / "shared" / "human_speech" / "manifest.jsonl"


@pytest.mark.parametrize("number", [2, 3, 5])
def test_each_writer_is_left_out_once(number: int) -> None:
    parts = held_out.folds(WRITERS, number)
    assert sorted(writer for part in parts for writer in part) == sorted(WRITERS)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("number", [0, 1, len(WRITERS) + 1])
def test_folds_that_leave_nothing_to_learn_from_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="folds"):
        held_out.folds(WRITERS, number)


def test_a_copy_lacks_the_wordings_of_those_left_out_and_nothing_else(tmp_path: Path) -> None:
    left_out = held_out.folds(WRITERS, 3)[0]
    copy = load_pack(held_out.copy_without(PACK, left_out, tmp_path))
    assert {example.writer for example in copy.examples} == set(WRITERS) - set(left_out)
    assert copy.answers == load_pack(PACK).answers
    assert {path.stem for path in wording_files(PACK)} == set(WRITERS), "the product's own stays"


def test_only_development_recordings_of_the_writers_left_out_are_answered() -> None:
    recordings = read_manifest(held_out.RECORDINGS).lines
    for part in held_out.folds(WRITERS, 3):
        for line in held_out.lines_of(recordings, part):
            assert line.extra["split"] == "dev"
            assert line.extra["writer"] in part


def test_texts_have_the_kinds_of_a_manifest() -> None:
    lines = held_out.texts_of(PACK, WRITERS[:1])
    assert {line.kind for line in lines} == {"question", "urgent", "command", "oos"}
    assert all((line.kind == "urgent") == line.label.startswith(("urgent_", "provider_soon")) for line in lines)
    assert {line.label for line in lines if line.kind == "oos"} == {"out_of_scope"}
    assert any(line.counter for line in lines)


@pytest.mark.parametrize(
    ("reply", "bad"),
    [
        ({"action": "reject"}, False),
        ({"action": "clarify", "choices": ["symptoms", "causes"]}, False),
        ({"action": "answer", "intent": "symptoms"}, True),
        ({"action": "warn", "urgent": ["urgent_limb"]}, True),
        ({"action": "command", "intent": "stop"}, True),
        ({"crash": "ValueError"}, True),
    ],
)
def test_whoever_orders_coffee_is_neither_answered_nor_warned(reply: dict[str, object], bad: bool) -> None:
    result = Result(Line(1, "out_of_scope", "oos", "a small latte"), reply, 2.0)
    counts, found = held_out.verdict([result])
    assert bool(found) == bad
    assert counts["recordings"] == 1


def test_people_ordering_coffee(model_dir: Path, tmp_path: Path) -> None:
    """Every tenth of them; `python -m tools.held_out people` takes all."""
    if not HUMAN.is_file():
        pytest.skip("the recordings of people ordering coffee are not on this machine")
    listed = [json.loads(line) for line in HUMAN.read_text("utf-8").splitlines()][::10]
    chosen = tmp_path / "manifest.jsonl"
    chosen.write_text(
        "".join(json.dumps({**line, "audio": str(HUMAN.parent / line["audio"])}) + "\n" for line in listed)
    )
    command = [sys.executable, "-m", "tools.held_out", "people", str(chosen), "--model", str(model_dir)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=held_out.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"recordings {len(listed)}" in done.stdout
