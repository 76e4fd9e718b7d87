"""Everything that can be wrong with a pack, found at once: `backtalk pack check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from intents.article import Article
from intents.compile import examples_for, fingerprint
from intents.finding import Finding, from_faults
from intents.head import Head
from intents.lint_answers import lint_answers, lint_grade, lint_own_words
from intents.lint_danger import lint_article_signs, lint_rules, load_rules
from intents.lint_wordings import lint_clashes, lint_coverage, lint_hearing, lint_leak
from intents.pack import Example, Fault, Pack, PackError, load_pack, parse, read_wordings, shared_folder, wording_files
from intents.schema import AnswersFile, PackFile, WordingsFile
from intents.text import normalise
from intents.understand import HEAD
from intents.urgent import UrgentRules


@dataclass(frozen=True)
class Against:
    """What a pack is checked against, besides itself."""

    article: Article | None = None
    unheard: frozenset[str] | None = None
    """Words of the pack that the speech model does not know; None when there is no model to ask."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Word that is not heard → what the model writes in its place."""
    test_parts: Sequence[Path] = ()
    """Folders of wordings that must not be in the pack."""


def check_shapes(folder: Path) -> tuple[Finding, ...]:
    """Faults of every file's shape. A pack with none can be loaded."""
    if not folder.is_dir():
        return (Finding("error", folder, "", "is not a folder"),)
    faults: list[Fault] = []
    readers: list[Callable[[], object]] = [
        lambda: parse(folder / "pack.toml", PackFile),
        lambda: parse(folder / "answers.toml", AnswersFile),
        *(partial(parse, path, WordingsFile) for path in wording_files(folder)),
    ]
    for read in readers:
        try:
            read()
        except PackError as error:
            faults += error.faults
    if not faults:
        try:
            load_pack(folder)  # what only the files together can tell
        except PackError as error:
            faults += error.faults
    return from_faults(faults)


def check_pack(folder: Path, against: Against | None = None) -> tuple[Finding, ...]:
    """All findings, errors first. Raises nothing for any content of the folder."""
    against = against or Against()
    if found := check_shapes(folder):
        return found
    pack = load_pack(folder)
    findings: list[Finding] = []
    own = _wordings(pack)
    shared: list[tuple[Path, Example]] = []
    test_parts: dict[str, Path] = {}
    learned: tuple[Example, ...] | None = None
    try:
        learned = examples_for(pack)
        shared = _shared_wordings(pack, learned)
        test_parts = _test_parts(against.test_parts)
    except PackError as error:  # of the packs beside it: this one is checked all the same
        findings += from_faults(error.faults)
    findings += [*lint_answers(pack), *lint_grade(pack), *_lint_suggestions(pack)]
    findings += [*lint_coverage(pack, own), *lint_clashes(own, shared), *lint_leak(own, test_parts)]
    rules = load_rules(pack)
    if isinstance(rules, UrgentRules):
        findings += lint_rules(pack, rules)
    else:
        findings.append(rules)
    if against.article is not None:
        findings += lint_own_words(pack, against.article.text)
        if isinstance(rules, UrgentRules):
            findings += lint_article_signs(pack, against.article, rules)
    if against.unheard is not None:
        names = [normalise(name) for name in pack.about.names]
        findings += lint_hearing(own, names, against.unheard, folder / "pack.toml", against.aliases)
    if learned is not None:
        findings += _lint_head(pack, learned)
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.level != "error"))


def _wordings(pack: Pack) -> list[tuple[Path, Example]]:
    return [(path, example) for path in wording_files(pack.folder) for example in read_wordings(path)]


def _shared_wordings(pack: Pack, learned: Sequence[Example]) -> list[tuple[Path, Example]]:
    """Wordings of other packs that this one is compiled with, each with its file. `learned`: see `examples_for`."""
    used = set(learned) - set(pack.examples)
    folders = [shared_folder(pack, name) for name in pack.about.shares]
    every = [(path, example) for folder in folders for path in wording_files(folder) for example in read_wordings(path)]
    return [(path, example) for path, example in every if example in used]


def _test_parts(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
        if not paths:
            raise PackError([Fault(folder, "", "has no wordings in it")])
        for path in paths:
            found |= {example.text: path for example in read_wordings(path)}
    return found


def _lint_suggestions(pack: Pack) -> list[Finding]:
    """Help must not offer the same question twice."""
    offered = pack.about.suggestions
    twice = sorted({name for name in offered if offered.count(name) > 1})
    return [Finding("error", pack.folder / "pack.toml", "suggestions", f"{name} is offered twice") for name in twice]


def _lint_head(pack: Pack, learned: Sequence[Example]) -> list[Finding]:
    path = pack.folder / HEAD
    if not path.exists():
        return [Finding("advice", path, "", f"is not there yet: run backtalk pack compile {pack.folder}")]
    try:
        head = Head.load(path)
    except (OSError, ValueError, KeyError) as error:
        return [Finding("error", path, "", f"can't be read ({error}): run backtalk pack compile {pack.folder}")]
    if head.made_from != fingerprint(learned):
        return [Finding("error", path, "", f"is older than the wordings: run backtalk pack compile {pack.folder}")]
    if head.ends is None:
        reason = (
            f"doesn't tell where people stop, so that each answer comes late: run backtalk pack compile {pack.folder}"
        )
        return [Finding("advice", path, "", reason)]
    return []
