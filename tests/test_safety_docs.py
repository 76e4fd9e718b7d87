"""docs/safety.md and docs/safety-rules.md say what is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tools.safety_figures import RULES, SAFETY, between, found, rule_files, rules_page, share, text_section
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result

TESTS = Path(__file__).parent


def test_every_test_that_the_hazard_log_names_exists() -> None:
    there = {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    named = set(re.findall(r"`(test_\w+)`", SAFETY.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named - there == set()


def test_the_rules_for_review_are_those_of_the_packs() -> None:
    assert RULES.read_text(encoding="utf-8") == rules_page(rule_files()), "run python -m tools.safety_figures --rules"


def result(kind: str, label: str, *, writer: str = "ann", text: str = "my leg | arm", **reply: object) -> Result:
    return Result(Line(1, label, kind, text, None, {"writer": writer, "counter": kind == "oos"}), reply)


RESULTS = [
    result("urgent", "urgent_limb", action="warn", urgent=("urgent_limb",)),
    result("urgent", "urgent_limb", action="clarify", choices=("urgent_limb",), text="sort of numb"),
    result("urgent", "urgent_other", action="reject", text="the gas is on", writer="bob"),
    result("oos", "out_of_scope", action="warn", urgent=("urgent_limb",), text="cold feet"),
    result("question", "definition", action="answer", intent="definition"),
]


def test_shares_have_their_number_and_their_exact_bound() -> None:
    assert share(RESULTS[:2], found, more_is_better=True) == "1 of 2 = 50.0% (≥ 2.5%)"
    assert share([], found, more_is_better=True) == "-"


def test_every_miss_and_every_needless_warning_is_listed() -> None:
    text = text_section(RESULTS, "about")
    assert "- `urgent_limb`, ann: “sort of numb” (asked back)" in text
    assert "- `urgent_other`, bob: “the gas is on”" in text
    assert "- `out_of_scope`, ann: “cold feet”" in text
    assert "my leg" not in text
    assert "| ann | 1 of 2" in text


def test_figures_go_between_the_marks_and_nothing_else_changes() -> None:
    page = SAFETY.read_text(encoding="utf-8")
    once = between(page, "figures")
    assert between(once, "figures") == once
    assert once.partition("<!--")[0] == page.partition("<!--")[0]


def test_every_risk_is_what_the_matrix_gives() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in SAFETY.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    severities = next(row[1:] for row in rows if row[0] == "likelihood")
    matrix = {
        (row[0], severity): risk
        for row in rows
        if len(row) == 6
        for severity, risk in zip(severities, row[1:], strict=True)
    }
    hazards = [row for row in rows if re.fullmatch(r"H\d+", row[0])]
    assert len(hazards) >= 12
    assert [row[0] for row in hazards if matrix[row[5], row[3]] != row[6]] == []
