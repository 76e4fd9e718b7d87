"""A draft from an article: what is found, what is left to do, and what must never be in it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from intents.article import ArticleError, read_article
from intents.check import check_pack
from intents.draft import Draft, draft
from intents.lint_answers import words
from intents.pack import load_pack

ARTICLE = """Bendy Elbow Syndrome

Medically reviewed on 03/14/2024

What is bendy elbow syndrome?

Bendy elbow syndrome is a made-up problem of the elbow, and serves as a test. It makes the joint "bend" too far \\ out.

Symptoms

Common symptoms include:

Your provider can tell you more about each of them and about what they mean for you.

Treatment

Rest helps most people who have it. Treatments include:

- ice
- a soft brace

When should I get emergency help?

Call 911 right away if you have a purple tail, or sudden weakness in your arm.

References

1. A book.
"""


@pytest.fixture
def made(tmp_path: Path) -> Draft:
    (tmp_path / "article.txt").write_text(ARTICLE, encoding="utf-8")
    return draft(read_article(tmp_path / "article.txt"), lambda text: "weakness" in text)


@pytest.fixture
def folder(made: Draft, tmp_path: Path) -> Path:
    root = tmp_path / made.id
    for name, text in made.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_one_intent_a_section_and_the_source(made: Draft) -> None:
    assert [name for name, _ in made.intents] == ["definition", "symptoms", "treatment", "emergency_signs"]
    assert made.id == "bendy_elbow_syndrome"


def test_lost_lists_are_named_and_not_filled(made: Draft, folder: Path) -> None:
    assert [gap.section for gap in made.lost] == ["Symptoms"]
    answers = load_pack(folder).answers
    assert answers["symptoms"].lost
    assert not answers["treatment"].lost


def test_danger_signs_are_told_with_whether_a_rule_finds_them(made: Draft) -> None:
    assert [(sign.text, found) for sign, found in made.signs] == [
        ("a purple tail", False),
        ("sudden weakness in your arm", True),
    ]
    assert "purple tail" in made.files["urgent.toml"]
    assert "weakness" not in made.files["urgent.toml"]


def test_the_draft_loads_and_the_check_names_what_is_left_to_do(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.about.source.reviewed == date(2024, 3, 14)
    found = [finding for finding in check_pack(folder) if finding.level == "error"]
    todo = {finding.key for finding in found if "TODO" in finding.reason}
    assert {"answers.definition.first", "answers.treatment.name", "source.publisher"} <= todo
    assert any("at least 15" in finding.reason for finding in found)


def test_no_value_of_the_draft_has_a_sentence_of_the_article(folder: Path) -> None:
    text = words(ARTICLE)
    runs = {tuple(text[i : i + 8]) for i in range(len(text) - 7)}
    for path in folder.rglob("*.toml"):
        values = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        said = words(re.sub(r"#.*", "", " ".join(values)))
        assert not runs & {tuple(said[i : i + 8]) for i in range(len(said) - 7)}
    assert all(answer.first.startswith("TODO") for answer in load_pack(folder).answers.values())


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_article_is_refused_in_a_plain_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content if content.strip(b"\xff\xfe\x00\n") else b"\n")
    with pytest.raises(ArticleError, match="no text of an article"):
        read_article(tmp_path / "a.txt")


def test_a_missing_file_is_refused_in_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="can't be read"):
        read_article(tmp_path / "nothing.html")
