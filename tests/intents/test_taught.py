"""What the recognizer is taught of the wordings, and what it isn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from intents import pack as packs
from intents.pack import Example, bundled, load_pack, read_wordings, spoken_to_it, texts_to_teach


def said(text: str, label: str = "causes", writer: str = "ann", twin: bool = False) -> Example:
    return Example(text, label, "question", writer, twin)


def test_twins_are_marked_in_their_file_and_understood_but_not_taught(tmp_path: Path) -> None:
    for twins in ("", "twins = true\n"):
        file = tmp_path / "ann.toml"
        file.write_text(f'writer = "ann"\n{twins}view = "60"\n[question]\ncauses = ["why me"]\n', "utf-8")
        read = tuple(read_wordings(file))
        assert [example.text for example in read] == ["why me"]
        assert texts_to_teach(read) == (() if twins else ("why me",))
        assert len(spoken_to_it(read)) == (0 if twins else 1)


def test_overheard_talk_is_not_taught() -> None:
    assert texts_to_teach([said("so i says to her", "oos:talk"), said("why me")]) == ("why me",)


def test_each_meaning_is_taught_equally_often_at_most_and_every_writer_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packs, "MOST_TAUGHT", 3)
    many = [said(f"a{number}") for number in range(5)] + [said("b0", writer="ben"), said("what", "definition")]
    assert texts_to_teach(many) == ("a0", "b0", "a1", "what")


def test_bundled_twins_are_understood_and_not_taught() -> None:
    known = load_pack(next(path for path in bundled() if path.name == "facet_hypertrophy")).examples
    twins = {example.text for example in known if example.twin}
    others = {example.text for example in known if not example.twin}
    assert len(twins) > 5000
    assert set(texts_to_teach(known)).isdisjoint(twins - others)
