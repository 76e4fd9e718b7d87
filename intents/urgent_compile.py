"""Compiles the danger rules of one or more `urgent.toml` files: names become numbers, sentences become patterns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from intents.urgent_parse import Lexicon, PatternError, Patterns, plain
from intents.urgent_said import Speaker, fields
from intents.urgent_schema import (
    ConfusionTable,
    Roles,
    RuleTable,
    SuppressTable,
    UrgentFile,
    UrgentRulesError,
)
from intents.urgent_words import Spelling


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as written, and its patterns."""

    table: RuleTable
    patterns: Patterns
    near: Patterns
    unless: Patterns
    parts: dict[str, frozenset[str]]
    """The phrases of each concept that the rule's `said` names."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Words that take a warning back, as written, and their patterns."""

    table: SuppressTable
    cues: Patterns
    unless: Patterns


@dataclass(frozen=True, slots=True)
class Confusion:
    """A mishearing: where `patterns` match with a phrase of `heard` in their `blank`, concepts `ids` may have been said."""

    ids: tuple[int, ...]
    weight: float
    patterns: Patterns
    blank: int
    heard: frozenset[str]


@dataclass(frozen=True, slots=True)
class RoleNumbers:
    """The numbers of the concepts that the engine itself asks for; see `urgent_schema.Roles`."""

    first: int
    other: int
    negator: int
    link: int
    not_denial: int
    gap_stop: int
    clause_break: int
    negative: int
    gradual: int
    sudden: int


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """All rules of some packs. Read-only."""

    signs: tuple[str, ...]
    """Sign ids, gravest first."""
    rules: tuple[Rule, ...]
    suppressions: tuple[Suppression, ...]
    confusions: tuple[Confusion, ...]
    pairs: tuple[tuple[str, str], ...]
    """Every mishearing that the files write down, as (said, heard)."""
    roles: RoleNumbers
    lexicon: Lexicon
    spelling: Spelling
    speaker: Speaker


def compile_rules(files: Mapping[Path, UrgentFile]) -> CompiledRules:
    """The rules of the files, by path. Raises UrgentRulesError naming file, key and reason."""
    first = next(iter(files), Path("urgent.toml"))
    roles = next((file.roles for file in files.values() if file.roles), None)
    if roles is None:
        raise UrgentRulesError(first, "roles", "is missing; one file must name the concepts that the engine asks for")
    try:
        lexicon = Lexicon(_merged_concepts(files.values()))
        fillers = lexicon.phrases(roles.filler)
        speaker = Speaker(lexicon.phrases(roles.other_person))
        numbers = _numbered(lexicon, roles)
    except PatternError as error:
        raise UrgentRulesError(first, "concepts", str(error)) from error
    signs = tuple(dict.fromkeys(sign for file in files.values() for sign in file.signs))
    rules = tuple(_rule(lexicon, speaker, path, table) for path, file in files.items() for table in file.rule)
    _check_ids(files, signs)
    suppressions = tuple(_suppression(lexicon, path, table) for path, file in files.items() for table in file.suppress)
    tables = [(path, table) for path, file in files.items() for table in file.confusion]
    return CompiledRules(
        signs=signs,
        rules=rules,
        suppressions=suppressions,
        confusions=tuple(_confusion(lexicon, path, table) for path, table in tables),
        pairs=tuple((table.said, heard) for _, table in tables for heard in table.heard),
        roles=numbers,
        lexicon=lexicon,
        # last, because the lexicon holds only the phrases that a pattern has asked for
        spelling=_spelling(files.values(), fillers, lexicon.words()),
        speaker=speaker,
    )


def _merged_concepts(files: Iterable[UrgentFile]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for file in files:
        for name, phrases in file.concepts.items():
            merged.setdefault(name, []).extend(phrases)
    return merged


def _spelling(files: Iterable[UrgentFile], fillers: frozenset[str], known: frozenset[str]) -> Spelling:
    rewrite: dict[str, tuple[str, ...]] = {}
    fuzzy: list[str] = []
    for file in files:
        rewrite |= {word: tuple(plain(to).split()) for word, to in file.rewrite.items()}
        fuzzy += file.fuzzy
    return Spelling(rewrite, fuzzy, fillers, known)


def _numbered(lexicon: Lexicon, roles: Roles) -> RoleNumbers:
    return RoleNumbers(
        first=lexicon.concept(roles.first_person),
        other=lexicon.concept(roles.other_person),
        negator=lexicon.concept(roles.negator),
        link=lexicon.concept(roles.negation_link),
        not_denial=lexicon.concept(roles.not_denial),
        gap_stop=lexicon.concept(roles.gap_stop),
        clause_break=lexicon.concept(roles.clause_break),
        negative=lexicon.concept(roles.negative),
        gradual=lexicon.concept(roles.gradual),
        sudden=lexicon.concept(roles.sudden),
    )


def _patterns(
    lexicon: Lexicon, path: Path, key: str, patterns: Iterable[str], blank: frozenset[str] = frozenset()
) -> Patterns:
    try:
        return Patterns(tuple(form for pattern in patterns for form in lexicon.compile(pattern, blank)))
    except PatternError as error:
        raise UrgentRulesError(path, key, str(error)) from error


def _rule(lexicon: Lexicon, speaker: Speaker, path: Path, table: RuleTable) -> Rule:
    key = f"rule[{table.id}]"
    patterns = _patterns(lexicon, path, f"{key}.patterns", table.patterns)
    for pattern in patterns.forms if table.said_else is None else ():
        missing = speaker.missing(table.said, pattern)
        if missing:
            raise UrgentRulesError(path, f"{key}.said", f"{{{missing}}} is not in every form of the patterns")
    if table.said_else and fields(table.said_else):
        raise UrgentRulesError(path, f"{key}.said_else", "may name {who} and {whose} only")
    try:
        parts = {name: lexicon.phrases(name) for name in fields(table.said)}
    except PatternError as error:
        raise UrgentRulesError(path, f"{key}.said", str(error)) from error
    near = _patterns(lexicon, path, f"{key}.near", table.near)
    return Rule(table, patterns, near, _patterns(lexicon, path, f"{key}.unless", table.unless), parts)


def _suppression(lexicon: Lexicon, path: Path, table: SuppressTable) -> Suppression:
    key = f"suppress[{table.reason}]"
    cues = _patterns(lexicon, path, f"{key}.cues", table.cues)
    return Suppression(table, cues, _patterns(lexicon, path, f"{key}.unless", table.unless))


def _confusion(lexicon: Lexicon, path: Path, table: ConfusionTable) -> Confusion:
    key = f"confusion[{table.said}]"
    heard = frozenset(plain(phrase) for phrase in table.heard)
    ids = lexicon.ids(plain(table.said))
    if not ids:
        raise UrgentRulesError(path, f"{key}.said", "is a phrase of no concept that a rule uses")
    patterns = _patterns(lexicon, path, f"{key}.context", table.context, heard)
    return Confusion(ids, table.weight, patterns, lexicon.number(heard), heard)


def _check_ids(files: Mapping[Path, UrgentFile], signs: tuple[str, ...]) -> None:
    """Rule ids are unique and every sign that a rule names is declared."""
    seen: set[str] = set()
    for path, file in files.items():
        for table in file.rule:
            if table.id in seen:
                raise UrgentRulesError(path, f"rule[{table.id}].id", "is used twice")
            seen.add(table.id)
            named = {"sign": table.sign, "when_gradual": table.when_gradual, "when_sudden": table.when_sudden}
            for key, sign in named.items():
                if sign is not None and sign not in signs:
                    raise UrgentRulesError(path, f"rule[{table.id}].{key}", f"{sign!r} is not in `signs`")
