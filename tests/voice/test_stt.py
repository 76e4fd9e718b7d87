"""Hearing words: real recordings through the real model, and the arithmetic of readings on written results."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from intents.heard import Heard
from voice import stt
from voice.audio import frames, read_audio
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.model import SpeechModel
from voice.stt import ALTERNATIVES, Recognizer

DATA = Path(__file__).parent / "data"
FACET, AGAIN, STOP = "what is facet hypertrophy", "please say that again", "stop"


def recording(words: str) -> Samples:
    return read_audio(DATA / f"{words.replace(' ', '_')}.flac")


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def hear(recognizer: Recognizer, *parts: Samples) -> Heard:
    for frame in frames(np.concatenate(parts), tail_s=0):
        recognizer.accept(frame)
    return recognizer.finish()


@pytest.fixture(scope="module")
def recognizer(speech_model: SpeechModel) -> Recognizer:
    return Recognizer(speech_model)


@pytest.mark.model
@pytest.mark.parametrize("words", [FACET, AGAIN, STOP])
def test_words_of_a_recording(recognizer: Recognizer, words: str) -> None:
    speech = recording(words)
    heard = hear(recognizer, speech)
    assert heard.text == words
    assert [word.text for word in heard.words] == words.split()
    assert all(0 < word.confidence <= 1 for word in heard.words)
    assert all(0 <= word.start < word.end <= len(speech) / SAMPLE_RATE + 0.1 for word in heard.words)
    assert heard.text not in heard.alternatives
    assert len(heard.alternatives) <= ALTERNATIVES
    assert not heard.typed


@pytest.mark.model
def test_the_same_frames_give_the_same_result_whatever_was_before(speech_model: SpeechModel) -> None:
    first = hear(Recognizer(speech_model), recording(FACET))
    used = Recognizer(speech_model)
    hear(used, recording(AGAIN))
    used.accept(recording(STOP)[:FRAME_SAMPLES])
    used.reset()
    assert used.partial() == ""
    assert hear(used, recording(FACET)) == first


@pytest.mark.model
def test_listeners_at_the_same_time_hear_what_each_would_alone(speech_model: SpeechModel) -> None:
    alone = [hear(Recognizer(speech_model), recording(words)) for words in (FACET, AGAIN)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            both = threads.map(lambda words: hear(Recognizer(speech_model), recording(words)), (FACET, AGAIN))
            assert list(both) == alone


@pytest.mark.model
def test_a_renewed_decoder_gives_the_same_result(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stt, "RENEWAL_SAMPLES", 1)
    first = hear(recognizer, recording(FACET))
    assert first.text == FACET
    assert hear(recognizer, recording(FACET)) == first


@pytest.mark.model
def test_a_pause_that_vosk_would_end_at_cuts_nothing(recognizer: Recognizer) -> None:
    heard = hear(recognizer, recording(FACET), pause(2.5), recording(AGAIN))
    assert heard.text == f"{FACET} {AGAIN}"
    assert heard.words[4].start > heard.words[3].end + 2


@pytest.mark.model
def test_a_very_long_utterance_is_cut_at_a_pause_and_joined(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stt, "SEGMENT_SAMPLES", SAMPLE_RATE)
    parts = recording(FACET), pause(1.5), recording(AGAIN), pause(1.5), recording(STOP)
    for frame in frames(np.concatenate(parts), tail_s=0):
        recognizer.accept(frame)
    assert recognizer.partial().startswith(f"{FACET} {AGAIN}")
    heard = recognizer.finish()
    assert heard.text == f"{FACET} {AGAIN} {STOP}"
    starts = [word.start for word in heard.words]
    assert starts == sorted(starts)
    assert heard.words[4].start == pytest.approx((len(parts[0]) + len(parts[1])) / SAMPLE_RATE, abs=0.5)
    assert all(other.endswith(STOP) for other in heard.alternatives[:1])


@pytest.mark.model
def test_the_last_word_needs_no_silence_after_it(recognizer: Recognizer) -> None:
    speech = recording(AGAIN)
    loud = np.flatnonzero(np.abs(speech.astype(int)) > 500)
    assert hear(recognizer, speech[: loud[-1] + 1]).text == AGAIN


@pytest.mark.model
def test_partial_grows_to_the_words(recognizer: Recognizer) -> None:
    seen = []
    for frame in frames(recording(FACET), tail_s=0.3):
        recognizer.accept(frame)
        seen.append(recognizer.partial())
    recognizer.reset()
    assert seen[0] == ""
    assert seen[-1] == FACET
    assert len(set(seen)) >= 3


@pytest.mark.model
def test_silence_and_nothing_are_no_words(recognizer: Recognizer) -> None:
    assert recognizer.finish() == Heard("")
    assert hear(recognizer, pause(2)) == Heard("")
    assert recognizer.finish() == Heard("")


def result(*alternatives: tuple[str, float]) -> str:
    """Vosk's n-best result: texts with log likelihoods; each word lasts a second."""
    return json.dumps(
        {
            "alternatives": [
                {
                    "text": text,
                    "confidence": score,
                    "result": [
                        {"word": word, "start": float(second), "end": second + 1.0}
                        for second, word in enumerate(text.split())
                    ],
                }
                for text, score in alternatives
            ]
        }
    )


def test_scores_become_probabilities_and_word_confidences() -> None:
    scores = {"my knee": 0.55, "my need": 0.25, "i need": 0.2}
    readings = stt._readings(result(*((text, 200 + np.log(share)) for text, share in scores.items())), 0)
    assert [reading.text for reading in readings] == ["my knee", "my need", "i need"]
    assert [reading.probability for reading in readings] == pytest.approx([0.55, 0.25, 0.2])
    assert [word.confidence for word in readings[0].words] == pytest.approx([0.8, 0.55])
    assert [word.confidence for word in readings[2].words] == pytest.approx([0.2, 0.45])


def test_best_is_the_reading_whose_words_are_likeliest_not_the_likeliest_whole() -> None:
    shares = {"what a fast it": 0.4, "what is facet": 0.35, "what is fast": 0.25}
    readings = stt._readings(result(*((text, np.log(share)) for text, share in shares.items())), 0)
    assert [reading.text for reading in readings] == ["what is fast", "what a fast it", "what is facet"]


def test_a_text_found_twice_counts_once_with_both_probabilities() -> None:
    readings = stt._readings(result(("knee", np.log(0.4)), ("need", np.log(0.35)), ("need", np.log(0.25))), 0)
    assert [reading.text for reading in readings] == ["need", "knee"]
    assert readings[0].probability == pytest.approx(0.6)


def test_alternatives_of_segments_change_one_segment_each_likeliest_first() -> None:
    first = stt._readings(result(("a", np.log(0.6)), ("b", np.log(0.4))), 0)
    second = stt._readings(result(("c", np.log(0.9)), ("d", np.log(0.1))), 5)
    heard = stt._joined([first, [], second])
    assert heard.text == "a c"
    assert heard.alternatives == ("b c", "a d")
    assert [word.text for word in heard.words] == ["a", "c"]


def test_empty_results_are_no_words() -> None:
    nothing = '{"alternatives" : [{"text": "", "confidence" : 1.0}] }'
    assert stt._joined([stt._readings(nothing, 0)]) == Heard("")
    assert stt._readings('{"text": ""}', 0) == []
