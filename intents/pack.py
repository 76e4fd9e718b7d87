"""A pack: one article as data. Reading it needs no code of its own, and no pack has any."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from intents.schema import Answer, AnswersFile, PackFile, WordingsFile
from intents.text import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKS = Path(__file__).parent / "packs"
"""The packs that come with Backtalk."""

_File = TypeVar("_File", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a pack."""

    file: Path
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.reason}" if self.key else f"{self.file}: {self.reason}"


class PackError(Exception):
    """A pack that can't be used; its text names every fault, a line each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


MOST_TAUGHT = 4000
"""Wordings of one meaning that the recognizer is taught."""


@dataclass(frozen=True, slots=True)
class Example:
    """One wording and what it means."""

    text: str
    """Normalised."""
    label: str
    """A question, urgent or command id; `oos:KIND` for what is out of scope (`oos:counter`: danger words without danger)."""
    section: str
    """Section of the wordings file: question, urgent, counter, command or oos."""
    writer: str
    twin: bool = False
    """Written as one of two that differ in a word or two, and in what they mean."""


@dataclass(frozen=True)
class Pack:
    """Read-only. Wordings are read when they are first asked for: answering needs only what was compiled from them."""

    folder: Path
    about: PackFile
    answers: dict[str, Answer]

    @property
    def id(self) -> str:
        """What tells the pack from others that are loaded."""
        return self.about.id

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Every wording of the pack itself. Raises PackError."""
        return tuple(example for path in wording_files(self.folder) for example in read_wordings(path))


def read_toml(path: Path) -> dict[str, Any]:
    """Raises PackError with the reason when the file can't be read as TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PackError([Fault(path, "", f"can't be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError([Fault(path, "", f"is not TOML: {error}")]) from error


def parse(path: Path, shape: type[_File]) -> _File:
    """A file of a pack in its shape. Raises PackError with one fault for each key that is wrong."""
    data = read_toml(path)
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        faults = [Fault(path, ".".join(map(str, found["loc"])), found["msg"]) for found in error.errors()]
        raise PackError(faults) from error


def wording_files(folder: Path) -> list[Path]:
    """The files of the writers of the pack in `folder`, by name."""
    return sorted((folder / "wordings").glob("*.toml"))


def read_wordings(path: Path) -> Iterator[Example]:
    """One writer's wordings, normalised. Raises PackError."""
    written = parse(path, WordingsFile)
    for section in ("question", "urgent", "counter", "command", "oos"):
        for key, texts in getattr(written, section).items():
            label = _label(section, key)
            for text in texts:
                yield Example(normalise(text), label, section, written.writer, written.twins)


def _label(section: str, key: str) -> str:
    if section == "oos":
        return f"oos:{key}"
    return "oos:counter" if section == "counter" and key == "out_of_scope" else key


def load_pack(folder: Path) -> Pack:
    """Raises PackError that names every fault of pack.toml and answers.toml."""
    if not folder.is_dir():
        raise PackError([Fault(folder, "", "is not a folder")])
    faults: list[Fault] = []
    about = answers = None
    try:
        about = parse(folder / "pack.toml", PackFile)
    except PackError as error:
        faults += error.faults
    try:
        answers = parse(folder / "answers.toml", AnswersFile)
    except PackError as error:
        faults += error.faults
    if about is None or answers is None:
        raise PackError(faults)
    missing = [name for name in about.suggestions if name not in answers.answers]
    if missing:
        raise PackError([Fault(folder / "pack.toml", "suggestions", f"no answer for {', '.join(missing)}")])
    return Pack(folder, about, answers.answers)


def spoken_to_it(examples: Sequence[Example]) -> tuple[Example, ...]:
    """What is said to the machine, by people as they come: no overheard talk, and no twins."""
    return tuple(example for example in examples if example.label != "oos:talk" and not example.twin)


def texts_to_teach(examples: Sequence[Example]) -> tuple[str, ...]:
    """What the recognizer learns to expect: MOST_TAUGHT wordings of each meaning at most, the writers in turn.

    Overheard talk it knows anyway. Danger signs and their likenesses have more wordings than anything else, for understanding
    them matters most; a recognizer that expects so many of them makes danger of noise.
    """
    by_label: dict[str, dict[str, list[str]]] = {}
    for example in spoken_to_it(examples):
        by_label.setdefault(example.label, {}).setdefault(example.writer, []).append(example.text)
    return tuple(
        text
        for writers in by_label.values()
        for text in islice((text for turn in zip_longest(*writers.values()) for text in turn if text), MOST_TAUGHT)
    )


def bundled() -> tuple[Path, ...]:
    """Folders of the packs that come with Backtalk."""
    return tuple(sorted(path.parent for path in PACKS.glob("*/pack.toml")))


def shared_folder(pack: Pack, name: str) -> Path:
    """Folder of a pack that `pack` shares wordings and rules with: beside it, else among those that come with Backtalk."""
    beside = pack.folder.parent / name
    return beside if beside.is_dir() else PACKS / name


def load_packs(folders: Sequence[Path]) -> tuple[Pack, ...]:
    """Raises PackError with the faults of all of them, also when two have one id."""
    packs: list[Pack] = []
    faults: list[Fault] = []
    for folder in folders:
        try:
            packs.append(load_pack(folder))
        except PackError as error:
            faults += error.faults
    seen: set[str] = set()
    for pack in packs:
        if pack.id in seen:
            faults.append(Fault(pack.folder / "pack.toml", "id", f"{pack.id} is the id of another pack too"))
        seen.add(pack.id)
    if faults:
        raise PackError(faults)
    return tuple(packs)
