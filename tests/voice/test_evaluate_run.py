"""Running: the same results in order from one process or several; what is known isn't answered again; a stopped run
goes on.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_product import Fake

from voice.errors import BacktalkError
from voice.evaluate.answer import Product
from voice.evaluate.engines import ENGINES, local
from voice.evaluate.figures import all_figures
from voice.evaluate.journal import NAME, Journal
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result
from voice.evaluate.run import evaluate

LINES = [
    Line(1, "definition", "question", "what is it"),
    Line(2, "symptoms", "question", "the symptoms please"),
    Line(3, "urgent_limb", "urgent", "my leg is numb"),
    Line(4, "out_of_scope", "oos", "what about diabetes"),
    Line(6, "louder", "command", "louder please"),
    Line(7, "out_of_scope", "oos", "what is it"),
]
OUTCOMES = ["right", "right", "found", "refused", "right", "false accept"]


def run(fake: Fake, out: Path | None = None, **options: object) -> list[Result]:
    with Journal(out) as journal:
        return evaluate(LINES, fake, journal, **options)  # type: ignore[arg-type]


def answered(log: Path) -> list[str]:
    return [row.split(" ", 1)[1] for row in log.read_text().splitlines()] if log.exists() else []


def test_results_come_in_the_order_of_the_lines() -> None:
    told: list[tuple[int, int]] = []
    results = run(Fake(), told=lambda done, total: told.append((done, total)))
    assert [result.line for result in results] == LINES
    assert [result.outcome for result in results] == OUTCOMES
    assert told == [(done, 6) for done in range(7)]


def test_two_processes_give_the_same_and_both_work(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run(Fake(log), jobs=2, engine=local) == run(Fake())
    assert sorted(answered(log)) == sorted(str(line.text) for line in LINES)


def test_a_failure_of_everything_reaches_the_caller_from_a_process() -> None:
    with pytest.raises(BacktalkError, match="backtalk setup"):
        run(Fake(no_model=True), jobs=2)


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run(Fake(log, dies_at="diabetes"), tmp_path / "out")
    assert answered(log) == ["what is it", "the symptoms please", "my leg is numb"]
    log.unlink()
    assert [result.outcome for result in run(Fake(log), tmp_path / "out")] == OUTCOMES
    # Line 7 has the words of line 1: its reply is known as well.
    assert answered(log) == ["what about diabetes", "louder please"]


def test_stopping_two_processes_keeps_what_was_answered(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Fake(), tmp_path, jobs=2, told=stop)
    assert len((tmp_path / NAME).read_text().splitlines()) == 2
    assert [result.outcome for result in run(Fake(), tmp_path, jobs=2)] == OUTCOMES


def test_other_code_is_answered_again(tmp_path: Path) -> None:
    run(Fake(), tmp_path)
    log = tmp_path / "log"
    run(Fake(log), tmp_path)
    assert answered(log) == []
    run(Fake(log, version="2"), tmp_path)
    assert len(answered(log)) == len(LINES)


def test_the_products_fingerprint_follows_packs_and_model(tmp_path: Path) -> None:
    pack, model = tmp_path / "pack", tmp_path / "model"
    for folder in (pack, model):
        folder.mkdir()
        (folder / "file").write_text("one")
    product = Product(model, None, (pack,))
    first = product.fingerprint()
    assert product.fingerprint() == first
    (pack / "file").write_text("two")
    second = product.fingerprint()
    (model / "file").write_text("longer")
    assert len({first, second, product.fingerprint(), Product(None, None, (pack,)).fingerprint()}) == 4


def test_a_changed_recording_is_answered_again(tmp_path: Path) -> None:
    from voice.evaluate.journal import key

    audio = tmp_path / "a.flac"
    audio.write_bytes(b"one")
    line = Line(1, "causes", "question", None, audio)
    before = key(line, "1")
    assert key(line, "1") == before
    audio.write_bytes(b"three")
    assert key(line, "1") != before


def test_a_journal_cut_off_in_the_middle_of_a_line_is_mended(tmp_path: Path) -> None:
    run(Fake(), tmp_path)
    journal = tmp_path / NAME
    *whole, louder, _definition_again = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"nonsense\n[1]\n" + b"".join(whole) + louder[:-20])
    log = tmp_path / "log"
    assert [result.outcome for result in run(Fake(log), tmp_path)] == OUTCOMES
    assert answered(log) == ["louder please"]
    log.unlink()
    run(Fake(log), tmp_path)
    assert answered(log) == []


def test_a_folder_that_can_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BacktalkError, match="can't be written"), Journal(tmp_path / "file" / "out"):
        pass


@pytest.mark.parametrize(("engine", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_of_two_workers_gives_the_same_figures(engine: str, module: str) -> None:
    pytest.importorskip(module, reason=f"the extra cluster is not installed: no {module}")
    results = run(Fake(), jobs=2, engine=ENGINES[engine])
    assert all_figures(results) == all_figures(run(Fake()))
    with pytest.raises(BacktalkError, match="backtalk setup"):
        run(Fake(no_model=True), jobs=2, engine=ENGINES[engine])


@pytest.mark.parametrize(("engine", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_an_engine_that_is_not_installed_is_named(engine: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import voice.evaluate.extras

    monkeypatch.setattr(voice.evaluate.extras, "find_spec", lambda name: None)
    with pytest.raises(BacktalkError, match=r"backtalk\[cluster\]"):
        run(Fake(), engine=ENGINES[engine])
