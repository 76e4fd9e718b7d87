"""From an article to the skeleton of a pack: what is left to do is marked TODO, and no answer has a word of the article."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from intents.article import Article, DangerSign, LostList, Section, danger_signs, lost_lists
from intents.lint_answers import NEVER

SHARED_PACK = "facet_hypertrophy"
"""The pack whose danger signs, commands and out-of-scope wordings a new one starts with."""
LONGEST_ID = 4
"""Words of a heading that make an id."""
_KNOWN = {
    "definition": r"^what (is|are)\b(?!.*(sign|symptom|treat|cause|risk|complication))|overview|definition|introduction|about",
    "emergency_signs": r"emergenc|right away|\b911\b|\b999\b|urgent",
    "when_to_see_provider": r"when (should|do|to).*(see|call|contact|doctor|provider)|questions.*doctor",
    "symptoms": r"symptom|signs\b|feel like",
    "causes": r"cause|why do|risk factor|who gets",
    "complications": r"complication|lead to",
    "diagnosis": r"diagnos|tests?\b|how is it found",
    "imaging": r"imaging|x-ray|\bmri\b",
    "treatment": r"treat|therap|manag|surger|medicine",
    "outlook": r"outlook|prognos|expect|go away",
    "prevention": r"prevent|lower.*risk",
    "living_with": r"living with|self.care|take care of myself",
    "how_common": r"how common|epidemiolog|who is affected",
}
"""Headings that many articles have → ids that other packs use for them."""
_APPENDIX = re.compile(
    r"^(references?|see also|external links|notes|sources?|further reading|advertisement|related|resources|contents)\b",
    re.I,
)
_ARTICLES = "what is are the a an of and or for to in do does how when should i you your my can about with"
_EMPTY = frozenset(_ARTICLES.split())


@dataclass(frozen=True, slots=True)
class Draft:
    """A skeleton, and what its author must know."""

    id: str
    files: dict[str, str]
    """Path in the pack's folder → contents."""
    intents: tuple[tuple[str, str], ...]
    """(id, heading) of each intent."""
    lost: tuple[LostList, ...]
    signs: tuple[tuple[DangerSign, bool], ...]
    """Danger signs of the article, each with whether a rule finds it already."""


def draft(article: Article, covered: Callable[[str], bool]) -> Draft:
    """`covered`: whether a rule for danger signs finds a text already."""
    sections = [section for section in article.sections if not _APPENDIX.match(section.heading)]
    intents = tuple(_named(sections))
    lost = lost_lists(article)
    signs = tuple((sign, covered(sign.text)) for sign in danger_signs(article))
    pack_id = _slug(article.title) or "new_pack"
    headings = tuple((name, section.heading) for name, section in intents)
    files = {
        "pack.toml": _pack(article, pack_id, [name for name, _ in intents]),
        "answers.toml": _answers(intents, lost),
        "wordings/todo_first_writer.toml": _wordings(headings),
    }
    if missing := [sign for sign, found in signs if not found]:
        files["urgent.toml"] = _urgent(missing)
    return Draft(pack_id, files, headings, lost, signs)


def _named(sections: list[Section]) -> Iterator[tuple[str, Section]]:
    """One intent a section; sections that would have one id are numbered."""
    seen: dict[str, int] = {}
    for section in sections:
        heading = section.heading.lower()
        name = (
            next((name for name, pattern in _KNOWN.items() if re.search(pattern, heading)), "")
            or _slug(heading)
            or "section"
        )
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), section


def _slug(text: str) -> str:
    words = [word for word in re.findall(r"[a-z0-9]+", text.lower().replace("'", "")) if word not in _EMPTY]
    return re.sub(r"^[0-9_]+", "", "_".join(words[:LONGEST_ID]))


def _text(value: str) -> str:
    """A TOML string; JSON's are."""
    return json.dumps(value, ensure_ascii=False)


def _pack(article: Article, pack_id: str, intents: list[str]) -> str:
    name = re.sub(r"\s*\(.*?\)|\s*[|:–].*$", "", article.title).strip().lower() or "TODO the condition's name"
    offered = ", ".join(_text(one) for one in [*intents, "source"])
    reviewed = article.reviewed or NEVER
    unknown = (
        "" if article.reviewed else "  # TODO not found: when the article was reviewed, or the day when you read it"
    )
    return f"""# A draft by backtalk pack draft. Replace everything that says TODO, then run: backtalk pack check
id = {_text(pack_id)}
name = {_text(name)}  # as it is said in a sentence
names = [{_text(name)}]  # TODO add every other name of the condition
disclaimer = ["This is general information, not medical advice.", "It does not replace your own doctor or nurse."]
greeting = [
  {_text(f"Hello, this is Backtalk: I answer questions about {name}.")},
  "I am not a doctor, and I know only what one health article says.",
  "TODO Ask me, for example, what it is, or how it is treated.",
]
suggestions = [{offered}]  # TODO most useful first
shares = [{_text(SHARED_PACK)}]  # danger signs, commands and out-of-scope wordings
not_covered = "The article I use does not cover that; please ask your doctor or a pharmacist."
other_illness = {_text(f"I only know about {name}, so please ask your doctor or nurse about that.")}

[source]
title = {_text(article.title or "TODO the article's title")}
publisher = {_text(article.publisher or "TODO who published it")}
reviewed = {reviewed.isoformat()}{unknown}
note = "TODO the licence, or: Backtalk is not connected with the publisher and is not endorsed by it."
"""


def _answers(intents: tuple[tuple[str, Section], ...], lost: tuple[LostList, ...]) -> str:
    """Empty answers; the article's sentences stand above them as comments, to be rewritten and then deleted."""
    parts = [
        "# Write every answer afresh, in plain words, from the facts in the comments above it. Then delete the comments: they are the article's sentences,\n"
        "# and are not yours to pass on. A first answer has at most 30 words, a sentence at most 25. Never fill in a list that was lost.\n"
    ]
    for name, section in intents:
        gaps = [gap for gap in lost if gap.section == section.heading]
        facts = [f"# {'- ' if block.item else ''}{_comment(block.text)}" for block in section.blocks]
        facts += [
            f"# LOST LIST after: {_comment(gap.sentence)}  (say that the rest is for the provider to tell)"
            for gap in gaps
        ]
        parts.append(
            "\n".join(
                [
                    *facts,
                    f"[answers.{name}]",
                    'name = "TODO"  # completes: Do you want to know ...',
                    'first = "TODO"',
                    'more = ["TODO"]',
                    f"section = {_text(_heading(section.heading))}",
                    *(["lost = true"] if gaps else []),
                    "",
                ]
            )
        )
    if "source" not in dict(intents):
        parts.append(
            '[answers.source]\nname = "where my answers come from"\nfirst = "TODO title, publisher and review date"\nmore = ["TODO"]\nsection = "source"\n'
        )
    return "\n".join(parts)


def _heading(text: str) -> str:
    """A heading that is fit to be read aloud."""
    return " ".join(re.sub(r"[*#\[\]{}<>|_]", " ", text).split())[:80] or "overview"


def _comment(text: str) -> str:
    return " ".join(text.split())


def _wordings(headings: tuple[tuple[str, str], ...]) -> str:
    lines = [
        "# One file for each writer, named after the writer; at least two writers with 15 wordings or more for each question. See docs/wordings.md.",
        "# The lines below are only the headings turned into questions. TODO rewrite them all as a person would say them.",
        'writer = "TODO"',
        'view = "TODO who this person is, and how he or she talks"',
        "",
        "[question]",
    ]
    for name, heading in [*headings, ("source", "Where does this come from?")]:
        lines.append(f"{name} = [")
        lines += [f"  {_text(wording)},  # TODO" for wording in _candidates(heading)]
        lines.append("]")
    return "\n".join(lines) + "\n"


def _candidates(heading: str) -> list[str]:
    bare = " ".join(re.sub(r"[^a-z0-9' ]+", " ", heading.lower()).split()) or "overview"
    if heading.rstrip().endswith("?"):
        return [bare, f"i'd like to know {bare}"]
    return [f"tell me about the {bare}", f"what about the {bare}"]


def _urgent(signs: list[DangerSign]) -> str:
    lines = [
        "# Danger signs of the article that no shared rule finds yet. How to write a rule: docs/packs.md and the file of the same name in the first pack.",
        "format = 1",
    ]
    for number, sign in enumerate(signs, start=1):
        lines += [
            "",
            f"# TODO {sign.section}: {_comment(sign.text)}",
            "# [[rule]]",
            f'# id = "sign_{number}"',
            '# sign = "urgent_other"',
            '# patterns = ["TODO"]',
            '# said = "TODO what was heard, after: you said that"',
            '# source = "article"',
            '# examples = ["TODO a person who has it now says"]',
            '# counter_examples = ["TODO a question about it in general"]',
        ]
    return "\n".join(lines) + "\n"
