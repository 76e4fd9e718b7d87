"""How long a pause may be: a table of what was heard so far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.endpoint import FILLERS, HARDLY, LIKELY, PATIENCE, UNLIKELY, allowed_pause_ms, is_dangling
from voice.settings import PATIENCES


@pytest.mark.parametrize(
    "text",
    [
        "what is",
        "what is um",
        "what is, um",
        "the pain in my",
        "is it because",
        "how do i treat the",
        "tell me about the",
        "can you",
        "does it spread to",
        "i have",
        "well",
        "my back is very",
    ],
)
def test_a_dangling_word_holds_the_floor(text: str) -> None:
    assert is_dangling(text)
    assert allowed_pause_ms(text, complete=True) > 900  # even when it was understood already


@pytest.mark.parametrize(
    "text",
    [
        "what is facet hypertrophy",
        "what is it",
        "what can i do",
        "stop",
        "why",
        "tell me about it",
        "where is that",
        "how do i know what i have",
        "can it be cured",
        "is it dangerous",
        "what do i do",
    ],
)
def test_a_whole_question_does_not_dangle(text: str) -> None:
    assert not is_dangling(text)
    assert allowed_pause_ms(text, complete=True) <= 350


@pytest.mark.parametrize("patience", PATIENCES)
def test_a_complete_question_waits_less_than_an_open_one_and_that_less_than_a_dangling_one(patience: str) -> None:
    complete = allowed_pause_ms("what is facet hypertrophy", True, patience)
    unclear = allowed_pause_ms("facet hypertrophy in old people", False, patience)
    dangling = allowed_pause_ms("facet hypertrophy in the", False, patience)
    assert complete < unclear < dangling


def test_more_patience_never_waits_less() -> None:
    assert tuple(PATIENCE) == PATIENCES
    for text in ("", "what is", "what is facet hypertrophy"):
        for complete in (False, True):
            pauses = [allowed_pause_ms(text, complete, patience) for patience in PATIENCES]
            assert pauses == sorted(pauses)


def test_a_pause_of_nine_tenths_of_a_second_does_not_end_what_is_not_understood() -> None:
    assert allowed_pause_ms("my mother had these joints", complete=False) > 900


def test_an_unknown_patience_counts_as_normal() -> None:
    assert allowed_pause_ms("why", True, "endless") == allowed_pause_ms("why", True, "normal")


@given(st.text(), st.booleans(), st.sampled_from(PATIENCES))
def test_any_text_has_a_pause_within_bounds(text: str, complete: bool, patience: str) -> None:
    assert 150 <= allowed_pause_ms(text, complete, patience) <= 3000


@given(st.sampled_from(sorted(FILLERS)))
def test_a_filler_after_a_whole_question_asks_for_time(filler: str) -> None:
    assert is_dangling(f"what is facet hypertrophy {filler}")


@pytest.mark.parametrize("patience", PATIENCES)
def test_where_people_mostly_go_on_a_whole_question_waits_longer(patience: str) -> None:
    waits = [allowed_pause_ms("what use is it", True, patience, stops) for stops in (0.0, HARDLY, UNLIKELY, LIKELY)]
    assert waits == sorted(set(waits), reverse=True)
    assert waits[0] == allowed_pause_ms("what use is it", False, patience)


def test_a_dangling_word_that_people_do_stop_at_is_not_waited_for_as_long() -> None:
    assert is_dangling("what did i do to help this")
    assert allowed_pause_ms("what did i do to help this", True, stops=HARDLY) < 900
    assert allowed_pause_ms("what did i do to help this", True, stops=0.0) > 900


def test_words_that_are_not_understood_are_waited_for_longer_but_less_where_people_mostly_stop() -> None:
    mostly, hardly = (allowed_pause_ms("what does he call it", False, stops=stops) for stops in (0.6, 0.0))
    assert allowed_pause_ms("what does he call it", True, stops=0.6) < mostly < hardly


def test_after_a_filler_time_is_given_whatever_is_known_of_ends() -> None:
    assert allowed_pause_ms("what is facet hypertrophy um", True, stops=0.9) > 900
