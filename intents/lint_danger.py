"""Do the rules for danger signs do what their examples say, and do they cover what the article warns of?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from intents.article import Article, danger_signs
from intents.finding import Finding
from intents.pack import Pack, shared_folder
from intents.urgent import UrgentRules
from intents.urgent_schema import UrgentRulesError, read_file

_TURNED = [
    (r"\byour\b", "my"),
    (r"\byou're\b", "i'm"),
    (r"\byou've\b", "i've"),
    (r"\byou\b", "i"),
    (r"\byourself\b", "myself"),
]


def rule_folders(pack: Pack) -> list[Path]:
    """Where the rules that hold for a pack are: its own folder and those that it shares."""
    return list(dict.fromkeys([pack.folder, *(shared_folder(pack, name) for name in pack.about.shares)]))


def load_rules(pack: Pack) -> UrgentRules | Finding:
    """The rules that hold for the pack, or what is wrong with them."""
    try:
        return UrgentRules.load(rule_folders(pack))
    except UrgentRulesError as error:
        return Finding("error", error.path, error.key, error.reason)


def lint_rules(pack: Pack, rules: UrgentRules) -> Iterator[Finding]:
    """Each example of the pack's own rules must be found by its rule; each counter-example must be found by none."""
    path = pack.folder / "urgent.toml"
    if not path.exists():
        return
    try:
        own = read_file(path).rule
    except UrgentRulesError as error:
        yield Finding("error", error.path, error.key, error.reason)
        return
    for rule in own:
        signs = {rule.sign, rule.when_gradual, rule.when_sudden}
        for text in rule.examples:
            if not any(sign.rule == rule.id and sign.id in signs for sign in rules.find(text)):
                taken = next((sign.reason for sign in rules.suppressed(text) if sign.rule == rule.id), None)
                why = f"it is taken back as {taken}" if taken else "no pattern matches"
                yield Finding("error", path, f"rule[{rule.id}].examples", f'"{text}" does not warn: {why}')
        for text in rule.counter_examples:
            for sign in rules.find(text)[:1]:
                yield Finding(
                    "error",
                    path,
                    f"rule[{rule.id}].counter_examples",
                    f'"{text}" warns of {sign.id} by rule {sign.rule}',
                )


def lint_article_signs(pack: Pack, article: Article, rules: UrgentRules) -> Iterator[Finding]:
    """What the article calls an emergency must be found by a rule when a person says it."""
    path = pack.folder / "urgent.toml"
    for sign in danger_signs(article):
        if any(rules.read(text) for text in said_by_a_person(sign.text)):
            continue
        if sign.exact:
            yield Finding(
                "error",
                path,
                "rule",
                f'the article (section "{sign.section}") warns of "{sign.text}", and no rule finds it',
            )
        else:
            yield Finding(
                "advice",
                path,
                "rule",
                f'please read this sentence of section "{sign.section}": a sign in it may lack a rule: "{sign.text}"',
            )


def said_by_a_person(sign: str) -> Sequence[str]:
    """Ways to say a sign about oneself: "your legs are weak" → "my legs are weak", "i have my legs are weak" ..."""
    text = sign.lower().replace("’", "'")
    for pattern, word in _TURNED:
        text = re.sub(pattern, word, text)
    text = re.sub(
        r"\bor\b",
        "and",
        re.sub(r"^(?:any|a|an|the|new|if i have|i have|have|having|experience|experiencing)\s+", "", text).strip(
            " .,;:"
        ),
    )
    return (f"i have {text}", f"i have {text.split(' and ')[0]}", f"i {text}", f"my {text}", text)
