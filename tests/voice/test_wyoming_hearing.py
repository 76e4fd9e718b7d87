"""What a network client's utterance is taken for: heard a second time where the first leaves open what was meant."""

from __future__ import annotations

import numpy as np
import pytest

from intents.heard import Heard
from intents.reply import Reply
from voice.fleet.ear import Open
from voice.frame import SAMPLE_RATE, Samples
from voice.wyoming.hearing import Hearing, Listener, Listeners, TurnLost

REPLIES = {
    "mumble": Reply("reject"),
    "what is it": Reply("answer", "definition", confidence=0.95),
    "my legs are numb": Reply("warn", urgent=("urgent_limb",)),
    "my legs are mum": Reply("clarify", choices=("urgent_limb",)),
}


class ScriptedEar:
    """Hears these words, one after the other; an exception is raised."""

    def __init__(self, *script: str | Exception) -> None:
        self.script = list(script)
        self.samples: list[int] = []
        self._fed = 0

    def accept(self, frame: Samples) -> None:
        self._fed += len(frame)

    def partial(self) -> str:
        return ""

    def finish(self) -> Heard:
        self.samples.append(self._fed)
        self._fed = 0
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return Heard(said, ("another reading",))

    def reset(self) -> None:
        self._fed = 0

    def rest(self) -> None: ...


def heard(ear: ScriptedEar, seconds: float = 2.0, reply: bool = True) -> Heard:
    hearing = Hearing(
        Listeners(lambda: Listener(ear, Open()), 1), 60.0, (lambda words: REPLIES[words.text]) if reply else None
    )
    sound = np.random.default_rng(5).integers(-9000, 9000, round(seconds * SAMPLE_RATE)).astype(np.int16)
    hearing.feed(sound)
    return hearing.finish()


def test_what_was_not_understood_is_heard_again_whole() -> None:
    ear = ScriptedEar("mumble", "what is it")
    assert heard(ear).text == "what is it"
    assert ear.samples[1] == pytest.approx(ear.samples[0], abs=SAMPLE_RATE // 10)


@pytest.mark.parametrize("first", ["what is it", "my legs are numb", "my legs are mum"])
def test_a_sure_answer_a_warning_and_a_question_about_a_sign_are_heard_once(first: str) -> None:
    ear = ScriptedEar(first)
    assert heard(ear).text == first
    assert len(ear.samples) == 1


def test_a_danger_sign_that_only_the_second_hearing_has_goes_on_as_a_reading() -> None:
    words = heard(ScriptedEar("mumble", "my legs are numb"))
    assert words.text == "mumble"
    assert words.alternatives[0] == "my legs are numb"


def test_what_was_heard_once_stays_when_nobody_is_there_for_the_second_time() -> None:
    assert heard(ScriptedEar("mumble", TurnLost("no replica left"))).text == "mumble"


def test_a_long_utterance_keeps_no_one_waiting() -> None:
    assert len(heard(ScriptedEar("mumble"), seconds=11.0).readings) == 2


def test_a_replica_hears_once_for_whoever_asks_it() -> None:
    assert heard(ScriptedEar("mumble"), reply=False).text == "mumble"
