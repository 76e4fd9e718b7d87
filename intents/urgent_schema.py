"""The shape of a pack's `urgent.toml`: concepts, rules, what takes a warning back, and what the recognizer mishears.

The file is data that a clinician can read: words for things (`concepts`), sentences made of them (`rule`), and for each
rule an example and a counter-example, which are tests.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if sys.version_info >= (3, 11):
    import tomllib
else:  # the same parser under its older name
    import tomli as tomllib

Reason = Literal["denied", "past", "hypothetical", "general", "figure", "third_party"]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class UrgentRulesError(ValueError):
    """A rule file that can't be used; says which file, which key and why."""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(f"{path}: {key}: {reason}")
        self.path = path
        self.key = key
        self.reason = reason


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleTable(_Table):
    """One danger sign in one kind of sentence."""

    id: Name
    sign: Name
    """The id that is reported: one of the file's `signs`."""
    patterns: Annotated[list[Text], Field(min_length=1)]
    """Any one is enough. `{concept}`, plain words, `a|b`, `x?` (may be missing), `..3` (up to three other words)."""
    said: Text
    """What was heard, to be put after "you said that": `{who}`, `{whose}`, or a concept of the patterns (with its
    owner).
    """
    said_else: Text | None = None
    """Said instead where a sentence matched that doesn't name the concept in `said`."""
    source: Text
    examples: Annotated[list[Text], Field(min_length=1)]
    counter_examples: Annotated[list[Text], Field(min_length=1)]
    certainty: Annotated[float, Field(gt=0, le=1)] = 0.95
    near: list[Text] = []
    """At least one of these patterns must occur near the match."""
    unless: list[Text] = []
    """Not a match when one of these patterns occurs near it."""
    when_gradual: Name | None = None
    """The sign to report instead when the words say that it came slowly or long ago and nothing in it is sudden."""
    when_sudden: Name | None = None
    """The sign to report instead when the words say that it came suddenly or just now."""
    deniable: bool = True
    """False where the negation belongs to the sign however it is placed."""
    personal: bool = False
    """True when the match counts only with a person (I, my, he, mother ...) in or near it."""
    spared: list[Reason] = []
    """Reasons that can't take this rule's warning back."""


class SuppressTable(_Table):
    """Words that take a warning back, and why."""

    reason: Reason
    cues: Annotated[list[Text], Field(min_length=1)]
    where: Literal["before", "after", "around", "over"]
    """Where the cue stands: before the sign, after it, either (also inside), or over it (the cue and the sign share
    words).
    """
    within: Annotated[int, Field(ge=0, le=40)] = 8
    """At most this many words between cue and sign."""
    lowers_to: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Doubt only: the warning stays, with no more than this certainty."""
    unless: list[Text] = []
    """The warning stays when one of these patterns occurs near the sign."""
    signs: list[Name] = []
    """Only these signs; all when empty."""
    impersonal: bool = False
    """True: only where no person is named between cue and the end of the sign."""
    not_first_person: bool = False
    """True: only where the person is not speaking about himself or herself."""


class ConfusionTable(_Table):
    """What the recognizer writes in place of a word, and the words around it that must hold for it to count."""

    said: Text
    heard: Annotated[list[Text], Field(min_length=1)]
    context: Annotated[list[Text], Field(min_length=1)]
    """Patterns with `_` where the misheard word stands."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.8


class Roles(_Table):
    """Which concepts the engine itself asks for."""

    filler: Name
    first_person: Name
    other_person: Name
    negator: Name
    negation_link: Name
    """Words that may stand between a negator and the sign that it denies ("no sign of any numbness")."""
    not_denial: Name
    """Phrases with a negator in them that deny nothing ("no change")."""
    negative: Name
    """Words by which a sign is negative itself ("can't", "lost"); a second negative before it ("ain't got no") denies
    nothing.
    """
    gap_stop: Name
    """Words that a gap in a pattern may not run across."""
    clause_break: Name
    """Words that a cue's reach may not run across: a danger sign after "but" or "and my" is a clause of its own."""
    gradual: Name
    sudden: Name


class UrgentFile(_Table):
    """A whole `urgent.toml`. Packs may share concepts: a later file's concept of the same name adds its phrases."""

    format: Literal[1]
    signs: list[Name] = []
    """Sign ids, gravest first."""
    roles: Roles | None = None
    rewrite: dict[str, str] = {}
    """One spelling for words said in many: dialect, missing apostrophes. Word to word or words."""
    fuzzy: list[Text] = []
    """Long clinical words that may also be found by likeness."""
    concepts: dict[Name, list[Text]] = {}
    rule: list[RuleTable] = []
    suppress: list[SuppressTable] = []
    confusion: list[ConfusionTable] = []


def read_file(path: Path) -> UrgentFile:
    """The checked contents of one file. Raises UrgentRulesError naming file, key and reason."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UrgentRulesError(path, "file", f"can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UrgentRulesError(path, "file", "is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UrgentRulesError(path, "file", f"is not TOML: {error}") from error
    try:
        return UrgentFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise UrgentRulesError(path, _key(raw, first["loc"]), first["msg"]) from error


def _key(raw: dict[str, object], where: Sequence[int | str]) -> str:
    """`rule[legs_numb].said` rather than `rule.3.said`, so that the line is found by its name."""
    name = ""
    here: object = raw
    for step in where:
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
            label = here.get("id") if isinstance(here, dict) else None
            name += f"[{label or step}]"
            continue
        name += f".{step}" if name else str(step)
    return name or "file"
