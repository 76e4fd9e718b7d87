"""Are the answers fit to be spoken: short, plain, in own words?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from intents.answers import split_sentences
from intents.finding import Finding
from intents.pack import Pack

FIRST_WORDS = 30
"""Longest first answer: about ten seconds aloud."""
SENTENCE_WORDS = 25
"""Longest sentence that a listener can hold in mind."""
GRADE = 8.0
"""Hardest reading grade (Flesch-Kincaid, US) of an answer."""
SHARED_WORDS = 8
"""This many words in a row are the article's own, not ours."""

TODO = "TODO"
"""Marks what a draft leaves to its author."""
NEVER = date(1900, 1, 1)
"""Stands in a draft for a review date that was not found."""

_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]\.){2,}|\b(?:Dr|Mr|Mrs|Ms|St|Prof|Inc|Ltd|vs|etc|approx|cf|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\.(?=\s|$)|\bNo\.(?=\s*\d)"
)
_WORD = re.compile(r"[a-z0-9']+")


def words(text: str) -> list[str]:
    """Lower-case words with straight apostrophes; for comparing any length of text."""
    return _WORD.findall(text.lower().replace("’", "'"))


def spoken(pack: Pack) -> Iterator[tuple[str, str, str]]:
    """Every text that the pack can say: (file, key, text)."""
    about = pack.about
    for key in ("not_covered", "other_illness"):
        yield "pack.toml", key, getattr(about, key)
    for key in ("greeting", "disclaimer"):
        for number, text in enumerate(getattr(about, key), start=1):
            yield "pack.toml", f"{key}[{number}]", text
    for key in ("title", "publisher", "note"):
        yield "pack.toml", f"source.{key}", getattr(about.source, key) or ""
    for name, answer in pack.answers.items():
        yield "answers.toml", f"answers.{name}.name", answer.name
        yield "answers.toml", f"answers.{name}.first", answer.first
        for number, text in enumerate(answer.more, start=1):
            yield "answers.toml", f"answers.{name}.more[{number}]", text


def lint_answers(pack: Pack) -> Iterator[Finding]:
    """Length and speakability of every text, the length of first answers, and the review date."""
    if pack.about.source.reviewed == NEVER:
        yield Finding(
            "error",
            pack.folder / "pack.toml",
            "source.reviewed",
            "is still to be found: when the source was last reviewed, or read",
        )
    for file, key, text in spoken(pack):
        path = pack.folder / file
        if TODO in text:
            yield Finding("error", path, key, "is still to be written (TODO)")
            continue
        for found in _ABBREVIATION.findall(text):
            yield Finding(
                "error", path, key, f"{found!r} has a full stop that does not end a sentence; write it as it is said"
            )
        for sentence in split_sentences(text):
            if (count := len(sentence.split())) > SENTENCE_WORDS:
                yield Finding(
                    "error",
                    path,
                    key,
                    f"a sentence of {count} words is too long to listen to, at most {SENTENCE_WORDS}: {sentence!r}",
                )
        if key.endswith(".first") and (count := len(text.split())) > FIRST_WORDS:
            yield Finding("error", path, key, f"has {count} words; a first answer has at most {FIRST_WORDS}")
        if key.endswith(("first", "]")) and not text.rstrip('"”').endswith((".", "?", "!")):
            yield Finding("advice", path, key, "ends without a full stop, so the voice does not fall")


def lint_grade(pack: Pack) -> Iterator[Finding]:
    """Reading grade of each answer with its longer part."""
    try:
        import textstat
    except ImportError as error:
        yield Finding(
            "advice",
            pack.folder / "answers.toml",
            "",
            f'reading grade not measured ({error}): pip install "backtalk[packs]"',
        )
        return
    for name, answer in pack.answers.items():
        if TODO in answer.first:
            continue
        grade = float(textstat.flesch_kincaid_grade(" ".join([answer.first, *answer.more])))
        if grade > GRADE:
            reason = f"reading grade {grade:.1f}, at most {GRADE:.0f}: use shorter sentences and everyday words"
            yield Finding("error", pack.folder / "answers.toml", f"answers.{name}", reason)


def lint_own_words(pack: Pack, article: str) -> Iterator[Finding]:
    """Stretches of `SHARED_WORDS` words or more that stand in the article too; an answer is taken whole."""
    known = words(article)
    runs = {tuple(known[i : i + SHARED_WORDS]) for i in range(len(known) - SHARED_WORDS + 1)}
    texts: dict[tuple[str, str], list[str]] = {}
    for file, key, text in spoken(pack):
        texts.setdefault((file, ".".join(key.split(".")[:2]) if key.startswith("answers.") else key), []).append(text)
    for (file, key), parts in texts.items():
        for run in _shared(words(" ".join(parts)), runs):
            yield Finding(
                "error", pack.folder / file, key, f'says in the article\'s own words "{run}"; say it in yours'
            )
    for path in sorted(pack.folder.rglob("*.toml")):
        comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("#")]
        if any(next(_shared(words(line), runs), "") for line in comments):
            reason = "comments hold sentences of the article; delete them before you pass the pack on"
            yield Finding("advice", path, "", reason)


def _shared(said: list[str], runs: set[tuple[str, ...]]) -> Iterator[str]:
    """The longest stretches all of whose windows are known."""
    start = end = -1
    for i in range(len(said) - SHARED_WORDS + 1):
        if tuple(said[i : i + SHARED_WORDS]) not in runs:
            continue
        if i > end - SHARED_WORDS + 1 and end >= 0:
            yield " ".join(said[start:end])
            start = -1
        start, end = (i if start < 0 else start), i + SHARED_WORDS
    if end >= 0:
        yield " ".join(said[start:end])
