"""How good one reply was, and what the figures make of many. Tables of utterance, reply → outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_product import reply
from hypothesis import given
from hypothesis import strategies as st

from voice.evaluate.manifest import Line
from voice.evaluate.result import GOODNESS, MEANING, Result, from_json, outcome, predicted, to_json
from voice.evaluate.worst import worst

pytest.importorskip("scipy")
from voice.evaluate import bounds, figures

LIMB = ["urgent_limb"]


@pytest.mark.parametrize(
    ("kind", "label", "given", "expected"),
    [
        ("question", "causes", reply("answer", "causes"), "right"),
        ("question", "causes", reply("answer", "causes", urgent=["provider_soon"]), "right"),
        ("question", "causes", reply("answer", "symptoms"), "wrong"),
        ("question", "causes", reply("command", "causes"), "wrong"),
        ("question", "causes", reply("command", "more"), "wrong"),
        ("question", "causes", reply("clarify", choices=["symptoms", "causes"]), "clarified right"),
        ("question", "causes", reply("clarify", choices=["symptoms", "outlook"]), "clarified wrong"),
        ("question", "causes", reply("reject"), "rejected"),
        ("question", "causes", reply("warn", "causes", urgent=LIMB), "warned"),
        ("question", "causes", reply("answer", "causes", urgent=LIMB), "warned"),
        ("urgent", "urgent_limb", reply("warn", urgent=LIMB), "found"),
        ("urgent", "urgent_bowel_bladder", reply("warn", urgent=LIMB), "found"),
        ("urgent", "urgent_limb", reply("warn", urgent=["provider_soon"]), "missed"),
        ("urgent", "urgent_limb", reply("clarify", choices=LIMB), "asked"),
        ("urgent", "urgent_limb", reply("clarify", choices=["causes", "symptoms"]), "missed"),
        ("urgent", "urgent_limb", reply("answer", "emergency_signs"), "missed"),
        ("urgent", "urgent_limb", reply("reject"), "missed"),
        ("urgent", "provider_soon", reply("warn", urgent=["provider_soon"]), "found"),
        ("urgent", "provider_soon", reply("warn", urgent=LIMB), "found"),
        ("urgent", "provider_soon", reply("answer", "when_to_see_provider"), "missed"),
        ("command", "louder", reply("command", "louder"), "right"),
        ("command", "louder", reply("command", "quieter"), "wrong"),
        ("command", "louder", reply("answer", "louder"), "wrong"),
        ("command", "louder", reply("reject"), "rejected"),
        ("command", "louder", reply("clarify", choices=["louder"]), "clarified right"),
        ("oos", "out_of_scope", reply("reject"), "refused"),
        ("oos", "out_of_scope", reply("answer", "causes"), "false accept"),
        ("oos", "out_of_scope", reply("command", "stop"), "wrong"),
        ("oos", "out_of_scope", reply("clarify", choices=["causes"]), "clarified wrong"),
        ("oos", "out_of_scope", reply("warn", urgent=LIMB), "warned"),
        ("oos", "out_of_scope", reply("warn", urgent=["provider_soon"]), "warned"),
        ("oos", "out_of_scope", reply("x", error="It can't be read."), "unusable"),
        ("oos", "out_of_scope", {"action": None, "crash": "IndexError: 1"}, "crashed"),
        ("urgent", "urgent_limb", {"action": None, "crash": "IndexError: 1"}, "crashed"),
    ],
)
def test_outcome(kind: str, label: str, given: dict[str, Any], expected: str) -> None:
    assert outcome(kind, label, given) == expected


def test_every_outcome_has_a_meaning_and_a_worth() -> None:
    assert set(MEANING) == set(GOODNESS)


def result(kind: str, label: str, given: dict[str, Any], seconds: float = 0.0, number: int = 1, **extra: Any) -> Result:
    audio = Path("a.flac") if seconds else None
    return Result(Line(number, label, kind, extra.pop("text", "some words"), audio, extra), given, seconds)


@pytest.mark.parametrize(
    ("kind", "label", "given", "expected"),
    [
        ("question", "causes", reply("answer", "symptoms"), "symptoms"),
        ("question", "causes", reply("reject"), "out_of_scope"),
        ("question", "causes", reply("clarify", choices=["causes"]), "(asked back)"),
        ("question", "causes", reply("warn", "causes", urgent=LIMB), "urgent_limb"),
        ("question", "causes", reply("answer", "causes", urgent=["provider_soon"]), "causes"),
        ("urgent", "urgent_other", reply("warn", urgent=["urgent_limb", "urgent_other"]), "urgent_other"),
        ("urgent", "urgent_other", reply("warn", urgent=["provider_soon", "urgent_limb"]), "urgent_limb"),
        ("oos", "out_of_scope", reply("x", error="bad"), "(unusable)"),
    ],
)
def test_predicted(kind: str, label: str, given: dict[str, Any], expected: str) -> None:
    assert predicted(result(kind, label, given)) == expected


def test_main_rates_count_what_their_names_say() -> None:
    rates = figures.main_rates(
        [
            result("question", "causes", reply("answer", "causes")),
            result("question", "causes", reply("clarify", choices=["causes"])),
            result("question", "causes", reply("answer", "symptoms")),
            result("question", "causes", reply("warn", urgent=LIMB), counter=True),
            result("question", "causes", reply("x", error="bad")),
            result("urgent", "urgent_limb", reply("warn", urgent=LIMB)),
            result("urgent", "urgent_limb", reply("clarify", choices=LIMB)),
            result("urgent", "provider_soon", reply("reject")),
            result("oos", "out_of_scope", reply("answer", "causes"), topic="other_illness"),
            result("oos", "out_of_scope", reply("reject", urgent=["provider_soon"]), group="counter"),
            result("command", "stop", reply("command", "stop")),
        ]
    )
    table = {name: (one.hits, one.tried) for name, one in rates.items()}
    assert table["questions right"] == (1, 4)
    assert table["questions right or asked back with the right one"] == (2, 4)
    assert table["questions wrong"] == (1, 4)
    assert table["danger signs found"] == (1, 2)
    assert table["danger signs found or asked about"] == (2, 2)
    assert table["provider soon found"] == (0, 1)
    assert table["false warnings, all without a sign"] == (1, 7)
    assert table["false warnings, danger words without danger"] == (1, 2)
    assert table["false warnings, all others"] == (0, 5)
    assert table["provider soon said without need"] == (1, 7)
    assert table["danger signs asked about without need"] == (0, 7)
    assert table["out of scope answered"] == (1, 2)
    assert table["other illness answered"] == (1, 1)
    assert table["commands carried out"] == (1, 1)


def test_rates_of_asking_about_danger_and_of_hearing_nothing() -> None:
    rates = figures.main_rates(
        [
            result("question", "causes", reply("clarify", choices=LIMB, transcript=" "), seconds=1.0),
            result("oos", "out_of_scope", reply("reject", transcript=""), seconds=1.0, text=""),
            result("question", "causes", reply("reject", transcript="")),
        ]
    )
    assert rates["danger signs asked about without need"] == figures.Rate(1, 3)
    assert rates["recordings of words in which none was heard"] == figures.Rate(1, 1)


@pytest.mark.parametrize(
    ("hits", "tried", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.05 ** (1 / 10)),
        (10, 10, 0.05 ** (1 / 10), 1.0),
        (0, 300, 0.0, 1 - 0.05 ** (1 / 300)),
        (8, 10, 0.49310, 0.96323),  # Clopper & Pearson, 90 % two-sided
    ],
)
def test_bounds_against_known_values(hits: int, tried: int, low: float, high: float) -> None:
    assert bounds.at_least(hits, tried) == pytest.approx(low, abs=1e-5)
    assert bounds.at_most(hits, tried) == pytest.approx(high, abs=1e-5)


@given(st.integers(1, 500).flatmap(lambda tried: st.tuples(st.integers(0, tried), st.just(tried))))
def test_bounds_against_the_beta_distribution(case: tuple[int, int]) -> None:
    from scipy.stats import beta

    hits, tried = case
    low = beta.ppf(0.05, hits, tried - hits + 1) if hits else 0.0
    high = beta.ppf(0.95, hits + 1, tried - hits) if hits < tried else 1.0
    assert bounds.at_least(hits, tried) == pytest.approx(low, abs=1e-6)
    assert bounds.at_most(hits, tried) == pytest.approx(high, abs=1e-6)


def test_nothing_tried_has_no_bound() -> None:
    assert bounds.at_least(0, 0) is None
    assert bounds.at_most(0, 0) is None
    assert bounds.at_most_an_hour(0, 0.0) is None


@pytest.mark.parametrize(("events", "hours", "bound"), [(0, 1.0, 2.9957), (0, 10.0, 0.29957), (3, 2.0, 7.7537 / 2)])
def test_bound_an_hour_against_the_poisson_table(events: int, hours: float, bound: float) -> None:
    assert bounds.at_most_an_hour(events, hours) == pytest.approx(bound, abs=1e-4)


def test_false_warnings_an_hour_count_recordings_without_a_sign_only() -> None:
    row = figures.false_warnings(
        [
            result("oos", "out_of_scope", reply("warn", urgent=LIMB), seconds=1800),
            result("question", "causes", reply("answer", "causes"), seconds=1800),
            result("urgent", "urgent_limb", reply("warn", urgent=LIMB), seconds=7200),
            result("oos", "out_of_scope", reply("warn", urgent=LIMB)),
        ]
    )
    assert (row["warnings"], row["utterances"], row["hours"], row["per_hour"]) == (2, 3, 1.0, 1.0)


def test_urgent_by_sign_tells_wordings_apart_from_recordings() -> None:
    table = figures.urgent_by_sign(
        [
            result("urgent", "urgent_limb", reply("warn", urgent=LIMB), text="my leg is gone"),
            result("urgent", "urgent_limb", reply("reject"), text="my leg is gone"),
            result("urgent", "urgent_other", reply("warn", urgent=LIMB), text="my chest hurts"),
            result("urgent", "provider_soon", reply("reject"), text="tingling for years"),
        ]
    )
    assert (table["urgent_limb"]["found"], table["urgent_limb"]["tried"], table["urgent_limb"]["wordings"]) == (1, 2, 1)
    assert (table["urgent_other"]["found"], table["urgent_other"]["same_sign"]) == (1, 0)
    assert (table["all danger signs"]["found"], table["all danger signs"]["tried"]) == (2, 3)
    assert table["provider_soon"]["found"] == 0


def test_recall_and_precision() -> None:
    table = figures.confusion(
        [
            result("question", "causes", reply("answer", "causes")),
            result("question", "causes", reply("answer", "outlook")),
            result("question", "outlook", reply("answer", "outlook")),
            result("question", "grading", reply("reject")),
        ]
    )
    ids = figures.by_id(table)
    assert (ids["causes"]["recall"], ids["causes"]["precision"]) == (0.5, 1.0)
    assert (ids["outlook"]["recall"], ids["outlook"]["precision"]) == (1.0, 0.5)
    assert (ids["grading"]["recall"], ids["grading"]["precision"]) == (0.0, None)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), (list(range(1, 101)), 0.95, 95)],
)
def test_quantile(values: list[float], share: float, expected: float | None) -> None:
    assert figures.quantile(values, share) == expected


def test_latency_adds_spans_and_leaves_texts_and_missing_spans_out() -> None:
    row = figures.latency(
        [
            result("question", "causes", reply("answer", "causes"), seconds=2.0),
            result(
                "question",
                "causes",
                reply("answer", timing_ms={"recognize": 1, "understand": 2, "first_audio": None}),
                seconds=2.0,
            ),
            result("question", "causes", reply("answer", "causes")),
        ]
    )
    assert (row["reply"]["number"], row["reply"]["median"]) == (1, 122.0)
    assert row["text"]["number"] == 2
    assert row["understand"]["number"] == 3


def test_calibration_error() -> None:
    sure = [result("question", "causes", reply("answer", "causes", confidence=0.8)) for _ in range(4)]
    row = figures.calibration([*sure, result("question", "causes", reply("answer", "outlook", confidence=0.8))])
    assert row["bins"] == [{"from": 0.8, "to": 0.9, "number": 5, "stated": pytest.approx(0.8), "right": 0.8}]
    assert row["error"] == pytest.approx(0.0)


def test_words_are_compared_without_case_and_punctuation_and_by_group() -> None:
    pytest.importorskip("jiwer")
    heard = reply("answer", "causes", transcript="what is faucet hypertrophy")
    results = [
        result("question", "causes", heard, seconds=1.0, text="What is facet hypertrophy?", voice="a"),
        result("question", "causes", reply("answer", transcript=""), seconds=1.0, text="don't know", voice="b"),
        result("question", "causes", heard, text="a text has no word errors", voice="a"),
    ]
    whole = figures.all_figures(results, ["voice"])
    assert whole["words"] == {"said": 6, "substituted": 1, "deleted": 2, "inserted": 0, "rate": 0.5}
    assert whole["groups"]["voice"]["a"]["word_error_rate"] == 0.25
    assert whole["groups"]["voice"]["b"]["word_error_rate"] == 1.0


def test_groups_by_condition_and_by_members_of_a_list() -> None:
    results = [
        result(
            "question",
            "causes",
            reply("answer", "causes"),
            1.0,
            noise="kitchen",
            snr_db=12.0,
            effects=["cough", "clip"],
        ),
        result("question", "causes", reply("answer", "causes"), 1.0, noise=None, effects=[]),
    ]
    groups = figures.all_figures(results, ["effects", "noise,snr_db"])["groups"]
    assert set(groups["noise level"]) == {"kitchen at 12 dB", "no noise"}
    assert {value: row["utterances"] for value, row in groups["effects"].items()} == {"cough": 1, "clip": 1, "none": 1}
    assert set(groups["noise,snr_db"]) == {"kitchen, 12"}


def test_worst_first() -> None:
    results = [
        result("question", "causes", reply("answer", "outlook", confidence=0.7), number=1),
        result("question", "causes", reply("answer", "outlook", confidence=0.95), number=2),
        result("urgent", "urgent_limb", reply("answer", "causes", confidence=0.1), number=3),
        result("urgent", "provider_soon", reply("reject", confidence=0.9), number=4),
        result("question", "causes", reply("answer", "causes"), number=5),
        result("question", "causes", reply("reject", confidence=0.99), number=6),
        result("urgent", "urgent_limb", reply("clarify", choices=LIMB, confidence=0.2), number=7),
    ]
    assert [one.line.number for one in worst(results)] == [3, 7, 4, 2, 1, 6]
    assert len(worst(results, 2)) == 2


def test_a_result_survives_json() -> None:
    one = result("urgent", "urgent_limb", reply("warn", urgent=LIMB), 1.5, room="hall")
    assert from_json(to_json(one)) == one
