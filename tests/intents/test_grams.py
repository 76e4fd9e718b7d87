"""Hashed n-grams: the same on every machine, kept in what is stored, and robust to what is misheard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.compile import fit_both
from intents.grams import BUCKETS, grams, hashed
from intents.head import Head
from intents.text import normalise

SAID = {
    "repeat": ("say that again", "repeat that please"),
    "reversibility": ("can it be cured", "is there a cure for it"),
    "louder": ("speak up", "turn up the volume"),
}
TEXTS = [text for texts in SAID.values() for text in texts]
LABELS = [label for label, texts in SAID.items() for _ in texts]


@pytest.fixture(scope="module")
def head() -> Head:
    """A head whose vectors say nothing: only the n-grams can tell."""
    return fit_both(np.ones((len(TEXTS), 2), np.float32), hashed(TEXTS), LABELS)


def likeliest(head: Head, text: str) -> str:
    return head.labels[int(head.probabilities(np.ones((1, 2), np.float32), hashed([text]))[0].argmax())]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("could it be cured", "reversibility"),
        ("curing it", "reversibility"),
        ("again please", "repeat"),
        ("repeated", "repeat"),
    ],
)
def test_words_and_runs_of_letters_tell_by_themselves(head: Head, text: str, label: str) -> None:
    assert likeliest(head, text) == label


def test_buckets_are_the_same_in_every_run() -> None:
    """Python's own hash of a string differs from run to run; what was learned with it would be noise in the next."""
    assert hashed(["is it"])[0].tolist() == [4668, 8865, 13975, 16576, 16908, 22023, 22447, 27501, 27759, 31400, 32462]


def test_what_is_stored_gives_the_same_probabilities(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    head.save(path)
    vectors, rows = np.ones((2, 2), np.float32), hashed(["cure", "again"])
    assert np.array_equal(Head.load(path).probabilities(vectors, rows), head.probabilities(vectors, rows))


def test_a_head_without_n_grams_is_stored_without_them(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    replace(head, grams=None).save(path)
    assert Head.load(path).grams is None


@given(st.text())
def test_any_text_gives_buckets_in_range_each_once(text: str) -> None:
    (row,) = hashed([normalise(text)])
    assert len(set(row.tolist())) == len(row)
    assert all(0 <= bucket < BUCKETS for bucket in row)


def test_a_pair_of_words_remembers_which_came_first() -> None:
    assert set(grams("not louder")) != set(grams("louder not"))
