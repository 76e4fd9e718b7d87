"""The shape of a pack's files. pydantic says of each fault which key it is at and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

COMMANDS = ("repeat", "stop", "louder", "quieter", "slower", "faster", "help", "more", "yes", "no", "goodbye")
URGENT = ("urgent_limb", "urgent_bowel_bladder", "urgent_other")
PROVIDER_SOON = "provider_soon"
OUT_OF_SCOPE = "out_of_scope"
SCOPES = ("other_illness", "not_covered", "device", "talk")
"""Kinds of out of scope: each is turned away in its own way (`talk` with silence)."""


def _speakable(text: str) -> str:
    if any(char in text for char in "\n\t*#[]{}<>|_") or "http" in text:
        raise ValueError("is read aloud: no line breaks, markup or web addresses")
    return text


Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2), AfterValidator(_speakable)]
Wording = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """Unknown keys are faults: a misspelt key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    """Where the facts come from."""

    title: Sentence
    publisher: Sentence
    reviewed: date
    """When the source was last reviewed, or read where it states no review."""
    note: Sentence | None = None
    """Licence or relation to the publisher, said with the source."""


class PackFile(Strict):
    """pack.toml"""

    id: Id
    name: Sentence
    """The condition's name as it is said in a sentence."""
    names: list[Wording] = Field(min_length=1)
    """Every name of the condition: the one that is named decides which pack answers."""
    source: Source
    disclaimer: list[Sentence] = Field(min_length=1)
    greeting: list[Sentence] = Field(min_length=3, max_length=3)
    """What it is, what it isn't, what to say."""
    suggestions: list[Id] = Field(min_length=2)
    """Question ids offered in help, most useful first."""
    shares: list[Id] = []
    """Packs whose urgent, counter, command and out-of-scope wordings hold for this one too."""
    not_covered: Sentence
    """Said when the question is near but not in the article."""
    other_illness: Sentence
    """Said when another illness is asked about."""


class Answer(Strict):
    """One entry of answers.toml."""

    name: Sentence
    """Completes "Do you want to know ...": how the question is offered."""
    first: Sentence
    """The answer proper, at most 30 words."""
    more: list[Sentence] = Field(min_length=1)
    """Said on `more`, sentence by sentence."""
    section: Sentence
    """Section of the source."""
    lost: bool = False
    """True where the copy of the source lost a list: the answer says so and invents nothing."""


class AnswersFile(Strict):
    """answers.toml"""

    answers: dict[Id, Answer]


class WordingsFile(Strict):
    """One writer's file (docs/wordings.md)."""

    writer: Wording
    view: Wording
    twins: bool = False
    """Pairs that differ in a word or two and in what they mean: they teach judging, not what to expect to hear."""
    question: dict[Id, list[Wording]] = {}
    urgent: dict[Id, list[Wording]] = {}
    counter: dict[Id, list[Wording]] = {}
    command: dict[Id, list[Wording]] = {}
    oos: dict[Id, list[Wording]] = {}
