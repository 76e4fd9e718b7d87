"""The figures of docs/understanding.md: held-out writers stay out, counts are counted right, and the page says what was measured."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="the extra evaluate is not installed")
pytest.importorskip("scipy", reason="the extra evaluate is not installed")

from intents.head import Head
from intents.pack import bundled, wording_files
from tools import understanding_figures as figures
from tools import understanding_pages as pages
from tools.train_encoder.curve import arguments, held_out, in_order
from voice.evaluate.manifest import Line

NAMES = [f"writer{i}" for i in range(17)]


def test_each_point_of_the_curve_holds_the_smaller_ones() -> None:
    left = [set(held_out(NAMES, size)) for size in (1, 2, 4, 8, 17)]
    assert [len(one) for one in left] == [16, 15, 13, 9, 0]
    assert all(more < fewer for fewer, more in pairwise(left))
    assert in_order(NAMES) == in_order(NAMES[::-1])


def test_a_point_for_no_writer_or_too_many_is_refused() -> None:
    for size in (0, 18):
        with pytest.raises(ValueError, match="writers"):
            held_out(NAMES, size)


def test_the_command_line_holds_every_other_writer(tmp_path) -> None:
    line = arguments(tmp_path, tmp_path, NAMES, 2, 4)
    assert [line[i + 1] for i, part in enumerate(line) if part == "--hold"] == in_order(NAMES)[2:]


def test_the_names_that_are_held_are_names_of_writers() -> None:
    """A file named otherwise than its writer would not be left out."""
    from intents.pack import read_wordings

    for path in wording_files(bundled()[0]):
        assert next(read_wordings(path)).writer == path.stem


def test_the_likeliest_label_counts_any_danger_sign_as_found() -> None:
    head = Head(("causes", "urgent_limb", "urgent_other"), np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    lines = [
        Line(1, "causes", "question", "a"),
        Line(2, "causes", "question", "b"),
        Line(3, "urgent_limb", "urgent", "c"),
        Line(4, "urgent_limb", "urgent", "d"),
    ]
    x = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    assert figures.argmax(head, x, lines) == {"right": [1, 2], "found": [1, 2]}


def test_no_figure_has_a_writer_who_was_looked_at() -> None:
    writers = {line.extra["writer"] for line in figures.held_lines()}
    assert writers
    assert figures.SEEN not in writers
    assert not writers & {path.stem for path in wording_files(bundled()[0])}


def test_targets_say_by_how_much_they_are_missed() -> None:
    row = {key: [90, 100] for key in pages.TITLES}
    text = pages.target_table({"true text": row, "clean": row, "kitchen": {**row, "right": [0, 0]}})
    lines = text.splitlines()
    assert any(
        "questions right first time | true text | at least 95 %" in line and "missed by 5.0" in line for line in lines
    )
    assert any("answered wrong | clean | at most 3 %" in line and "missed by 87.0" in line for line in lines)
    assert not any("questions right first time | kitchen" in line for line in lines)


def test_a_page_is_filled_between_its_marks_and_nowhere_else() -> None:
    page = "before\n<!-- curve: begin -->\nold\n<!-- curve: end -->\nafter\n"
    once = pages.filled(page, {"curve": "new"})
    assert once == "before\n<!-- curve: begin -->\nnew\n<!-- curve: end -->\nafter\n"
    assert pages.filled(once, {"curve": "new"}) == once
    with pytest.raises(ValueError, match="no place for peers"):
        pages.filled(page, {"peers": "x"})


def test_the_page_in_the_repository_has_the_figures_in_the_repository() -> None:
    folder = bundled()[0].parents[2] / "docs"
    data = json.loads((folder / "images" / "understanding.json").read_text(encoding="utf-8"))
    page = (folder / "understanding.md").read_text(encoding="utf-8")
    assert pages.filled(page, dict(pages.blocks(data))) == page


def test_a_breath_has_a_danger_sign_and_a_question_of_one_writer() -> None:
    lines = figures.held_lines()
    texts = {line.text for line in lines}
    said = {(line.text, line.extra["writer"]) for line in lines}  # two writers may say the same
    made = figures.joined(lines)
    assert made == figures.joined(lines)
    asked = {line.extra["writer"] for line in lines if line.kind == "question" and not line.counter}
    assert len(made) == sum(line.label in figures.URGENT and line.extra["writer"] in asked for line in lines) > 0
    for one in made:
        halves = [one.text[: len(one.text) - len(text) - 5] for text in texts if one.text.endswith(f" and {text}")]
        assert any((half, one.extra["writer"]) in said for half in halves)


def test_only_the_shipped_point_of_the_curve_is_called_shipped_and_enters_the_ablation() -> None:
    some = {"argmax": {"right": [1, 2], "found": [1, 2]}, "conversation": {key: [1, 4] for key in pages.TITLES}}
    row = {"writers": 1, "wordings": 9, "trained": some, "published": some}
    data = {"ablation": {"Backtalk as shipped": some["conversation"]}, "curve": [row]}
    parts = dict(pages.blocks(data))
    assert "shipped" not in parts["curve"]
    assert "published encoder" not in parts["ablation"]
    parts = dict(pages.blocks({**data, "curve": [row, {**row, "writers": 17, "shipped": True}]}))
    assert "17 (shipped)" in parts["curve"]
    assert "published encoder, head of ours" in parts["ablation"]
