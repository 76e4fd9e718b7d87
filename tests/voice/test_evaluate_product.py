"""The instrument on the real program: it runs what `backtalk ask` runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from voice.commands.evaluate import command
from voice.engine import Engine
from voice.errors import BacktalkError
from voice.settings import Settings

pytest.importorskip("scipy")
pytest.importorskip("jiwer")

ROWS = [
    {"text": "what is facet hypertrophy", "label": "definition", "kind": "question"},
    {"text": "my legs went numb this morning", "label": "urgent_limb", "kind": "urgent"},
    {"text": "stop", "label": "stop", "kind": "command"},
]


def test_plain_sentences_are_understood_by_the_program_itself(tmp_path: Path) -> None:
    try:
        assert Engine(Settings(), hears=False).understander
    except BacktalkError as error:
        pytest.skip(f"the pack has not been compiled: {error.reason}")
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    done = CliRunner().invoke(command, [str(path), "--json", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [one["outcome"] for one in report["utterances"]] == ["right", "found", "right"]
    spans = [one["reply"]["timing_ms"] for one in report["utterances"]]
    assert all(span["understand"] > 0 and "first_audio" not in span for span in spans)


def test_a_missing_speech_model_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"x")
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"audio": "a.flac", "label": "causes", "kind": "question"}))
    done = CliRunner().invoke(command, [str(path), "--model", str(tmp_path / "gone")])
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
