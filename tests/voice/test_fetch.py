"""Fetching and unpacking the speech model. The network is a web server of the test's own on this machine."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.server
import io
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jgo.maven._core
import pytest
from speech_models import FILES, make_model

from voice import fetch
from voice.errors import ModelError
from voice.model import MANIFEST, cached_model, check_model, ensure_model, find_model
from voice.progress import silent

IN_REPOSITORY = "com/alphacephei/vosk-model-en/0.3.45/vosk-model-en-0.3.45.aar"


def make_artifact(members: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.writestr("AndroidManifest.xml", "<manifest/>")
        for name, content in (
            members or {f"assets/model-en-us/{name}": content for name, content in FILES.items()}
        ).items():
            archive.writestr(name, content)
    return packed.getvalue()


class Repository:
    """A Maven repository on this machine. `sent`: what it sends; `announced`: the length it promises."""

    def __init__(self) -> None:
        self.sent: bytes | None = make_artifact()
        self.announced: int | None = None
        self.requests: list[str] = []


@pytest.fixture
def repository(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    state = Repository()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            if state.sent is None or not self.path.endswith(f"/{IN_REPOSITORY}"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(state.announced or len(state.sent)))
            self.end_headers()
            self.wfile.write(state.sent)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setitem(
        jgo.maven._core.DEFAULT_REMOTE_REPOS, "central", f"http://127.0.0.1:{server.server_port}/maven2"
    )
    assert state.sent is not None
    expect(monkeypatch, state.sent)
    yield state
    server.shutdown()
    server.server_close()


def expect(monkeypatch: pytest.MonkeyPatch, artifact: bytes) -> None:
    monkeypatch.setattr(fetch, "ARTIFACT_BYTES", len(artifact))
    monkeypatch.setattr(fetch, "ARTIFACT_SHA256", hashlib.sha256(artifact).hexdigest())


def left_over() -> list[str]:
    """What lies in the models folder besides the lock."""
    folder = cached_model().parent
    return sorted(entry.name for entry in folder.iterdir() if entry.name != ".lock") if folder.exists() else []


def test_named_model_that_is_missing_is_not_replaced_by_another(home: Path, repository: Repository) -> None:
    make_model(cached_model())
    with pytest.raises(ModelError, match="no speech model folder"):
        ensure_model(home / "absent")
    assert repository.requests == []


def test_fetches_once_and_needs_no_network_after(repository: Repository) -> None:
    told: list[tuple[str, int, int]] = []
    path = ensure_model(None, lambda doing, done=0, total=0: told.append((doing, done, total)))
    assert path == cached_model() == find_model()
    assert (path / "am" / "final.mdl").read_bytes() == FILES["am/final.mdl"]
    assert left_over() == [path.name]
    fetching = [(done, total) for doing, done, total in told if doing.startswith("Fetching") and total]
    assert fetching[-1] == (fetch.ARTIFACT_BYTES, fetch.ARTIFACT_BYTES)
    asked = len(repository.requests)
    repository.sent = None
    assert ensure_model(None, silent) == path
    assert len(repository.requests) == asked


def test_a_whole_copy_in_the_maven_repository_is_used(repository: Repository, home: Path) -> None:
    copy = home / "m2" / IN_REPOSITORY
    copy.parent.mkdir(parents=True)
    assert repository.sent is not None
    copy.write_bytes(repository.sent)
    ensure_model()
    assert repository.requests == []
    assert copy.exists()


def test_a_damaged_copy_in_the_maven_repository_is_left_alone(repository: Repository, home: Path) -> None:
    copy = home / "m2" / IN_REPOSITORY
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"half")
    ensure_model()
    assert repository.requests
    assert copy.read_bytes() == b"half"


@pytest.mark.parametrize("trouble", ["changed", "interrupted", "longer", "absent"])
def test_trouble_on_the_way_leaves_nothing_and_the_next_run_repairs(repository: Repository, trouble: str) -> None:
    whole = repository.sent
    assert whole is not None
    if trouble == "changed":
        repository.sent = whole[:-1] + bytes([whole[-1] ^ 1])
    elif trouble == "interrupted":
        repository.sent, repository.announced = whole[:500], len(whole)
    elif trouble == "longer":
        repository.sent = whole + bytes(100_000)
    else:
        repository.sent = None
    with pytest.raises(ModelError) as caught:
        ensure_model()
    assert "\n" not in str(caught.value)
    assert left_over() == []
    repository.sent, repository.announced = whole, None
    assert find_model(ensure_model()) == cached_model()


def test_without_network_the_sentence_says_where_to_put_the_model(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jgo.maven._core.DEFAULT_REMOTE_REPOS, "central", "http://127.0.0.1:9/maven2")  # nobody listens
    with pytest.raises(ModelError, match="connect to the network") as caught:
        ensure_model()
    assert str(cached_model()) in str(caught.value)


@pytest.mark.parametrize("damage", ["shortened", "removed", "bad manifest"])
def test_a_damaged_model_is_found_and_repaired(repository: Repository, damage: str) -> None:
    path = ensure_model()
    if damage == "shortened":
        os.truncate(path / "am" / "final.mdl", 100)
    elif damage == "removed":
        (path / "graph" / "Gr.fst").unlink()
    else:
        (path / MANIFEST).write_text("[1")
    with pytest.raises(ModelError, match="repair"):
        find_model()
    check_model(ensure_model())
    assert (path / "am" / "final.mdl").read_bytes() == FILES["am/final.mdl"]
    assert left_over() == [path.name]


def test_what_an_interrupted_set_up_left_is_cleared(repository: Repository) -> None:
    litter = cached_model().parent / ".partial-abc"
    litter.mkdir(parents=True)
    (litter / "half.aar").write_bytes(bytes(1000))
    ensure_model()
    assert left_over() == [cached_model().name]


def test_full_disk_before_and_during(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
        with pytest.raises(ModelError, match="disk is full"):
            ensure_model()
    assert repository.requests == []
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(ModelError, match="disk is full"):
            ensure_model()
    assert left_over() == []


def test_folder_that_may_not_be_written(repository: Repository, home: Path) -> None:
    (home / "cache").write_text("a file where a folder must be")
    with pytest.raises(ModelError, match="check that you may write there"):
        ensure_model()


def test_second_set_up_waits_and_takes_the_first_ones_model(repository: Repository) -> None:
    folder = cached_model().parent
    folder.mkdir(parents=True)
    waiting = threading.Event()

    def progress(doing: str, done: int = 0, total: int = 0) -> None:
        if "Waiting" in doing:
            waiting.set()

    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=ensure_model, args=(None, progress))
        second.start()
        assert waiting.wait(30)
        make_model(cached_model())
    second.join(30)
    assert not second.is_alive()
    assert repository.requests == []


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    [
        "assets/model-en-us/../../../evil",
        "assets/model-en-us/am\\..\\..\\..\\evil",
        link("assets/model-en-us/am/final.mdl"),
    ],
)
def test_nothing_is_unpacked_outside(tmp_path: Path, name: str | zipfile.ZipInfo) -> None:
    packed = tmp_path / "x.aar"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("assets/model-en-us/README", "fine")
        archive.writestr(name, "/etc")
    with pytest.raises(ModelError, match="damaged"):
        fetch.unpack(packed, tmp_path / "in" / "model", silent)
    assert sorted(entry.name for entry in tmp_path.iterdir()) in (["x.aar"], ["in", "x.aar"])
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_members_beside_the_model_are_not_unpacked(tmp_path: Path) -> None:
    packed = tmp_path / "x.aar"
    packed.write_bytes(make_artifact({"/evil": b"x", "../evil": b"x", "assets/model-en-us/am/final.mdl": b"fine"}))
    fetch.unpack(packed, tmp_path / "in" / "model", silent)
    assert sorted(path.name for path in (tmp_path / "in").rglob("*") if path.is_file()) == [MANIFEST, "final.mdl"]
    assert not (tmp_path / "evil").exists()


def test_absurd_sizes_are_refused_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "x.aar"
    monkeypatch.setattr(fetch, "MAX_UNPACKED_BYTES", 1_000_000)
    packed.write_bytes(make_artifact({"assets/model-en-us/am/final.mdl": bytes(1_000_001)}))
    with pytest.raises(ModelError):
        fetch.unpack(packed, tmp_path / "model", silent)
    packed.write_bytes(make_artifact({f"assets/model-en-us/{number}": b"" for number in range(fetch.MAX_FILES + 1)}))
    with pytest.raises(ModelError):
        fetch.unpack(packed, tmp_path / "model", silent)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", make_artifact()[:700]])
def test_what_is_no_zip_is_told(tmp_path: Path, content: bytes) -> None:
    packed = tmp_path / "x.aar"
    packed.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        fetch.unpack(packed, tmp_path / "model", silent)
