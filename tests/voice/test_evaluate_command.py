"""The commands as a person or a program uses them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_product import Fake

from voice.commands.evaluate import command
from voice.commands.examples import command as examples
from voice.evaluate import compare

pytest.importorskip("scipy")
pytest.importorskip("jiwer")

ROWS: list[dict[str, Any]] = [
    {"text": "what is it", "label": "definition", "kind": "question", "id": "a", "writer": "ann", "split": "dev"},
    {"text": "the symptoms please", "label": "causes", "kind": "question", "id": "b", "writer": "ann", "split": "test"},
    {"text": "my leg is numb", "label": "urgent_limb", "kind": "urgent", "id": "c", "writer": "bob", "split": "test"},
    {"text": "can't feel it", "label": "urgent_limb", "kind": "urgent", "id": "d", "writer": "bob", "split": "test"},
    {"text": "what about diabetes", "label": "out_of_scope", "kind": "oos", "id": "e", "topic": "other_illness"},
]


def manifest(folder: Path, rows: Sequence[object] = ROWS) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def invoke(*arguments: object, fake: Fake | None = None) -> Result:
    def make(*_: object) -> Fake:
        return fake or Fake()

    return CliRunner().invoke(command, [*map(str, arguments), "--jobs", "1"], obj=make)


def test_the_report_says_it_in_lines_for_a_screen_reader(tmp_path: Path) -> None:
    done = invoke(manifest(tmp_path))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "questions right: 50.0 %, 1 of 2, at least 2.5 %" in lines
    assert "danger signs found: 50.0 %, 1 of 2, at least 2.5 %" in lines
    assert "other illness answered: 0.0 %, 0 of 1, at most 95.0 %" in lines
    assert "1. missed: d, line 4, is urgent_limb" in lines
    assert any(line.startswith("ann: utterances 2; questions right 50.0 % of 2") for line in lines)
    assert done.stdout.isascii()
    assert max(map(len, lines)) < 300


def test_progress_is_plain_lines_off_a_terminal(tmp_path: Path) -> None:
    assert invoke(manifest(tmp_path)).stderr.splitlines() == [f"{number} of 5 done" for number in range(6)]


def test_json_alone_on_standard_output(tmp_path: Path) -> None:
    report = json.loads(invoke(manifest(tmp_path), "--json").stdout)
    assert report["figures"]["rates"]["questions right"]["hits"] == 1
    assert [one["outcome"] for one in report["utterances"]] == ["right", "wrong", "found", "missed", "refused"]
    assert report["worst"] == ["d", "b"]


def test_filter_limit_and_by(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    assert json.loads(invoke(path, "--json", "--filter", "split=test").stdout)["figures"]["utterances"] == 3
    assert json.loads(invoke(path, "--json", "--limit", "2").stdout)["figures"]["utterances"] == 2
    figures = json.loads(invoke(path, "--json", "--by", "writer,split").stdout)["figures"]
    assert set(figures["groups"]["writer,split"]) == {"ann, dev", "ann, test", "bob, test"}


def test_bad_lines_are_told_and_the_rest_is_evaluated(tmp_path: Path) -> None:
    bad = {"audio": "gone.flac", "label": "causes", "kind": "question"}
    unreadable = {"text": "unreadable", "label": "causes", "kind": "question", "id": "u"}
    done = invoke(manifest(tmp_path, [bad, ROWS[0], unreadable]))
    assert done.exit_code == 1
    assert "line 1: the recording gone.flac is not there" in done.stderr
    assert "line 3: u: This recording can't be read." in done.stderr
    assert "questions right: 100.0 %, 1 of 1, at least 5.0 %" in done.stdout
    assert "inputs that could not be used, in no figure: 1" in done.stdout


def test_a_program_that_fails_on_a_line_has_failed_that_person(tmp_path: Path) -> None:
    sign = {"text": "crash", "label": "urgent_limb", "kind": "urgent", "id": "x"}
    done = invoke(manifest(tmp_path, [ROWS[0], sign, ROWS[2]]))
    assert done.exit_code == 1
    assert "line 2: x: the program failed: IndexError: list index out of range (fake_product.py:" in done.stderr
    assert "danger signs found: 50.0 %, 1 of 2, at least 2.5 %" in done.stdout
    assert "program failed: 33.3 %, 1 of 3, at most 86.5 %" in done.stdout
    assert "1. crashed: x, line 2, is urgent_limb" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Please name a manifest"),
        (["gone.jsonl"], "The manifest gone.jsonl can't be read"),
        (["M", "--filter", "split"], "A filter is a key"),
        (["M", "--filter", "split=other"], "No line of the manifest has split=other"),
        (["M", "--compare", "gone.json"], "gone.json is no report"),
        (["M", "--compare", "M"], "is no report"),
        (["M", "--cluster", "tcp://nowhere:1"], "needs the option engine"),
        (["M", "--out", "M/below"], "can't be written to"),
    ],
)
def test_mistakes_get_one_plain_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    path = str(manifest(tmp_path))
    done = invoke(*(argument.replace("M", path) if argument.startswith("M") else argument for argument in arguments))
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.evaluate.extras.find_spec", lambda name: None)
    done = invoke(manifest(tmp_path))
    assert (done.exit_code, done.stderr) == (
        1,
        "To evaluate, please install the extra evaluate: pip install 'backtalk[evaluate]'.\n",
    )


def test_out_keeps_reports_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    path, out, log = manifest(tmp_path), tmp_path / "out", tmp_path / "log"
    stopped = invoke(path, "--out", out, fake=Fake(log, dies_at="numb"))
    assert stopped.exit_code == 130
    assert "Run the same command again to continue." in stopped.stderr
    assert not (out / "report.json").exists()
    log.unlink()
    done = invoke(path, "--out", out, fake=Fake(log))
    assert done.exit_code == 0
    assert len(log.read_text().splitlines()) == 3
    assert (out / "report.txt").read_text() == done.stdout
    assert json.loads((out / "report.json").read_text())["figures"]["utterances"] == 5


def test_compare_two_reports_utterance_by_utterance(tmp_path: Path) -> None:
    invoke(manifest(tmp_path), "--out", tmp_path / "old")
    # Newer: b's label is met (better), c is missed (worse), a is gone, f is new.
    rows = [
        ROWS[1] | {"text": "the symptoms please"},
        ROWS[2] | {"text": "my leg is numb"},
        ROWS[4],
        {"text": "louder", "label": "louder", "kind": "command", "id": "f"},
    ]
    path = manifest(tmp_path, rows)
    invoke(path, "--out", tmp_path / "new")
    report = json.loads((tmp_path / "new" / "report.json").read_text())
    report["utterances"][0]["outcome"] = "right"
    report["utterances"][1]["outcome"] = "missed"
    (tmp_path / "new" / "report.json").write_text(json.dumps(report))

    done = invoke("--compare", tmp_path / "old" / "report.json", tmp_path / "new" / "report.json")
    assert done.exit_code == 0
    assert "utterances in both: 3" in done.stdout
    assert "only in the old report: 2; only in the new one: 1" in done.stdout
    assert "c, urgent_limb, found before, missed now: my leg is numb" in done.stdout
    assert "b, causes, wrong before, right now: the symptoms please" in done.stdout
    assert "questions right: 50.0 % before, 0.0 % now" in done.stdout
    changes = json.loads(
        invoke("--json", "--compare", tmp_path / "old" / "report.json", tmp_path / "new" / "report.json").stdout
    )
    assert ([one["name"] for one in changes["better"]], [one["name"] for one in changes["worse"]]) == (["b"], ["c"])


def test_compare_after_a_run(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    invoke(path, "--out", tmp_path / "old")
    done = invoke(path, "--compare", tmp_path / "old" / "report.json")
    assert "better: 0\nworse: 0\n" in done.stdout


def test_the_same_words_said_twice_are_two_utterances() -> None:
    one = {"name": "x", "text": "x", "label": "causes", "kind": "question"}
    figures: dict[str, Any] = {"figures": {"rates": {}}}
    old = figures | {"utterances": [one | {"outcome": "wrong"}, one | {"outcome": "wrong"}]}
    new = figures | {"utterances": [one | {"outcome": "right"}, one | {"outcome": "wrong"}]}
    changes = compare.compare(old, new)
    assert (changes["compared"], len(changes["better"]), len(changes["worse"])) == (2, 1, 0)


WORDINGS = """
writer = "ann"
view = "a test"
[question]
causes = ["Why do I have it?"]
[urgent]
urgent_limb = ["my leg is gone"]
[counter]
complications = ["can it make you numb"]
out_of_scope = ["cold feet"]
[command]
stop = ["stop"]
[oos]
other_illness = ["what is diabetes"]
"""


def test_examples_prints_text_and_label(tmp_path: Path) -> None:
    path = tmp_path / "ann.toml"
    path.write_text(WORDINGS)
    printed = [json.loads(row) for row in CliRunner().invoke(examples, [str(path)]).stdout.splitlines()]
    assert all(set(row) == {"text", "label"} for row in printed)
    assert [row["label"] for row in printed] == [
        "causes",
        "urgent_limb",
        "complications",
        "out_of_scope",
        "stop",
        "out_of_scope",
    ]


def test_examples_as_a_manifest_can_be_evaluated(tmp_path: Path) -> None:
    path, rows = tmp_path / "ann.toml", tmp_path / "rows.jsonl"
    path.write_text(WORDINGS)
    rows.write_text(CliRunner().invoke(examples, [str(path), "--manifest"]).stdout)
    report = json.loads(invoke(rows, "--json").stdout)
    assert not report["faults"]
    said = {one["text"]: (one["kind"], one["extra"]) for one in report["utterances"]}
    assert said["can it make you numb"] == ("question", {"writer": "ann", "counter": True})
    assert said["cold feet"] == ("oos", {"writer": "ann", "counter": True})
    assert said["what is diabetes"] == ("oos", {"writer": "ann", "topic": "other_illness"})
    assert said["my leg is gone"] == ("urgent", {"writer": "ann"})


def test_the_packs_own_examples_have_every_kind() -> None:
    run = partial(CliRunner().invoke, examples)
    kinds = {json.loads(row)["kind"] for row in run(["--manifest"]).stdout.splitlines()}
    assert kinds == {"question", "urgent", "command", "oos"}


def test_examples_of_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "ann.toml"
    path.write_text("writer = ")
    done = CliRunner().invoke(examples, [str(path)])
    assert done.exit_code == 1
    assert "ann.toml" in done.stderr
