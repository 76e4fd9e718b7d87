"""Teaching the recognizer: folders whole or absent, made once.

The word error rates that the parameters were chosen by need an hour of decoding, and aren't measured here.
"""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from graphs import FILES, WORDS, general, header, probabilities, table

from voice import lm
from voice.audio import frames, read_audio
from voice.errors import BacktalkError
from voice.fst import LanguageModelError, read_graph
from voice.model import MANIFEST, check_model, load_model
from voice.progress import silent
from voice.stt import Recognizer

DATA = Path(__file__).parent / "data"


# The folder


def make_model(folder: Path, graph: bytes | None = None) -> Path:
    """A folder that looks like a Vosk model to everything but Vosk."""
    for name, content in {
        "am/final.mdl": b"model",
        "conf/model.conf": b"--beam=10.0\n",
        "conf/mfcc.conf": b"--sample-frequency=16000\n",
        "graph/HCLr.fst": header("olabel_lookahead", 1, 0, 0, 0, 0),
        "graph/phones/word_boundary.int": b"1 nonword\n",
        "graph/Gr.fst": FILES["ngram"] if graph is None else graph,
    }.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "vosk")


SENTENCES = ["my facet joint hurts", "my facet hurts"]


def test_the_adapted_folder_is_a_whole_model_with_another_language_model(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "taught"
    assert lm.adapt(model, SENTENCES, out) == out
    check_model(out)
    assert {file.relative_to(out) for file in out.rglob("*") if file.is_file()} == {
        *(file.relative_to(model) for file in model.rglob("*") if file.is_file()),
        Path(MANIFEST),
    }
    assert (out / "am" / "final.mdl").samefile(model / "am" / "final.mdl")
    graph = read_graph(out / "graph" / "Gr.fst")
    assert graph.osymbols is not None
    assert graph.osymbols.raw == table(WORDS)
    assert (model / "graph" / "Gr.fst").read_bytes() == FILES["ngram"]
    assert [one.name for one in out.parent.iterdir()] == ["taught"]


def test_a_taught_model_trusts_its_language_model_more_adds_no_noise_and_keeps_every_other_option(
    model: Path, tmp_path: Path
) -> None:
    before = "--beam=10.0\n--acoustic-scale=1.0\n--lattice-beam=2.0"
    (model / "conf" / "model.conf").write_text(before, "utf-8")
    (model / "conf" / "mfcc.conf").write_text("--num-ceps=40\n", "utf-8")
    out = lm.adapt(lm.adapt(model, SENTENCES, tmp_path / "once"), SENTENCES, tmp_path / "twice")
    options = (out / "conf" / "model.conf").read_text("utf-8").splitlines()
    assert sorted(options) == ["--acoustic-scale=0.85", "--beam=10.0", "--lattice-beam=2.0"]
    assert (model / "conf" / "model.conf").read_text("utf-8") == before
    assert (out / "conf" / "mfcc.conf").read_text("utf-8").split() == ["--num-ceps=40", "--dither=0"]


def test_a_taught_model_can_be_taught_again(model: Path, tmp_path: Path) -> None:
    once = lm.adapt(model, SENTENCES, tmp_path / "once")
    twice = lm.adapt(once, ["facet drips"], tmp_path / "twice")
    check_model(twice)
    assert probabilities(read_graph(twice / "graph" / "Gr.fst"))[(1,)][6] > 0.2


def test_files_are_copied_where_links_are_impossible(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    out = lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert (out / "am" / "final.mdl").read_bytes() == b"model"
    assert not (out / "am" / "final.mdl").samefile(model / "am" / "final.mdl")


def test_an_old_folder_is_replaced(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "taught"
    out.mkdir()
    (out / "old").write_text("old")
    lm.adapt(model, SENTENCES, out)
    assert not (out / "old").exists()
    check_model(out)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["taught", "vosk"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "full"), "disk is too full"),
        (OSError(errno.EROFS, "read-only"), "can't be written"),
        (MemoryError(), "too little memory"),
    ],
)
def test_nothing_half_made_is_left(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(lm, "write_const", fail)
    with pytest.raises(LanguageModelError, match=sentence) as caught:
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert str(caught.value).endswith(".")
    assert str(tmp_path) not in str(caught.value), "what is spoken holds no paths"
    assert [one.name for one in tmp_path.iterdir()] == ["vosk"]


def test_an_interruption_leaves_nothing_either(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lm, "write_const", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert [one.name for one in tmp_path.iterdir()] == ["vosk"]


@pytest.mark.parametrize("graph", [b"", b"rubbish", FILES["ngram"][:-1], header("compact", 1, 0, 0, 0, 0)])
def test_a_model_that_cannot_be_taught_is_said_in_one_plain_sentence(tmp_path: Path, graph: bytes) -> None:
    model = make_model(tmp_path / "vosk", graph)
    for call, place in ((lm.adapt, "taught"), (lm.ensure_adapted, "cache")):
        with pytest.raises(LanguageModelError) as caught:
            call(model, SENTENCES, tmp_path / place)
        assert isinstance(caught.value, BacktalkError)
        assert caught.value.reason
    assert not (tmp_path / "taught").exists()
    assert not list((tmp_path / "cache").iterdir())


def test_a_model_with_a_fixed_graph_or_none_cannot_be_taught(model: Path, tmp_path: Path) -> None:
    (model / "graph" / "HCLG.fst").write_bytes(b"fixed")
    with pytest.raises(LanguageModelError, match="can't teach"):
        lm.adapt(model, SENTENCES, tmp_path / "taught")
    with pytest.raises(LanguageModelError):
        lm.ensure_adapted(tmp_path / "absent", SENTENCES, tmp_path / "cache")


@pytest.mark.parametrize("bad", [{"keep": 0.0}, {"keep": 1.0}, {"order": 1}, {"order": 9}, {"boost": math.nan}])
def test_parameters_out_of_range_are_refused(model: Path, tmp_path: Path, bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        lm.adapt(model, SENTENCES, tmp_path / "taught", **bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="weight"):
        lm.adapt(model, [("facet", math.nan)], tmp_path / "taught")


def test_words_beside_a_graph_without_a_table(tmp_path: Path) -> None:
    model = make_model(tmp_path / "vosk", general().file())
    with pytest.raises(LanguageModelError):
        lm.vocabulary(model)
    (model / "graph" / "words.txt").write_text("".join(f"{word} {label}\n" for word, label in WORDS.items()))
    assert lm.vocabulary(model) == {"my", "facet", "joint", "hurts", "faucet", "drips"}
    plain, after = read_graph(model / "graph" / "Gr.fst"), lm.adapt(model, SENTENCES, tmp_path / "taught")
    assert probabilities(read_graph(after / "graph" / "Gr.fst"))[(3,)][1] > probabilities(plain)[(3,)][1]


def test_progress_is_told_in_either_form(model: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    lm.adapt(model, SENTENCES, tmp_path / "one", progress=lambda doing, done: told.append((doing, done)))
    assert len({doing for doing, _ in told}) == 1
    assert [done for _, done in told] == sorted({done for _, done in told})
    assert told[0][1] == 0.0
    assert told[-1][1] == 1.0
    lm.ensure_adapted(model, SENTENCES, tmp_path / "cache", silent)


# The cache


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were really made."""
    folders: list[Path] = []
    real = lm.adapt

    def adapt(model: Path, sentences: lm.Sentences, out: Path, **options: object) -> Path:
        folders.append(out)
        return real(model, sentences, out, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(lm, "adapt", adapt)
    return folders


def test_the_same_is_made_once(model: Path, tmp_path: Path, made: list[Path]) -> None:
    cache = tmp_path / "cache"
    first = lm.ensure_adapted(model, iter(SENTENCES), cache)
    assert lm.ensure_adapted(model, tuple(SENTENCES), cache) == first
    assert lm.ensure_adapted(model, [(one, 1.0) for one in SENTENCES], cache) == first
    assert first == lm.adapted_path(model, lm.cache_key(model, SENTENCES), cache)
    assert made == [first]


def test_anything_else_is_another_folder(model: Path, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other")
    (other / "am" / "final.mdl").write_bytes(b"another size")
    graph = make_model(tmp_path / "graph", FILES["const"])
    keys = [
        lm.cache_key(model, SENTENCES),
        lm.cache_key(model, SENTENCES[:1]),
        lm.cache_key(model, [(one, 0.5) for one in SENTENCES]),
        lm.cache_key(model, SENTENCES, keep=0.5),
        lm.cache_key(model, SENTENCES, boost=0.5),
        lm.cache_key(model, SENTENCES, order=2),
        lm.cache_key(other, SENTENCES),
        lm.cache_key(graph, SENTENCES),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ["graph/Gr.fst", "am/final.mdl", MANIFEST])
def test_a_damaged_cache_is_made_again(model: Path, tmp_path: Path, made: list[Path], name: str) -> None:
    path = lm.ensure_adapted(model, SENTENCES, tmp_path / "cache")
    (path / name).unlink()
    (path / name).write_bytes(b"{}" if name == MANIFEST else b"cut short")
    assert lm.ensure_adapted(model, SENTENCES, tmp_path / "cache") == path
    assert made == [path, path]
    check_model(path)


def test_two_at_once_both_get_a_whole_folder(model: Path, tmp_path: Path) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(lm.ensure_adapted(model, SENTENCES, tmp_path / "cache")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    check_model(found[0])
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [found[0].name]


def test_what_is_long_unused_is_cleared_away(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    paths = [lm.ensure_adapted(model, [sentence], cache) for sentence in ("my", "facet", "joint", "hurts", "drips")]
    assert all(path.exists() for path in paths), "what is young stays: somebody may be about to load it"
    (cache / f".{paths[0].name}-left").mkdir()
    (cache / "somebody-else's").mkdir()
    for age, path in enumerate([*paths, *cache.glob(".*"), cache / "somebody-else's"]):
        os.utime(path, (age, age))
    newest = lm.ensure_adapted(model, ["faucet"], cache)
    assert {one.name for one in cache.iterdir()} == {newest.name, *(one.name for one in paths[2:]), "somebody-else's"}


def test_writers_can_be_evened_out() -> None:
    assert lm.evened({"a": ["x", "y"], "b": ["z"], "c": []}, 1) == [("x", 0.5), ("y", 0.5), ("z", 1.0)]


# The real model


@pytest.mark.model
def test_the_published_model_taught(model_dir: Path, tmp_path: Path) -> None:
    sentences = ["what is facet hypertrophy", "my bladder has gone numb", "is spondylolisthesis the same"]
    out = lm.adapt(model_dir, sentences, tmp_path / "taught")
    before, after = (read_graph(folder / "graph" / "Gr.fst") for folder in (model_dir, out))
    assert before.osymbols is not None
    assert after.osymbols is not None
    assert after.osymbols.raw == before.osymbols.raw
    assert np.isfinite(after.arcs["weight"]).all()
    assert before.states <= after.states <= before.states + 100
    assert {"facet", "bladder", "hypertrophy"} <= lm.vocabulary(model_dir)
    assert not {"<s>", "#0", "[unk]", "!SIL", "osteophytes"} & lm.vocabulary(model_dir)

    recognizer = Recognizer(load_model(out))
    for frame in frames(read_audio(DATA / "what_is_facet_hypertrophy.flac"), tail_s=0):
        recognizer.accept(frame)
    assert recognizer.finish().text == "what is facet hypertrophy"
    json.loads((out / MANIFEST).read_text("utf-8"))
