"""Finding, checking and loading the speech model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from speech_models import FST, make_model

from voice.errors import ModelError
from voice.model import SpeechModel, cached_model, check_model, find_model, load_model, unheard_words


def test_order_option_then_environment_then_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, variable, cached = make_model(home / "named"), make_model(home / "variable"), make_model(cached_model())
    assert find_model() == cached
    monkeypatch.setenv("BACKTALK_MODEL", str(variable))
    assert find_model() == variable
    assert find_model(named) == named


def test_no_model_says_what_to_do(home: Path) -> None:
    with pytest.raises(ModelError, match="backtalk setup"):
        find_model()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"am_final_mdl": None}, "isn't a whole"),
        ({"am_final_mdl": b""}, "isn't a whole"),
        ({"conf_model_conf": None}, "isn't a whole"),
        ({"conf_mfcc_conf": None}, "isn't a whole"),
        ({"graph_Gr_fst": None}, "isn't a whole"),
        ({"graph_HCLr_fst": None}, "isn't a whole"),
        ({"graph_HCLr_fst": b"<html>not found</html>"}, "damaged"),
        ({"conf_mfcc_conf": b"--sample-frequency=8000\n"}, "8000"),
        ({"conf_mfcc_conf": b"--sample-frequency=fast\n"}, "damaged"),
    ],
)
def test_faulty_models_are_told_in_one_sentence(tmp_path: Path, changes: dict[str, bytes | None], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        check_model(make_model(tmp_path / "model", **changes))
    assert "\n" not in str(caught.value)


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    with pytest.raises(ModelError, match="is a file"):
        check_model(tmp_path / "model")


def test_models_of_other_layouts_are_taken(tmp_path: Path) -> None:
    big = make_model(tmp_path / "big", graph_HCLr_fst=None, graph_Gr_fst=None)
    (big / "graph").mkdir()
    (big / "graph" / "HCLG.fst").write_bytes(FST)
    check_model(big)
    assert not SpeechModel(big, None).takes_grammars
    flat = tmp_path / "flat"
    flat.mkdir()
    for name, content in {"final.mdl": b"x", "mfcc.conf": b"# 16 kHz by default\n", "HCLG.fst": FST}.items():
        (flat / name).write_bytes(content)
    check_model(flat)


def test_vosk_refusing_a_model_is_one_sentence_and_nothing_on_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="can't be loaded") as caught:
        load_model(make_model(tmp_path / "model"))
    assert "ERROR" in caught.value.reason
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.model
def test_loading_prints_nothing(model_dir: Path) -> None:
    code = "import sys, pathlib, voice.model as m; m.load_model(pathlib.Path(sys.argv[1])).recognizer()"
    done = subprocess.run([sys.executable, "-c", code, str(model_dir)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.model
def test_vocabulary(speech_model: SpeechModel) -> None:
    assert unheard_words(speech_model, ["facet", "osteophytes", "bladder", "", "osteophytes"]) == ("osteophytes", "")
