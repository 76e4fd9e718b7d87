"""Each fault that `pack check` must find, planted in a small sound pack."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from intents.article import Article, Block, Section, danger_signs, lost_lists, read_article
from intents.check import Against, check_pack
from intents.compile import examples_for, fingerprint, fit_ends
from intents.explain import explain
from intents.finding import Finding
from intents.head import Head
from intents.lint_danger import rule_folders
from intents.lint_wordings import vocabulary_needed
from intents.pack import bundled, load_pack
from intents.understand import Understander
from intents.urgent import UrgentRules

SHARED_WRITERS = 8
"""Of the ninety or so: each is read in every one of these tests."""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the stenosis pack beside the one that it shares, of which a few writers are enough; nothing compiled."""
    for folder in bundled():
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("*.npz"))
    shared = sorted((tmp_path / "facet_hypertrophy" / "wordings").glob("*.toml"))
    for writer in shared[SHARED_WRITERS:]:
        writer.unlink()
    return tmp_path / "spinal_stenosis"


def errors(folder: Path, against: Against | None = None) -> list[Finding]:
    return [finding for finding in check_pack(folder, against) if finding.level == "error"]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def article(*sentences: str, heading: str = "overview") -> Article:
    return Article("Spinal stenosis", "", None, (Section(heading, tuple(Block(text) for text in sentences)),))


def test_a_sound_pack_has_only_the_advice_to_compile_it(pack: Path) -> None:
    assert [finding.key for finding in check_pack(pack)] == [""]
    assert "pack compile" in check_pack(pack)[0].reason


def test_numbers_made_from_these_very_wordings_are_not_older_than_they(pack: Path) -> None:
    """The background is learned from as well: a fresh head was called old because of it."""
    head = Head(("yes",), np.ones((1, 1), np.float32), np.zeros(1, np.float32), ends=fit_ends(["is it bad"]))
    replace(head, made_from=fingerprint(examples_for(load_pack(pack)))).save(pack / "head.npz")
    assert check_pack(pack) == ()
    change(pack / "wordings" / "goran_croatian.toml", "must be operation", "has it to be operation")
    assert ["older" in finding.reason for finding in errors(pack)] == [True]


def test_numbers_that_do_not_tell_where_people_stop_are_to_be_made_again(pack: Path) -> None:
    """Compiled by an earlier version: it is understood, and every answer waits as if nobody ever stopped there."""
    made_from = fingerprint(examples_for(load_pack(pack)))
    Head(("yes",), np.ones((1, 1), np.float32), np.zeros(1, np.float32), made_from=made_from).save(pack / "head.npz")
    (finding,) = check_pack(pack)
    assert finding.level == "advice"
    assert "pack compile" in finding.reason


def test_a_compiled_pack_whose_shared_pack_is_broken_is_told_so_and_nothing_is_raised(pack: Path) -> None:
    Head(("yes",), np.ones((1, 1), np.float32), np.zeros(1, np.float32)).save(pack / "head.npz")
    broken = pack.parent / "facet_hypertrophy" / "wordings" / "added_writer.toml"
    broken.write_text("writer = ", encoding="utf-8")
    assert broken in {finding.file for finding in errors(pack)}


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("answers.toml", "Most of them are over", " ".join(["word"] * 26) + ". They are over", "at most 30"),
        ("answers.toml", "over fifty years old.", "over fifty, says Dr. Smith.", "full stop"),
        ("answers.toml", "section = \"introduction, types\"\n", "", "Field required"),
        ("answers.toml", "first = \"There are three", "frist = \"There are three", "Extra inputs"),
        (
            "answers.toml",
            "So it is a common problem of later life.",
            "Epidemiological investigation demonstrates considerable geographical variability internationally.",
            "reading grade",
        ),
        ("pack.toml", '"how_common"]', '"nothing_like_it"]', "no answer for nothing_like_it"),
        ("pack.toml", "reviewed = 2026-11-23", "reviewed = 1900-01-01", "last reviewed"),
        ("wordings/goran_croatian.toml", "which sorts exist", "how'd i get this", "also a wording of"),
        ("wordings/goran_croatian.toml", "must be operation", "do i need a picture for a tight old spine", ""),
        ("wordings/goran_croatian.toml", 'writer = "goran_croatian"', 'writer = "harriet_devon"', "several files"),
        ("urgent.toml", "i can't get an erection any more", "the sun is shining", "does not warn"),
        ("urgent.toml", "is cauda equina an emergency", "i have cauda equina", "warns of"),
        ("urgent.toml", 'sign = "provider_soon"', 'sign = "no_such_sign"', "not in `signs`"),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_its_file(pack: Path, file: str, old: str, new: str, reason: str) -> None:
    change(pack / file, old, new)
    found = errors(pack)
    if not reason:  # a change that is no fault
        assert found == []
    else:
        assert any(reason in finding.reason for finding in found), found
        assert all(finding.file.exists() for finding in found)


def test_nearly_the_same_words_under_two_labels_are_shown_as_a_pair(pack: Path) -> None:
    change(pack / "wordings/goran_croatian.toml", "which sorts exist", "tell me what treatments exists")
    (found,) = errors(pack)
    assert "tell me what treatments exist" in found.reason
    assert "treatment" in found.reason + found.key


def test_a_negation_is_no_clash(pack: Path) -> None:
    change(
        pack / "wordings/goran_croatian.toml",
        "legs are good no problem with feeling",
        "can it not be seen on a picture",
    )
    assert errors(pack) == []


def test_too_few_wordings_and_one_writer(pack: Path) -> None:
    for path in (pack / "wordings").glob("*.toml"):
        if path.stem != "harriet_devon":
            path.unlink()
    reasons = [finding.reason for finding in errors(pack)]
    assert sum("one writer" in reason for reason in reasons) == 10


def test_all_faults_are_reported_not_the_first(pack: Path) -> None:
    change(pack / "pack.toml", 'publisher = "Wikipedia"', 'publisher = ""')
    change(pack / "answers.toml", 'first = "There are three', 'frist = "There are three')
    (pack / "wordings/new.toml").write_text("[question\n", encoding="utf-8")
    files = {finding.file.name for finding in errors(pack)}
    assert {"pack.toml", "answers.toml", "new.toml"} <= files


def test_eight_words_in_a_row_of_the_article_are_refused_and_seven_are_not(pack: Path) -> None:
    own = "There are three types, named after the part of"
    assert any("own words" in found.reason for found in errors(pack, Against(article(f"Well, {own} them."))))
    seven = " ".join(own.split()[:7])
    assert errors(pack, Against(article(f"Well, {seven} whatever."))) == []


def test_the_article_s_danger_signs_need_rules(pack: Path) -> None:
    covered = article("Call 911 right away if you have sudden weakness in your legs, or trouble breathing.")
    assert errors(pack, Against(covered)) == []
    uncovered = article("Call 911 right away if you have a purple tail, or trouble breathing.")
    (found,) = errors(pack, Against(uncovered))
    assert "purple tail" in found.reason


def test_a_copied_test_sentence_is_refused_a_short_one_is_advice(pack: Path, tmp_path: Path) -> None:
    test_part = tmp_path / "test"
    test_part.mkdir()
    wordings = '["how would a textbook explain spinal stenosis to a child", "what\'s stenosis"]'
    (test_part / "x.toml").write_text(
        f'writer = "x"\nview = "x"\n[question]\ndefinition = {wordings}\n', encoding="utf-8"
    )
    change(pack / "wordings/harriet_devon.toml", 'explain spinal stenosis"', 'explain spinal stenosis to a child"')
    found = [finding for finding in check_pack(pack, Against(test_parts=(test_part,))) if "test part" in finding.reason]
    assert sorted(finding.level for finding in found) == ["advice", "error"]


def test_words_that_cannot_be_heard(pack: Path) -> None:
    against = Against(unheard=frozenset({"laminectomy", "kena"}), aliases={"laminectomy": "lemon ectomy"})
    found = [str(finding) for finding in check_pack(pack, against) if "speech model" in finding.reason]
    assert any("laminectomy" in line and "lemon ectomy" in line for line in found)
    assert any("kena" in line and "meilin" in line for line in found)
    assert errors(pack, against) == []
    everything = frozenset(vocabulary_needed(load_pack(pack)))
    assert any(finding.key == "names" for finding in errors(pack, Against(unheard=everything)))


def test_a_list_that_was_lost_is_named_and_one_that_is_there_is_not() -> None:
    whole = Section("Treatment", (Block("Treatments include:"), Block("ice", item=True)))
    lost = Section("Symptoms", (Block("Common symptoms include: Ask your doctor about them."), Block("They may be")))
    found = lost_lists(Article("x", "", None, (whole, lost)))
    assert [gap.section for gap in found] == ["Symptoms", "Symptoms"][: len(found)]
    assert found[0].sentence == "Common symptoms include:"


def test_danger_signs_come_from_lists_under_an_alarming_heading_too() -> None:
    section = Section(
        "When should I go to the emergency room?", (Block("Go if you have:"), Block("a stiff neck", item=True))
    )
    assert [sign.text for sign in danger_signs(Article("x", "", None, (section,)))] == ["a stiff neck"]


def test_html_is_read_with_its_sections_and_date(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    body = "".join(
        f"<h2>{name}</h2><p>{name} of this made-up illness take a paragraph of some length to be told.</p>"
        for name in ("Symptoms", "Causes")
    )
    page = f"<html><head><title>Bendy elbow</title></head><body><article><h1>Bendy elbow</h1>{body}<p>Last reviewed on 03/14/2024.</p></article></body></html>"
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    read = read_article(tmp_path / "a.html")
    assert read.reviewed == date(2024, 3, 14)
    assert {"Symptoms", "Causes"} <= {section.heading for section in read.sections}


def test_an_explanation_names_the_word_that_mattered_and_the_rule(understander: Understander) -> None:
    examples = [pack.examples for pack in understander.packs]
    rules = UrgentRules.load(rule_folders(understander.packs[0]))
    (found,) = explain(understander, rules, examples, "does the pain go below my knee")
    assert found.scores[0][0] == "referred_pain"
    assert "knee" in [word for word, _ in found.words]
    assert len(found.nearest) == 5
    (warned,) = explain(understander, rules, examples, "my left leg is numb since this morning")
    assert "urgent_limb" in {sign.id for sign in warned.signs}
    assert explain(understander, rules, examples, "...") == ()
