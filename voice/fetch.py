"""Fetching the published speech model: Maven artifact → checked, unpacked, put in place in one step."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from voice.errors import ModelError
from voice.model import MANIFEST, check_model
from voice.progress import Progress

GROUP, ARTIFACT, VERSION, PACKAGING = "com.alphacephei", "vosk-model-en", "0.3.45", "aar"
ARTIFACT_BYTES = 41_185_783
ARTIFACT_SHA256 = "8a5792fccaf873b4745dbd1b3fe19d8a77a15898e806674020eea820424771cd"
FOLDER = PurePosixPath("assets/model-en-us")
"""The model inside the artifact, a zip file."""

MAX_UNPACKED_BYTES = 400_000_000
MAX_FILES = 1_000
"""A model of 41 MB packed unpacks to about 71 MB in 14 files: whatever is far beyond is no model."""

NEEDED_BYTES = ARTIFACT_BYTES + 80_000_000
"""Free disk space for a set-up: the packed and the unpacked model side by side."""

TIMEOUT_S = 30
"""Seconds without an answer or another byte before the network counts as absent."""

_BLOCK = 1 << 20
_PARTIAL = ".partial-"


def by_hand(target: Path) -> str:
    """How to do without a network."""
    return (
        f"on a computer with network, fetch the file {ARTIFACT}-{VERSION}.{PACKAGING} of {GROUP} from Maven Central,"
        f" unzip it, and copy its folder {FOLDER} to {target}"
    )


def fetch_model(target: Path, progress: Progress) -> None:
    """Puts the published model at `target`, whole or not at all. Replaces a damaged one. Raises ModelError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(target.parent / ".lock", progress):
            if _whole(target):
                return  # another set-up was faster
            _clear_partials(target.parent)
            with _partial_folder(target.parent) as partial:
                _check_space(target.parent)
                packed = _known_copy() or _download(partial / "maven", target, progress)
                _verify(packed, progress)
                model = partial / "model"
                unpack(packed, model, progress)
                check_model(model)
                _put_in_place(model, target, partial / "old")
    except OSError as error:
        raise _disk_error(target.parent, error) from error


def _disk_error(folder: Path, error: OSError) -> ModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_space(folder, str(error))
    return ModelError(
        f"The speech model can't be stored in {folder}: please check that you may write there.", str(error)
    )


def _no_space(folder: Path, reason: str) -> ModelError:
    megabytes = NEEDED_BYTES // 1_000_000
    return ModelError(
        f"The disk is full: please free at least {megabytes} megabytes for {folder} and run backtalk setup again.",
        reason,
    )


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise _no_space(folder, f"{free} bytes free")


def _whole(target: Path) -> bool:
    try:
        check_model(target)
    except ModelError:
        return False
    return True


@contextlib.contextmanager
def _one_at_a_time(lock: Path, progress: Progress) -> Iterator[None]:
    """Waits for a set-up that another process runs. The kernel frees the lock of a process that died."""
    import fcntl

    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another set-up to finish")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _clear_partials(folder: Path) -> None:
    """Removes what an interrupted set-up left. Only under the lock: a living set-up has such a folder too."""
    for left in folder.glob(f"{_PARTIAL}*"):
        shutil.rmtree(left)


@contextlib.contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=folder))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # what stays is cleared by the next set-up


def _known_copy() -> Path | None:
    """The artifact in the person's own Maven repository, where it may lie from another program, if it is whole."""
    from jgo.constants import default_maven_repo

    name = f"{ARTIFACT}-{VERSION}.{PACKAGING}"
    copy = Path(default_maven_repo()).joinpath(*GROUP.split("."), ARTIFACT, VERSION, name)
    try:
        return copy if copy.stat().st_size == ARTIFACT_BYTES and _sha256(copy) == ARTIFACT_SHA256 else None
    except OSError:
        return None  # absent or unreadable: fetched instead


def _download(repository: Path, target: Path, progress: Progress) -> Path:
    """Resolves the artifact into an empty repository of our own: jgo takes a half file in its cache for a whole one."""
    import requests
    from jgo.maven import MavenContext, PythonResolver

    doing = "Fetching the speech model"

    @contextlib.contextmanager
    def shown(_name: str, total: int) -> Iterator[Callable[[int], None]]:
        done = 0

        def update(count: int) -> None:
            nonlocal done
            done += count
            if done > ARTIFACT_BYTES:
                raise ModelError(
                    "The speech model on the network isn't the one expected: please try again later.",
                    f"over {done} bytes",
                )
            progress(doing, done, total)

        yield update

    progress(doing)
    context = MavenContext(resolver=PythonResolver(progress_callback=shown), repo_cache=repository, timeout=TIMEOUT_S)
    artifact = context.project(GROUP, ARTIFACT).at_version(VERSION).artifact(packaging=PACKAGING)
    try:
        return Path(artifact.resolve())
    except (requests.RequestException, RuntimeError) as error:  # jgo: RuntimeError when the repository hasn't got it
        raise ModelError(
            "The speech model can't be fetched: please connect to the network and run backtalk setup again,"
            f" or {by_hand(target)}.",
            f"{type(error).__name__}: {error}",
        ) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _verify(packed: Path, progress: Progress) -> None:
    progress("Checking the speech model")
    size = packed.stat().st_size
    digest = _sha256(packed) if size == ARTIFACT_BYTES else ""
    if digest != ARTIFACT_SHA256:
        raise ModelError(
            "The speech model arrived damaged: please run backtalk setup again.",
            f"{size} bytes, SHA-256 {digest or 'not taken'}",
        )


def unpack(packed: Path, model: Path, progress: Progress) -> None:
    """Unpacks the model of an artifact into the new folder `model` and writes its manifest. Raises ModelError, OSError.

    Nothing is written outside `model`, whatever the names in the file; links are refused.
    """
    doing = "Unpacking the speech model"
    try:
        with zipfile.ZipFile(packed) as archive:
            members = list(_members(archive))
            total = sum(member.file_size for member, _ in members)
            if not members or len(members) > MAX_FILES or total > MAX_UNPACKED_BYTES:
                raise ModelError(_STRANGE, f"{len(members)} files, {total} bytes")
            done = 0
            sizes: dict[str, int] = {}
            for member, inside in members:
                progress(doing, done, total)
                file = model / inside
                file.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, file.open("xb") as sink:
                    shutil.copyfileobj(source, sink, _BLOCK)
                    sink.flush()
                    os.fsync(sink.fileno())
                done += member.file_size
                sizes[str(inside)] = member.file_size
            progress(doing, done, total)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, FileExistsError) as error:
        raise ModelError(_STRANGE, f"{type(error).__name__}: {error}") from error
    (model / MANIFEST).write_text(json.dumps({"sha256": ARTIFACT_SHA256, "files": sizes}, indent=1), "utf-8")


_STRANGE = "The speech model arrived damaged: please run backtalk setup again."


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Files below FOLDER with their paths inside the model. Raises ModelError on a name that would leave the folder."""
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or path.parts[: len(FOLDER.parts)] != FOLDER.parts:
            continue
        inside = PurePosixPath(*path.parts[len(FOLDER.parts) :])
        mode = member.external_attr >> 16
        unsafe = inside.is_absolute() or ".." in inside.parts or not inside.parts or ":" in str(inside)
        if unsafe or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
            raise ModelError(_STRANGE, f"unsafe member {member.filename!r}")
        yield member, inside


def _put_in_place(model: Path, target: Path, old: Path) -> None:
    """Renames `model` to `target`; what was there (a damaged model) goes to `old`, on the same disk."""
    if target.is_symlink() or target.exists():
        target.rename(old)
    model.rename(target)
