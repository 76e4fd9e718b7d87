"""Where people stop: learned from whole wordings, told of any words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.compile import fit_both, fit_ends
from intents.ends import BUCKETS, Ends, hashed
from intents.grams import hashed as gram_rows
from intents.head import Head
from intents.understand import Understander

SAID = ("what is it", "is it bad", "what use is it knowing the grade", "what use is it to know", "is it for life")


@pytest.fixture(scope="module")
def ends() -> Ends:
    return fit_ends(SAID)


@pytest.mark.parametrize(
    ("end", "gap"), [("what is it", "what use is it"), ("is it bad", "is it"), ("is it for life", "is it for")]
)
def test_where_people_stop_is_likelier_an_end_than_where_they_go_on(ends: Ends, end: str, gap: str) -> None:
    assert ends.after(end) > 0.5 > ends.after(gap)


def test_it_is_stored_with_the_head(ends: Ends, tmp_path: Path) -> None:
    head = replace(
        fit_both(np.ones((2, 2), np.float32), gram_rows(["again", "louder"]), ["repeat", "louder"]), ends=ends
    )
    head.save(tmp_path / "head.npz")
    stored = Head.load(tmp_path / "head.npz").ends
    assert stored is not None
    assert [stored.after(text) for text in SAID] == [ends.after(text) for text in SAID]
    replace(head, ends=None).save(tmp_path / "head.npz")
    assert Head.load(tmp_path / "head.npz").ends is None


def test_buckets_are_the_same_in_every_run() -> None:
    """Python's own hash of a string differs from run to run; what was learned with it would be noise in the next."""
    assert hashed("is it").tolist()[:6] == [1366, 12413, 22447, 49676, 117601, 140617]


def test_the_bundled_pack_knows_whole_questions_of_its_own() -> None:
    shipped = Understander.load()
    assert shipped.stops("what are the symptoms of facet hypertrophy") > shipped.stops("what are the symptoms of")
    assert shipped.stops("") == 0.0


@given(st.text())
def test_an_end_is_a_probability_whatever_was_said(ends: Ends, text: str) -> None:
    assert 0.0 <= ends.after(text) <= 1.0
    assert all(0 <= bucket < BUCKETS for bucket in hashed(text))
