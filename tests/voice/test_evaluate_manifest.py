"""Manifests: every fault is told with its line and reason, and the other lines stay usable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import InputError
from voice.evaluate.manifest import KINDS, Line, keep, parse_line, read_manifest

GOOD: dict[str, Any] = {"text": "why", "label": "causes", "kind": "question"}


def manifest(folder: Path, *rows: object) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_lines_keep_their_number_their_words_and_further_keys(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.flac").write_bytes(b"x")
    read = read_manifest(
        manifest(tmp_path, GOOD, "", GOOD | {"audio": "sub/a.flac", "text": None, "voice": "slt", "id": "q7"})
    )
    assert not read.faults
    first, second = read.lines
    assert (first.number, first.audio, first.text, first.name) == (1, None, "why", "why")
    assert (second.number, second.audio, second.text, second.name) == (3, tmp_path / "sub" / "a.flac", None, "q7")
    assert second.values("voice") == ("slt",)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        (GOOD | {"kind": "guess"}, "kind is 'guess', it must be one of question, urgent, command, oos"),
        (GOOD | {"kind": ["question"]}, "kind is"),
        (GOOD | {"label": None}, "label is missing"),
        (GOOD | {"label": "out_of_scope"}, "belong together"),
        (GOOD | {"label": "urgent_limb"}, "kind urgent belongs to"),
        (GOOD | {"kind": "urgent"}, "kind urgent belongs to"),
        (GOOD | {"text": " "}, "neither audio nor text"),
        (GOOD | {"text": 5}, "text is not a string"),
        (GOOD | {"audio": 5}, "audio is not a file name"),
        (GOOD | {"audio": "none.flac"}, "the recording none.flac is not there"),
        (GOOD | {"audio": "a\0b"}, "audio is not a file name"),
        (GOOD | {"audio": "a" * 5000}, "recording"),
    ],
)
def test_faults(tmp_path: Path, row: object, reason: str) -> None:
    read = read_manifest(manifest(tmp_path, GOOD, row, GOOD))
    assert [line.number for line in read.lines] == [1, 3]
    assert [fault.number for fault in read.faults] == [2]
    assert reason in str(read.faults[0])


@given(
    st.one_of(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps),
    )
)
def test_any_line_is_a_line_or_a_fault(row: str) -> None:
    try:
        line = parse_line(1, row, Path("nowhere"))
    except ValueError:
        return  # a fault; anything else that is raised fails the test
    assert line.kind in KINDS


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"\n \n"])
def test_a_manifest_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "m.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"m\.jsonl"):
        read_manifest(path)


def lines(*extras: dict[str, Any]) -> list[Line]:
    return [Line(number, "causes", "question", "why", None, extra) for number, extra in enumerate(extras, start=1)]


def test_filters_of_one_key_add_up_and_of_two_keys_narrow_down() -> None:
    some = lines({"split": "test", "voice": "a"}, {"split": "dev", "voice": "a"}, {"split": "test", "voice": "b"}, {})
    assert [line.number for line in keep(some, ["split=test"])] == [1, 3]
    assert [line.number for line in keep(some, ["split=test", "split=dev"])] == [1, 2, 3]
    assert [line.number for line in keep(some, ["split=test", "voice=a"])] == [1]
    assert [line.number for line in keep(some, [], 2)] == [1, 2]
    assert [line.number for line in keep(some, ["kind=question"])] == [1, 2, 3, 4]


@pytest.mark.parametrize("bad", ["split", "=test", "split=none"])
def test_bad_filters(bad: str) -> None:
    with pytest.raises(InputError):
        keep(lines({"split": "test"}), [bad])


@pytest.mark.parametrize(
    ("extra", "key", "expected"),
    [
        ({"snr_db": 12.0}, "snr_db", ("12",)),
        ({"noise": None}, "noise", ("none",)),
        ({"effects": ["cough", "clip"]}, "effects", ("cough", "clip")),
        ({"effects": []}, "effects", ("none",)),
        ({}, "voice", ()),
        ({"a": 1, "b": "x"}, "a,b", ("1, x",)),
        ({"a": 1}, "a,b", ()),
        ({}, "input", ("text",)),
        ({}, "label", ("causes",)),
    ],
)
def test_groups_of_a_line(extra: dict[str, Any], key: str, expected: tuple[str, ...]) -> None:
    assert lines(extra)[0].values(key) == expected
