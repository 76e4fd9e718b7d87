"""The rule file itself: errors that name file, key and reason, signs without code, mishearings."""

from __future__ import annotations

from pathlib import Path

import pytest

from intents.urgent import UrgentRules
from intents.urgent_schema import UrgentRulesError, read_file

BASE = """
format = 1
signs = ["urgent_test"]
[roles]
filler = "filler"
first_person = "me"
other_person = "them"
negator = "no"
negation_link = "link"
not_denial = "but_no"
negative = "no"
gap_stop = "stop"
clause_break = "stop"
gradual = "slow"
sudden = "fast"
[concepts]
filler = ["um"]
me = ["i", "my"]
them = ["he", "wife"]
no = ["not", "no"]
link = ["a"]
but_no = ["no change"]
stop = ["but"]
slow = ["for years"]
fast = ["today"]
part = ["ear", "nose"]
[[rule]]
id = "purple"
sign = "urgent_test"
patterns = ["{part} ..2 purple"]
said = "{part} turned purple"
source = "made up"
examples = ["my ear is purple"]
counter_examples = ["my ear is not purple"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "urgent.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pack_adds_a_sign_without_code(tmp_path: Path) -> None:
    rules = UrgentRules.load([write(tmp_path, BASE)])
    (sign,) = rules.find("um my left ear is purple")
    assert (sign.id, sign.rule, sign.said) == ("urgent_test", "purple", "your left ear turned purple")
    assert rules.find("my ear is not purple") == ()
    assert rules.suppressed("my ear is not purple")[0].reason == "denied"
    assert UrgentRules.load([tmp_path]).find("my ear is purple")


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('sign = "urgent_test"', 'sign = "nowhere"', "rule[purple].sign", "not in `signs`"),
        ("{part} ..2 purple", "{leg} ..2 purple", "rule[purple].patterns", "no concept named 'leg'"),
        ("{part} ..2 purple", "{part} ..x purple", "rule[purple].patterns", "must be '..' and a number"),
        ("{part} ..2 purple", "{part} ..2", "rule[purple].patterns", "ends in a gap"),
        ("{part} ..2 purple", "{part} _", "rule[purple].patterns", "context of a confusion"),
        ("{part} turned", "{leg} turned", "rule[purple].said", "{leg} is not in every form"),
        ('source = "made up"', "", "rule[purple].source", "required"),
        ('source = "made up"', 'source = "made up"\ncolour = 1', "rule[purple].colour", "not permitted"),
        ('examples = ["my ear is purple"]', "examples = []", "rule[purple].examples", "at least 1"),
        ('part = ["ear", "nose"]', 'part = ["{part}"]', "concepts", "contains itself"),
        ("format = 1", "format = 2", "format", "1"),
        ("format = 1", "format = ", "file", "is not TOML"),
        ('gradual = "slow"', 'gradual = "nowhere"', "concepts", "no concept named 'nowhere'"),
    ],
)
def test_a_mistake_is_named_by_file_key_and_reason(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    assert old in BASE
    path = write(tmp_path, BASE.replace(old, new))
    with pytest.raises(UrgentRulesError) as raised:
        UrgentRules.load([path])
    assert raised.value.path == path
    assert raised.value.key == key
    assert reason in raised.value.reason


def test_a_rule_id_used_twice_is_refused(tmp_path: Path) -> None:
    rule = BASE[BASE.index("[[rule]]") :]
    with pytest.raises(UrgentRulesError, match="used twice"):
        UrgentRules.load([write(tmp_path, BASE + rule)])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UrgentRulesError, match="can't be read"):
        read_file(tmp_path / "urgent.toml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UrgentRulesError, match="roles"):
        UrgentRules.load([tmp_path / "empty"])


CONFUSION = """
[[confusion]]
said = "purple"
heard = ["people"]
context = ["{part} is _"]
weight = 0.8
"""


def test_a_mishearing_counts_only_in_its_context(tmp_path: Path) -> None:
    rules = UrgentRules.load([write(tmp_path, BASE + CONFUSION)])
    (sign,) = rules.find("my ear is people")
    assert sign.certainty == pytest.approx(0.95 * 0.8)
    assert rules.find("my nose met people") == ()
