"""Its own words, heard through the room, are not a person's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.echo import LINGER, Echo

SENTENCE = "Facet hypertrophy means that the joints between the bones of your spine have grown too big."


def _speaking(sentence: str = SENTENCE) -> Echo:
    echo = Echo()
    echo.say(sentence, 0)
    return echo


@pytest.mark.parametrize(
    "heard",
    [
        SENTENCE,
        "facet hypertrophy means that the joints",
        "faucet hypertrophy means the joints between the bones",  # misheard
        "of your spine have grown to big",
        "joints",
        "the bones",
    ],
)
def test_what_it_is_saying_is_its_own(heard: str) -> None:
    assert _speaking().is_own(heard, now=16_000)


@pytest.mark.parametrize(
    "heard", ["stop", "my legs went numb", "what can i do about it", "hey back talk", "wait a minute"]
)
def test_what_somebody_else_says_is_not(heard: str) -> None:
    assert not _speaking().is_own(heard, now=16_000)


def test_words_are_its_own_for_a_while_after_they_were_said() -> None:
    echo = _speaking()
    echo.quiet(16_000)
    assert echo.is_own("grown too big", 16_000 + LINGER)
    assert not echo.is_own("grown too big", 16_000 + LINGER + 1)


def test_two_sentences_in_a_row_are_one_stretch() -> None:
    echo = _speaking("They rub together.")
    echo.say("That can hurt.", 16_000)
    assert echo.is_own("rub together that can hurt", 17_000)


def test_what_is_left_without_its_own_words_is_a_persons() -> None:
    assert _speaking("Are your legs numb?").unsaid("my legs are num and i fell", 16_000) == "my and i fell"


def test_something_sounded_until_its_end() -> None:
    echo = _speaking()
    assert echo.sounded(16_000)
    echo.quiet(16_000)
    assert echo.sounded(16_000)
    assert not echo.sounded(16_001)
    assert not Echo().sounded(0)


def test_silence_is_nobodys() -> None:
    assert not _speaking().is_own("", 0)
    assert not Echo().is_own("anything", 0)


@given(st.text(), st.text(), st.integers(min_value=0, max_value=10**9))
def test_any_text_can_be_asked_about(spoken: str, heard: str, now: int) -> None:
    assert _speaking(spoken).is_own(heard, now) in (True, False)
