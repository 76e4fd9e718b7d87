"""Danger signs by rule: what must warn, what must not, and why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.urgent import UrgentRules

PACK = Path(__file__).resolve().parents[2] / "intents" / "packs" / "facet_hypertrophy"
RULES = UrgentRules.load([PACK])

LIMB, TOILET, OTHER, SOON = "urgent_limb", "urgent_bowel_bladder", "urgent_other", "provider_soon"

CLASSIC = [
    ("I can't feel my legs", LIMB),
    ("i cannot feel me legs", LIMB),
    ("he can't feel his legs", LIMB),
    ("my husband's leg has gone numb", LIMB),
    ("my foot's numb", LIMB),
    ("my leg gave way", LIMB),
    ("my legs keep giving way", LIMB),
    ("her arm won't move", LIMB),
    ("no strength in my hand since breakfast", LIMB),
    ("i am numb from the waist down", LIMB),
    ("i can't pee", TOILET),
    ("I couldn't pee this morning", TOILET),
    ("dad can't pass water", TOILET),
    ("i wet myself", TOILET),
    ("mum has wet herself again", TOILET),
    ("i've lost control of my bowels", TOILET),
    ("no feeling when i wipe", TOILET),
    ("numb between my legs", TOILET),
    ("i'm leaking urine all of a sudden", TOILET),
    ("i have chest pain", OTHER),
    ("she can't breathe", OTHER),
    ("i want to kill myself", OTHER),
    ("i took too many tablets", OTHER),
    ("he fell down the stairs and can't get up", OTHER),
    ("i've had pins and needles in my feet for years", SOON),
    ("my legs have been getting weaker bit by bit over two years", SOON),
]


@pytest.mark.parametrize(("text", "sign"), CLASSIC)
def test_plain_statements_are_found(text: str, sign: str) -> None:
    assert sign in {found.id for found in RULES.find(text)}, RULES.suppressed(text)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("no change still numb in my left foot", LIMB),
        ("it's not pain it's that i can't move my leg", LIMB),
        ("my arms are fine but my legs won't move", LIMB),
        ("i ain't got no feeling in my hand", LIMB),
        ("no i can't feel my feet", LIMB),
        ("my left arm is not working right since this morning", LIMB),
        ("my leg was fine yesterday but now it won't move", LIMB),
        ("my foot is numb since i sat down in the chair", LIMB),
        ("the battery died and my foot won't lift", LIMB),
        ("i've been sat on the toilet an hour and i can't pee", TOILET),
        ("the pain is not bad but i wet the bed", TOILET),
        ("my bowels are fine but i can't empty my bladder", TOILET),
    ],
)
def test_a_negative_elsewhere_does_not_silence(text: str, sign: str) -> None:
    assert sign in {found.id for found in RULES.find(text)}, RULES.suppressed(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("i have no numbness in my legs", "denied"),
        ("my legs are not numb", "denied"),
        ("what should i do if my legs went numb", "hypothetical"),
        ("supposing i couldn't pee one day", "hypothetical"),
        ("can it cause numbness in the feet", "general"),
        ("does this make people incontinent", "general"),
        ("my arm was numb last year and it never came back", "past"),
        ("i used to wet the bed when i was four", "past"),
        ("i nearly wet myself laughing", "figure"),
        ("in the film he can't feel his legs", "third_party"),
        ("the dog has wet the bed", "third_party"),
    ],
)
def test_what_takes_a_sign_back_is_named(text: str, reason: str) -> None:
    assert RULES.find(text) == ()
    assert reason in {sign.reason for sign in RULES.suppressed(text)}


@pytest.mark.parametrize(
    "text",
    [
        "what is facet hypertrophy",
        "why do my legs ache in the morning",
        "my bladder is fine thank you",
        "i can feel my legs",
        "the table leg gave way",
        "should i rest or keep moving",
        "turn the volume up",
        "he got cold feet about the wedding",
        "set a timer for ten minutes",
        "no",
        "",
        "   ",
    ],
)
def test_ordinary_talk_is_quiet(text: str) -> None:
    assert RULES.find(text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("i can't pee", "you can't pass water or empty your bowels"),
        ("my husband can't pee", "your husband can't pass water or empty your husband's bowels"),
        ("she took too many tablets", "she took too much of something"),
        ("my right leg has gone numb", "your right leg lost feeling"),
        ("his arm is limp", "his arm lost feeling"),
        ("my husband's left leg is numb", "your husband's left leg lost feeling"),
    ],
)
def test_what_was_heard_is_named_and_turned_round(text: str, said: str) -> None:
    assert said in {sign.said for sign in RULES.find(text)}


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("my left leg is mom", LIMB),
        ("i can't fill my legs", LIMB),
        ("conceal my feet", LIMB),
        ("my leg gateway", LIMB),
        ("i've lost control of my blogger", TOILET),
        ("i can't have a week", TOILET),
    ],
)
def test_known_mishearings_are_found_with_doubt(text: str, sign: str) -> None:
    found = [one for one in RULES.find(text) if one.id == sign]
    assert found
    assert max(one.certainty for one in found) < 0.9


@pytest.mark.parametrize(
    "text",
    ["my mom is here", "see you next week", "read me the blogger page", "conceal the present", "can i have a week"],
)
def test_misheard_words_elsewhere_are_quiet(text: str) -> None:
    assert RULES.find(text) == ()


def test_time_decides_between_now_and_an_ordinary_visit() -> None:
    assert {sign.id for sign in RULES.find("my foot has been numb for years")} == {SOON}
    assert {sign.id for sign in RULES.find("my foot has been numb since tuesday")} == {LIMB}
    assert LIMB in {sign.id for sign in RULES.find("i've had a bad back for years but today my foot is numb")}
    assert TOILET in {sign.id for sign in RULES.find("i've been incontinent for years")}


def test_every_rule_finds_its_examples_and_spares_its_counter_examples() -> None:
    wrong = [
        (rule.id, text)
        for rule in RULES.rules
        for text in rule.examples
        if rule.id not in {sign.rule for sign in RULES.find(text)}
    ]
    wrong += [(rule.id, text) for rule in RULES.rules for text in rule.counter_examples if RULES.find(text)]
    assert wrong == []


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    for sign in RULES.read(text):
        assert 0 <= sign.span[0] < sign.span[1] <= len(text)
        assert 0 < sign.certainty <= 1


WORDS = sorted(
    {word for rule in RULES.rules for text in rule.examples + rule.counter_examples for word in text.split()}
)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_order_of_the_rules_own_words_is_read(words: list[str]) -> None:
    for sign in RULES.read(" ".join(words)):
        assert "{" not in sign.said


@settings(max_examples=60)
@given(
    st.sampled_from([text for text, _ in CLASSIC]),
    st.lists(st.sampled_from(["um", "er", "well", "you know", "sort of"]), max_size=6),
    st.lists(st.sampled_from(["um", "er", "you know", "i mean", "sorry"]), max_size=6),
)
def test_fillers_never_remove_a_sign(text: str, before: list[str], after: list[str]) -> None:
    plain = {(sign.id, sign.rule) for sign in RULES.find(text)}
    assert plain <= {(sign.id, sign.rule) for sign in RULES.find(" ".join([*before, text, *after]))}


def test_a_sign_is_found_anywhere_in_a_long_text() -> None:
    talk = "and then we went to the shop and bought some bread for the weekend "
    assert LIMB in {sign.id for sign in RULES.find(talk * 700 + "i can't feel my legs " + talk * 700)}
