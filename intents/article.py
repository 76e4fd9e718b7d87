"""An article as it was published, cut into sections and sentences: what a pack is compared with. None enters a pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

LONGEST_HEADING = 12
"""Words; a longer line is text."""
LONGEST_ARTICLE = 2_000_000
"""Bytes; a larger file is no article."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”')]*\s+(?=[\"“(]?[A-Z0-9])|(?<=:)\s+(?=[A-Z])")
_LIST_AHEAD = re.compile(
    r"\b(including|includes?|such as|like|are|is|following|may|might|can|have|these|to|if you|with|be|by)\s*:?\s*$"
    r"|:\s*$",
    re.IGNORECASE,
)
_DANGER = re.compile(
    r"right away|straight away|immediate(ly)?|emergenc|urgent|life[- ]threatening|ambulance|without delay|as soon as possible"
    r"|\b(call|dial|phone) (911|999|112|000|111)\b|\b(911|999|112)\b|A&E",
    re.IGNORECASE,
)
_SIGNS = re.compile(
    r"\b(?:if|when(?:ever)?|such as|including|includes?|like|for)\b"
    r"(?: you(?:'ve| have|'re| are)?| someone(?: has)?| there (?:is|are))?(?: any of)?:? (.+)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:last |medically |clinically |page )*(?:reviewed|updated|checked)\b[^0-9A-Za-z]{0,4}"
    r"(?:by [^0-9]{0,60})?(?:on |in )?[^0-9A-Za-z]{0,3}"
    r"(\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4}|\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z][a-z]+ \d{1,2},? \d{4})",
    re.IGNORECASE,
)
_FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d %b %Y", "%b %d, %Y")


class ArticleError(ValueError):
    """A file that can't be read as an article; its text says why, in one plain sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or one item of a list."""

    text: str
    item: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading."""

    heading: str
    blocks: tuple[Block, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that stands under the heading, sentence by sentence."""
        return tuple(sentence for block in self.blocks for sentence in split_sentences(block.text))


@dataclass(frozen=True, slots=True)
class Article:
    """`publisher` is empty and `reviewed` None where the file does not say."""

    title: str
    publisher: str
    reviewed: date | None
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """All blocks without headings, a line each."""
        return "\n".join(block.text for section in self.sections for block in section.blocks)


@dataclass(frozen=True, slots=True)
class DangerSign:
    """Something that the article says needs help now."""

    text: str
    """The sign alone ("sudden weakness in your legs"), or the whole sentence where no sign could be cut out of it."""
    section: str
    exact: bool
    """True when the sign could be cut out."""


@dataclass(frozen=True, slots=True)
class LostList:
    """A sentence that announces a list which is not there."""

    sentence: str
    section: str


def read_article(path: Path) -> Article:
    """An HTML page (by its ending or its first bytes), or plain or Markdown text.

    Raises ArticleError, and for HTML ImportError without trafilatura.
    """
    try:
        if path.stat().st_size > LONGEST_ARTICLE:
            raise ArticleError(
                f"{path} is too long for an article: at most {LONGEST_ARTICLE // 1_000_000} megabytes are read."
            )
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise ArticleError(f"{path} can't be read: {error.strerror}.") from error
    start = text[:2000].lower()
    html = path.suffix.lower() in (".html", ".htm", ".xhtml") or "<html" in start or "<!doctype html" in start
    article = _from_html(text) if html else _from_text(text)
    if not article.text.strip():
        raise ArticleError(f"{path} has no text of an article in it.")
    return article


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a paragraph; a colon before a capital ends one too, for a list may be lost after it."""
    return tuple(part.strip() for part in _SENTENCE_END.split(" ".join(text.split())) if part and part.strip())


def is_danger(sentence: str) -> bool:
    """Whether a sentence speaks of an emergency."""
    return bool(_DANGER.search(sentence))


def lost_lists(article: Article) -> tuple[LostList, ...]:
    """Sentences that announce a list ("symptoms include:") after which no item follows."""
    found: list[LostList] = []
    for section in article.sections:
        for number, block in enumerate(section.blocks):
            sentences = split_sentences(block.text)
            followed = number + 1 < len(section.blocks) and section.blocks[number + 1].item
            for place, sentence in enumerate(sentences):
                last = place == len(sentences) - 1
                announces = sentence.endswith(":") or (
                    last
                    and not sentence.endswith((".", "!", "?", '"', "”", ")"))
                    and bool(_LIST_AHEAD.search(sentence))
                )
                if announces and not block.item and not (last and followed) and len(sentence.split()) > 2:
                    found.append(LostList(sentence, section.heading))
    return tuple(found)


def danger_signs(article: Article) -> tuple[DangerSign, ...]:
    """What the article says needs help now: items of a list after such a sentence or heading, or what follows "if you have"."""
    found: list[DangerSign] = []
    for section in article.sections:
        alarm = is_danger(section.heading)  # "When should I go to the emergency room?"
        listed = alarm
        for number, block in enumerate(section.blocks):
            if block.item:
                if listed:
                    found.append(DangerSign(block.text, section.heading, exact=True))
                continue
            listed = False
            for sentence in split_sentences(block.text):
                if not (is_danger(sentence) or alarm):
                    continue
                items_follow = number + 1 < len(section.blocks) and section.blocks[number + 1].item
                listed = listed or items_follow
                if not items_follow:
                    found += [DangerSign(text, section.heading, exact) for text, exact in _signs(sentence)]
    return tuple(dict.fromkeys(found))


def _signs(sentence: str) -> Iterator[tuple[str, bool]]:
    match = _SIGNS.search(sentence)
    clause = match.group(1) if match else ""
    parts = [part.strip(" .,;:") for part in re.split(r"[,;]\s*(?:or |and )?", clause)]
    parts = [part for part in parts if len(part.split()) > 1 and not is_danger(part)]
    if parts:
        yield from ((part, True) for part in parts)
    elif not sentence.endswith("?"):
        yield sentence, False


def _from_html(html: str) -> Article:
    from trafilatura import extract, extract_metadata

    markdown = (
        extract(html, output_format="markdown", include_comments=False, include_tables=False, favor_recall=True) or ""
    )
    about = extract_metadata(html)
    title = (about.title or "") if about else ""
    publisher = (about.sitename or "") if about else ""
    article = _from_text(markdown, title)
    reviewed = article.reviewed or _reviewed(re.sub(r"<[^>]+>", " ", html))
    if reviewed is None and about and about.date:
        reviewed = _as_date(about.date)
    return Article(title or article.title, publisher, reviewed, article.sections)


def _from_text(text: str, title: str = "") -> Article:
    """Markdown headings and lists; in plain text a short line of its own without a full stop is a heading."""
    sections: list[tuple[str, list[Block]]] = [("overview", [])]
    for line, alone in _lines(text):
        bare = line.lstrip("#").strip(" *_")
        if line.startswith("#") or (alone and _is_heading(line)):
            if not title:
                title = bare
            else:
                sections.append((bare, []))
        elif item := re.match(r"(?:[-*•‣◦+]|\d{1,2}[.)])\s+(.+)", line):
            sections[-1][1].append(Block(item.group(1).strip(" *_"), item=True))
        elif not (_DATE.search(line) and len(line.split()) <= LONGEST_HEADING):
            sections[-1][1].append(Block(re.sub(r"[*_`]|\[(?=[^\]]*\]\()|\]\([^)]*\)", "", line)))
    kept = tuple(Section(heading, tuple(blocks)) for heading, blocks in sections if blocks)
    return Article(title, "", _reviewed(text), kept)


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Paragraphs with their hard line breaks joined, each with whether it stood on a line of its own."""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = [line.strip() for line in paragraph.split("\n") if line.strip()]
        joined: list[str] = []
        for line in lines:
            begins = (
                not joined
                or re.match(r"#|[-*•‣◦+] |\d{1,2}[.)] ", line)
                or joined[-1].startswith("#")
                or (len(joined) == 1 and _is_heading(joined[0]) and len(lines) > 1)
            )
            if begins:
                joined.append(line)
            else:
                joined[-1] += f" {line}"
        yield from ((line, len(joined) == 1 or number == 0) for number, line in enumerate(joined))


def _is_heading(line: str) -> bool:
    return (
        len(line.split()) <= LONGEST_HEADING
        and line[:1].isupper()
        and not line.endswith((".", ":", "!", ";", ","))
        and not _DATE.search(line)
        and not _LIST_AHEAD.search(line)
    )


def _reviewed(text: str) -> date | None:
    match = _DATE.search(" ".join(text.split()))
    return _as_date(match.group(1)) if match else None


def _as_date(text: str) -> date | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:  # another way to write a date
            continue
    return None
