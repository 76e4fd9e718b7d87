"""The natural voice: the real piper-tts with a tiny network made here, since no Piper voice comes with the tests."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from voice.errors import InputError, VoiceError
from voice.piper_voice import PiperVoice
from voice.speech import SPEECH_DBFS, loudness_dbfs

needs_piper = pytest.mark.skipif(
    not (importlib.util.find_spec("piper") and importlib.util.find_spec("onnx")),
    reason="the extra `natural` (piper-tts), or onnx to build a test voice, is not installed",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Piper voice that hums: 256 samples a phoneme id and unit of length scale; inputs and outputs are Piper's."""
    import onnx
    from onnx import TensorProto, helper
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    def constant(name: str, value: object, kind: int, dims: list[int]) -> object:
        return helper.make_tensor(name, kind, dims, value)

    nodes = [
        helper.make_node("Gather", ["scales", "one"], ["scale"]),
        helper.make_node("Cast", ["input_lengths"], ["length"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["length", "scale"], ["units"]),
        helper.make_node("Mul", ["units", "hop"], ["samples"]),
        helper.make_node("Squeeze", ["samples", "axis"], ["count"]),
        helper.make_node("Range", ["zero", "count", "step"], ["times"]),
        helper.make_node("Mul", ["times", "turn"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["wave"]),
        helper.make_node("Reshape", ["wave", "shape"], ["output"]),
    ]
    constants = [
        constant("one", [1], TensorProto.INT64, [1]),
        constant("hop", [256.0], TensorProto.FLOAT, [1]),
        constant("axis", [0], TensorProto.INT64, [1]),
        constant("zero", [0.0], TensorProto.FLOAT, []),
        constant("step", [1.0], TensorProto.FLOAT, []),
        constant("turn", [0.1], TensorProto.FLOAT, []),
        constant("shape", [1, 1, 1, -1], TensorProto.INT64, [4]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, None])]
    graph = helper.make_graph(nodes, "hum", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "hum.onnx")
    config = {
        "audio": {"sample_rate": 16_000},
        "espeak": {"voice": "en-us"},
        "num_symbols": 256,
        "num_speakers": 1,
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
    }
    (tmp_path / "hum.onnx.json").write_text(json.dumps(config))
    return tmp_path


@needs_piper
def test_it_is_a_voice_like_any_other(folder: Path) -> None:
    voice = PiperVoice(folder)
    assert voice.sample_rate == 16_000
    usual = voice.speak("Facet joints are small joints.", 165)
    assert usual.dtype == np.int16
    assert loudness_dbfs(usual, 16_000) == pytest.approx(SPEECH_DBFS, abs=1.0)
    assert len(voice.speak("Facet joints are small joints.", 100)) == pytest.approx(1.65 * len(usual), rel=0.05)
    assert len(voice.speak("...")) == 0
    assert len(voice.speak("[[ a\x00b 你好")) > 0
    with pytest.raises(InputError):
        voice.speak("pain " * 20_000)
    voice.close()
    with pytest.raises(VoiceError):
        voice.speak("Hello.")


@needs_piper
def test_it_streams_sentence_by_sentence(folder: Path) -> None:
    clips = list(PiperVoice(folder).stream("One sentence. Another one. A third."))
    assert len(clips) == 3
    assert all(clip.rate == 16_000 and len(clip.samples) for clip in clips)


@needs_piper
@pytest.mark.parametrize(
    ("name", "content"), [("hum.onnx", b"no network"), ("hum.onnx.json", b"{"), ("hum.onnx.json", b"{}")]
)
def test_a_damaged_voice_is_one_plain_sentence(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(VoiceError, match="fetch it again") as failure:
        PiperVoice(folder).speak("Hello.")
    assert "\n" not in str(failure.value)


def test_a_folder_without_a_voice_is_one_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "alone.onnx").write_bytes(b"its json file is missing")
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "alone.onnx"):
        with pytest.raises(VoiceError, match="put a Piper voice there"):
            PiperVoice(folder)


def test_without_the_extra_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.onnx").write_bytes(b"")
    (tmp_path / "a.onnx.json").write_bytes(b"{}")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(VoiceError, match="pip install"):
        PiperVoice(tmp_path)
