"""What is left of a text before it is compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.text import normalise, without_fillers


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("What is, um, what is it?", "what is it"),
        ("uh ... my leg, er, my leg went", "my leg went"),
        ("um", ""),
        ("uh-huh", "yes"),
        ("mm-hmm, that one", "yes that one"),
        ("mhm", "yes"),
        ("uh-uh", "nuh uh"),
        ("mm mm", "nuh uh"),
        ("uh, uh, what is it", "what is it"),
        ("uh uh uh", ""),
    ],
)
def test_hesitations_go_and_sounds_that_mean_something_stay(said: str, left: str) -> None:
    assert without_fillers(normalise(said)) == left


@given(st.text())
def test_nothing_is_left_to_drop_the_second_time(text: str) -> None:
    once = without_fillers(normalise(text))
    assert normalise(once) == once
