"""The benchmarks run and tell the truth: shapes, rules, and the cheap peers from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("jiwer", reason="the extra evaluate is not installed")
pytest.importorskip("scipy", reason="the extra evaluate is not installed")

from benchmarks.latency import report as latency_report
from benchmarks.peers.corpus import lines_of, pair_key, pairs, sample, training, tried_audio, tried_writers
from benchmarks.peers.hearing import Recognizer, Transcript, read_cache, transcribe
from benchmarks.peers.peer import Missing, Pair, need
from benchmarks.peers.product import acted
from benchmarks.peers.roster import PEERS, Encoders
from benchmarks.peers.run import peer_row, tried_texts
from benchmarks.peers.score import best_threshold, decided, figures
from benchmarks.peers.table import Report, as_json, markdown, text
from benchmarks.peers.templates import keywords, template
from benchmarks.sides import spread
from intents.heard import Heard
from intents.pack import Example
from voice.frame import Samples

EXAMPLES = [
    Example(text, label, section, writer)
    for writer in ("ann", "bob")
    for text, label, section in (
        (f"what is a facet joint {writer}", "facet_joints", "question"),
        (f"how is facet hypertrophy treated {writer}", "treatment", "question"),
        (f"my leg went numb just now {writer}", "urgent_limb", "urgent"),
        (f"say that again please {writer}", "repeat", "command"),
        (f"switch off the kitchen light {writer}", "oos:device", "oos"),
    )
]


def test_labels_are_public_and_the_tried_writers_are_in_no_pack() -> None:
    known = training()
    assert not any(label.startswith("oos:") for _, label in pairs(known))
    assert not {one.writer for one in known} & {str(line.extra["writer"]) for line in tried_writers()}
    assert {str(line.extra["split"]) for line in tried_audio()} == {"test"}


def test_a_sample_is_the_same_each_time_and_spread_over_labels() -> None:
    known: list[Pair] = [(f"text {number}", f"label {number % 5}") for number in range(100)]
    some = sample(known, 10, pair_key)
    assert some == sample(list(reversed(known)), 10, pair_key)
    assert sorted(label for _, label in some) == sorted(f"label {number % 5}" for number in range(10))


@pytest.mark.parametrize(
    ("label", "action", "urgent"),
    [
        ("causes", "answer", []),
        ("stop", "command", []),
        ("urgent_limb", "warn", ["urgent_limb"]),
        ("out_of_scope", "reject", []),
        (None, "reject", []),
    ],
)
def test_a_label_becomes_what_a_program_would_do(label: str | None, action: str, urgent: list[str]) -> None:
    reply = acted(label, 0.5, "words")
    assert (reply["action"], reply["urgent"]) == (action, urgent)


def test_the_threshold_turns_away_what_is_better_turned_away() -> None:
    lines = lines_of(EXAMPLES[:5])
    guesses = [("facet_joints", 0.9), ("treatment", 0.8), ("urgent_limb", 0.7), ("repeat", 0.6), ("treatment", 0.2)]
    threshold = best_threshold(lines, guesses)
    assert threshold is not None
    assert 0.2 < threshold <= 0.6
    rates = figures(decided(lines, guesses, [line.text or "" for line in lines], threshold))
    assert rates["out of scope answered"].hits == 0
    assert rates["questions right first time"].hits == 2
    assert rates["danger signs found"].hits == 1


def test_a_threshold_is_not_set_where_none_helps() -> None:
    lines = lines_of(EXAMPLES[:2])
    assert best_threshold(lines, [("facet_joints", 0.9), ("treatment", 0.1)]) is None


def test_templates_are_made_by_rule() -> None:
    assert template("what is a facet joint") == "[what] [is] [a] facet joint"
    assert template("what is it") == "what is it"
    said = [(f"numb {word}", "signs") for word in ("leg", "foot", "hand")] + [
        (f"tea {word}", "tea") for word in "abcdefgh"
    ]
    assert keywords(said) == {"signs": ["numb"], "tea": []}  # "tea" is too common among all to tell much


@pytest.mark.parametrize(
    "name", ["hassil", "padacioso", "adapt", "rapidfuzz WRatio", "rapidfuzz token_set_ratio", "TF-IDF and linear SVM"]
)
def test_a_cheap_peer_from_end_to_end(name: str) -> None:
    tried = tried_texts("own words", lines_of(EXAMPLES))
    try:
        row = peer_row(name, EXAMPLES, "bob", [tried], Encoders(), None)
    except Missing as error:
        pytest.skip(f"{name}: {error}")
    rates = row.figures["own words"]
    assert rates["questions right first time"].tried == 4
    if name != "adapt":  # its keywords want each term three times
        assert rates["questions right first time"].hits == 4
        assert rates["danger signs found"].hits == 2
        assert rates["out of scope answered"].hits == 0
    report = Report({"date": "today"}, {"own words": len(tried.lines)}, [row], [], {"other": "not installed"})
    assert "other: did not run, not installed" in text(report)
    assert f"| {name} | " in markdown(report)
    assert as_json(report)["peers"][0]["figures"]["own words"]["questions right first time"]["tried"] == 4


def test_a_missing_peer_says_what_to_install() -> None:
    with pytest.raises(Missing, match="pip install no-such-thing"):
        need("no_such_module_at_all", "pip install no-such-thing")


def test_transcripts_are_kept_and_used_again(tmp_path: Path) -> None:
    lines = tried_audio()[:2]
    cache = tmp_path / "transcripts.jsonl"
    heard: list[int] = []

    class Fixed:
        def hear(self, samples: Samples) -> Heard:
            heard.append(len(samples))
            return Heard("some words", ("other words",))

    recognizer = Recognizer("fixed", "1", Fixed, "says the same always")
    first = list(transcribe(recognizer, lines, cache))
    assert list(transcribe(recognizer, lines, cache)) == first
    assert read_cache(cache) == first
    assert len(heard) == 2
    list(transcribe(Recognizer("fixed", "2", Fixed, ""), lines, cache))
    assert len(heard) == 4, "another version must be heard anew"
    assert isinstance(first[0], Transcript)
    assert first[0].heard.alternatives == ("other words",)


def test_every_peer_says_how_it_was_set_up() -> None:
    assert all(about.how for about, _ in PEERS.values())
    assert len(PEERS) >= 9


def test_latency_report_tells_whether_the_aims_are_met() -> None:
    one = {"median": 20.0, "p95": 30.0, "greatest": 40.0}
    plain = {"load_s": 1.0, "real_time": 0.2, "peak_memory_mb": 200.0, "recognize_ms": one}
    ours = {
        **plain,
        "recordings": 3,
        "seconds": 9.0,
        "understand_ms": one,
        "first_audio_ms": {**one, "median": 50.0},
        "reply_ms": one,
        "voice_memory_mb": 30.0,
        "threads": "1",
    }
    mind = {"sentences": 5, "understand_ms": one, "processor_ms": one, "load_s": 0.1, "added_memory_mb": 60.0}
    lines = latency_report({"vosk": plain, "backtalk": ours, "understand": mind}, None, True)
    assert any("at most 350 MB: met" in line for line in lines)
    assert any("70.0 ms; aim: at most 60 ms: not met" in line for line in lines)
    assert any("is there a microphone" in line for line in lines)
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "p95": 3.0, "greatest": 3.0}
