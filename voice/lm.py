"""Teaching the recognizer a pack: its wordings are mixed into the language model of a Vosk model folder.

A small Vosk model looks its language model (`graph/Gr.fst`) up while it decodes, so a folder with another Gr.fst is
another recognizer with the same ears; better ones are in acoustics.py. Here a model of the wordings is mixed with the model's own (see ngram.py). The
vocabulary stays the same, and so do its numbers, for the decoder's other half (HCLr.fst) is made for them: a word that
the model lacks splits its sentence.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Union, cast

from voice import acoustics
from voice.fst import UNKNOWN, LanguageModelError, read_graph, read_words, write_const
from voice.model import MANIFEST
from voice.ngram import graph_of, learn, mix, model_of

if TYPE_CHECKING:
    from voice.progress import Progress

__all__ = ["LanguageModelError", "adapt", "adapted_path", "cache_key", "ensure_adapted", "evened", "vocabulary"]

Sentences = Iterable[str] | Iterable[tuple[str, float]]
Told = Union[Callable[[str, float], None], "Progress"]
"""Called with a plain phrase and how much of it is done, 0 to 1."""

KEEP, BOOST, ORDER = 0.2, 1.0, 3
MOST_ORDER = 5
ACOUSTIC_SCALE = "0.85"
"""What the sound counts for beside the language model, which is better now than the one that the model was tuned with: of 100 clean recordings by writers
who were not taught 37.6 % of the words were wrong at 1.0 and 34.2 % at 0.9, in a kitchen at 12 dB 41.8 and 40.2 %.
"""

_DOING = "Teaching the recognizer the words of the article"
_OPTIONS = {"conf/model.conf": ("--acoustic-scale", ACOUSTIC_SCALE), "conf/mfcc.conf": ("--dither", "0")}
"""Kaldi's options that a taught model has otherwise than its source. Kaldi's dither is drawn from the C library's rand(), which all threads share: from run to
run a word changed. The recognizer adds its own, the same for the same sound (see stt.py).
"""
_KEPT = 4
"""Taught models in a cache (50 MB each); the least recently used go first."""
_DAY = 86_400.0
"""Seconds. What is younger is never cleared away: another process may be at it."""
_METHOD = 3
"""Part of the cache key: to be raised whenever the same sentences would give another model."""


def adapt(
    model_dir: Path,
    sentences: Sentences,
    out_dir: Path,
    *,
    keep: float = KEEP,
    boost: float = BOOST,
    order: int = ORDER,
    progress: Told | None = None,
) -> Path:
    """Makes `out_dir` a copy of a Vosk model folder that expects `sentences`; returns it. Takes 5 s and 350 MB.

    keep: share of the model's own expectations, above 0 and below 1. boost: how much more of a share the sentences get
    after words that are typical of them, and less after others; 0 for the same share everywhere. order: longest run of
    words counted. A sentence may have a weight, 1.0 if it has none: 0.5 counts half. Files other than the language
    model are hard links where the disk can, else copies. `out_dir` appears whole or not at all; an old one is replaced.
    Raises LanguageModelError, and ValueError for a parameter out of range.
    """
    weighted = _weighted(sentences)
    _check(keep, boost, order)
    with _plain_errors(), _whole_or_nothing(out_dir) as folder:
        _build(model_dir, weighted, folder, keep, boost, order, progress)
    return out_dir


def ensure_adapted(
    model_dir: Path,
    sentences: Sentences,
    cache_dir: Path,
    progress: Told | None = None,
    *,
    keep: float = KEEP,
    boost: float = BOOST,
    order: int = ORDER,
) -> Path:
    """The folder that `adapt` would make: from `cache_dir` if it is there, whole, else made there.

    Two processes may do this at once: both get a whole folder. Folders long unused are cleared away. Raises
    LanguageModelError, and ValueError for a parameter out of range.
    """
    weighted = _weighted(sentences)
    path = adapted_path(model_dir, cache_key(model_dir, weighted, keep=keep, boost=boost, order=order), cache_dir)
    if _is_whole(path):
        with contextlib.suppress(OSError):  # a cache that only others may write to
            os.utime(path)
        return path
    adapt(model_dir, weighted, path, keep=keep, boost=boost, order=order, progress=progress)
    _clear(cache_dir, path)
    return path


def adapted_path(model_dir: Path, key: str, cache_dir: Path) -> Path:
    """Where the model taught under `key` (see cache_key) is kept, or would be."""
    return cache_dir / f"{model_dir.resolve().name}-{key}"


def cache_key(
    model_dir: Path, sentences: Sentences, *, keep: float = KEEP, boost: float = BOOST, order: int = ORDER
) -> str:
    """16 hex digits that change with the model's files, the sentences, their weights, the parameters and the method.

    Raises LanguageModelError.
    """
    with _plain_errors():
        hashed = hashlib.blake2b(_graph_file(model_dir).read_bytes(), digest_size=8)
        sizes = sorted((name, file.stat().st_size) for name, file in _files(model_dir) if name != MANIFEST)
    hashed.update(json.dumps([_METHOD, acoustics.digest(), sizes, keep, boost, order, _weighted(sentences)]).encode())
    return hashed.hexdigest()


def vocabulary(model_dir: Path) -> frozenset[str]:
    """The words that the model can hear, in its spelling, without marks such as [unk]. Raises LanguageModelError."""
    with _plain_errors():
        return frozenset(word for word in _words(_graph_file(model_dir)) if word and word[0] not in "<[!#")


def evened(writers: Mapping[str, Iterable[str]], most: float) -> list[tuple[str, float]]:
    """Weighted sentences in which no writer counts for more than `most` sentences, however many they wrote."""
    lists = [list(wordings) for wordings in writers.values()]
    return [(sentence, min(1.0, most / len(wordings))) for wordings in lists for sentence in wordings]


def _weighted(sentences: Sentences) -> list[tuple[str, float]]:
    pairs = [(one, 1.0) if isinstance(one, str) else (one[0], float(one[1])) for one in sentences]
    if any(not 0.0 <= weight < math.inf for _, weight in pairs):
        raise ValueError("a sentence's weight must be 0 or more")
    return pairs


def _check(keep: float, boost: float, order: int) -> None:
    if not (0.0 < keep < 1.0 and math.isfinite(boost) and 2 <= order <= MOST_ORDER):
        raise ValueError(f"keep {keep} must be between 0 and 1, boost {boost} finite, order {order} 2 to {MOST_ORDER}")


def _build(
    model_dir: Path,
    sentences: list[tuple[str, float]],
    folder: Path,
    keep: float,
    boost: float,
    order: int,
    progress: Told | None,
) -> None:
    """Fills an empty folder."""
    # A Progress takes a count where others take a fraction; without a total it minds neither.
    tell = cast("Callable[[str, float], None]", progress or (lambda _doing, _done: None))
    tell(_DOING, 0.0)
    source = _graph_file(model_dir)
    graph = read_graph(source)
    symbols = graph.osymbols or graph.isymbols
    tell(_DOING, 0.2)
    general = model_of(graph)
    del graph  # 40 MB that the mixing could do with
    learned = learn(sentences, _words(source), general, order)
    tell(_DOING, 0.4)
    mixed, target = mix(general, learned, keep, boost)
    del general, learned
    taught = graph_of(mixed, target, symbols)
    tell(_DOING, 0.8)
    sizes = {}
    for name, file in _files(model_dir):
        if name == MANIFEST:
            continue
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.samefile(source):
            with _kept(place) as stream:
                write_const(taught, stream)
        elif name in _OPTIONS:
            place.write_text(_with_option(file.read_text("utf-8"), *_OPTIONS[name]), "utf-8")
        elif name == acoustics.MODEL and (better := acoustics.improved(file)) is not None:
            with _kept(place) as stream:
                stream.write(better)
        else:
            _link(file, place)
        sizes[name] = place.stat().st_size
    with (folder / MANIFEST).open("x", encoding="utf-8") as text:
        json.dump({"taught": True, "files": sizes}, text)
        text.flush()
        os.fsync(text.fileno())
    tell(_DOING, 1.0)


@contextlib.contextmanager
def _kept(place: Path) -> Iterator[BinaryIO]:
    """A new file that is on the disk when it is closed: after a power cut no file may look whole that isn't."""
    with place.open("xb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _with_option(options: str, name: str, value: str) -> str:
    """Kaldi's options, a line each, with one of them set."""
    kept = [line for line in options.splitlines() if line.strip() and not line.startswith(f"{name}=")]
    return "\n".join([*kept, f"{name}={value}", ""])


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source.resolve(), place)
    except OSError:  # another disk, a file system without links, or somebody else's file
        shutil.copyfile(source, place)


def _graph_file(model_dir: Path) -> Path:
    """The language model's file. Raises LanguageModelError where there is none, as in models with a fixed graph."""
    for folder in (model_dir / "graph", model_dir):
        if (folder / "Gr.fst").is_file() and not (folder / "HCLG.fst").exists():
            return folder / "Gr.fst"
    raise LanguageModelError(UNKNOWN, f"no Gr.fst, or a fixed graph beside it, in {model_dir}")


def _words(graph: Path) -> dict[str, int]:
    """Words and their labels: from the language model's own symbol table, else from words.txt beside it."""
    words = read_words(graph)
    table = graph.with_name("words.txt")
    if words is None and table.is_file():
        pairs = (line.split() for line in table.read_text("utf-8").splitlines())
        words = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    if not words:
        raise LanguageModelError(UNKNOWN, f"no words in or beside {graph}")
    return words


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Every file below a folder, with its name relative to it, in POSIX form."""
    found = (Path(top) / name for top, _, names in os.walk(folder, followlinks=True) for name in names)
    return [(file.relative_to(folder).as_posix(), file) for file in found]


def _is_whole(folder: Path) -> bool:
    """Whether a taught model has all of its files at their full size."""
    try:
        sizes = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


@contextlib.contextmanager
def _whole_or_nothing(place: Path) -> Iterator[Path]:
    """A hidden folder beside `place` that takes its name when all went well, and is gone when not."""

    def beside() -> Path:
        return Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))

    place.parent.mkdir(parents=True, exist_ok=True)
    folder = beside()
    try:
        folder.chmod(0o755)  # as any folder; mkdtemp's are private
        yield folder
        _replace(folder, place, beside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(folder: Path, place: Path, beside: Callable[[], Path]) -> None:
    """Renames `folder` to `place`; an old one steps aside first, for no folder can be renamed onto one with files."""
    for _ in range(10):  # another process may put its own there in between
        try:
            folder.rename(place)
            return
        except OSError as error:
            # Another process may have moved the old one aside since: then the name is free, and the next try succeeds.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not place.is_dir():
                raise
        old = beside()
        try:
            with contextlib.suppress(FileNotFoundError):
                place.rename(old)
        finally:
            shutil.rmtree(old, ignore_errors=True)
    raise OSError(errno.EBUSY, "always replaced by another process", str(place))


def _clear(cache_dir: Path, used: Path) -> None:
    """Removes taught models beyond the `_KEPT` used last, and what killed processes left. It's tidying: it may fail."""
    with contextlib.suppress(OSError):
        model = used.name.rpartition("-")[0]
        mine = [folder for folder in cache_dir.iterdir() if folder.name.lstrip(".").startswith(f"{model}-")]
        ages = {folder: time.time() - folder.stat().st_mtime for folder in mine if folder.is_dir() and folder != used}
        oldest_last = sorted((folder for folder in ages if not folder.name.startswith(".")), key=lambda one: ages[one])
        left = [folder for folder in ages if folder.name.startswith(".")]
        for folder in (*oldest_last[_KEPT - 1 :], *left):
            if ages[folder] > _DAY:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Turns what the disk and the memory may do into LanguageModelError."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise LanguageModelError(
            "The disk is too full to teach the recognizer: please make 100 megabytes of room."
            if full
            else "The recognizer can't be taught: the speech model can't be read, or its copy can't be written.",
            str(error),
        ) from error
    except MemoryError as error:
        raise LanguageModelError("There is too little memory to teach the recognizer.", "out of memory") from error
    except (UnicodeDecodeError, IndexError, OverflowError, ValueError) as error:
        raise LanguageModelError(
            "The language model of the speech model is damaged: please fetch the speech model again.", repr(error)
        ) from error
