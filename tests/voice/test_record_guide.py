"""The guide of a recording session: consent, orders, what is kept, what is asked for again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from volunteer import PROMPTS, take, tone

from voice.frame import SAMPLE_RATE, Samples
from voice.record.guide import Control, Guide, Silence, Step, agrees, control_in
from voice.record.take import Prompt, Take, clipped_peaks, fault_of


def started(prompts: Sequence[Prompt] = PROMPTS) -> Guide:
    guide = Guide(prompts, consented=True)
    guide.begin()
    return guide


@pytest.mark.parametrize(
    ("said", "consent"),
    [
        ("i agree to be recorded", True),
        ("yes i agree", True),
        ("i do not agree", False),
        ("i don't agree", False),
        ("no", False),
        ("i agree no wait", False),
        ("yes", None),
        ("hello", None),
        ("", None),
    ],
)
def test_only_a_plain_yes_is_consent(said: str, consent: bool | None) -> None:
    assert agrees(said) is consent


@pytest.mark.parametrize(
    ("said", "prompt", "order"),
    [
        ("skip", "what is it", Control.SKIP),
        ("stop", "what is it", Control.STOP),
        ("stop", "stop", None),
        ("stop recording", "stop", Control.STOP),
        ("say it again", "say that again", Control.REPEAT),
        ("say that again", "Say that again.", None),
        ("what is it", "what is it", None),
    ],
)
def test_an_order_is_no_take_and_a_sentence_to_be_read_is_no_order(
    said: str, prompt: str, order: Control | None
) -> None:
    assert control_in(said, prompt) is order


def test_nothing_is_kept_before_consent() -> None:
    guide = Guide(PROMPTS)
    step = guide.begin()
    assert "agree" in step.say[-1]
    step = guide.hear(take("what is facet hypertrophy"))
    assert step.keep is None
    assert step.keep_consent is None
    agreed = take("i agree to be recorded")
    step = guide.hear(agreed)
    assert step.keep_consent is agreed
    assert step.say[-1] == PROMPTS[0].text


@pytest.mark.parametrize(
    "events", [[take("no")], [Control.STOP], [Silence()] * 3, [take("what")] * 3, [Control.SKIP] * 3]
)
def test_without_consent_it_ends_with_nothing_kept(events: list[Take | Control | Silence]) -> None:
    guide = Guide(PROMPTS)
    guide.begin()
    steps = [guide.hear(event) for event in events]
    assert [step.over for step in steps] == [False] * (len(steps) - 1) + [True]
    assert all(step.keep is None and step.keep_consent is None for step in steps)
    assert "othing" in " ".join(steps[-1].say)


def test_an_unusable_consent_is_asked_for_again() -> None:
    guide = Guide(PROMPTS)
    guide.begin()
    step = guide.hear(Take(tone(-70), "i agree"))
    assert step.keep_consent is None
    assert "too quiet" in step.say[0]
    assert guide.hear(take("i agree")).keep_consent is not None


def test_takes_are_kept_in_order_to_the_end() -> None:
    guide = started()
    kept = []
    step = Step(())
    for prompt in PROMPTS:
        step = guide.hear(take(prompt.text))
        kept.append(step.keep)
    assert [pair[0] for pair in kept if pair] == PROMPTS
    assert step.over
    assert "3 sentences" in step.say[-1]


def test_repeat_skip_and_stop_by_voice() -> None:
    guide = started()
    assert guide.hear(take("say it again")).say[-1] == PROMPTS[0].text
    skipped = guide.hear(take("skip this one"))
    assert skipped.keep is None
    assert skipped.say[-1] == PROMPTS[1].text
    stopped = guide.hear(take("stop recording"))
    assert stopped.over
    assert stopped.keep is None
    assert guide.kept == 0


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (tone(-60), "quiet"),
        (np.clip(tone(0).astype(np.int32) * 4, -32768, 32767).astype(np.int16), "loud"),
        (tone(-20, 0.1), "short"),
    ],
)
def test_an_unusable_take_is_asked_for_again_and_left_after_three(samples: Samples, word: str) -> None:
    guide = started()
    bad = Take(samples, PROMPTS[0].text)
    for _ in range(2):
        step = guide.hear(bad)
        assert word in step.say[0]
        assert step.say[-1] == PROMPTS[0].text
        assert step.keep is None
    step = guide.hear(bad)
    assert step.keep is None
    assert step.say[-1] == PROMPTS[1].text
    assert guide.hear(take("stop")).keep is not None, "three tries are counted for each sentence alone"


def test_other_words_are_doubted_once_and_then_kept() -> None:
    guide = started()
    odd = take("bring my grandmother some plums")
    assert guide.hear(odd).keep is None
    step = guide.hear(odd)
    assert step.keep == (PROMPTS[0], odd)
    assert step.doubted
    assert not guide.hear(take("stop")).doubted


def test_a_take_that_began_too_soon_is_too_short() -> None:
    """Half of the sentence was said while the prompt still sounded: what is left has too little time for its words."""
    late = Take(tone(-20, 1.5), "the", speech=round(0.2 * SAMPLE_RATE))
    assert "wait until I have finished" in (fault_of(late, "what is facet hypertrophy") or "")
    assert fault_of(late, "stop") is None


def test_a_cut_take_is_too_long() -> None:
    assert "long" in (fault_of(Take(tone(-20), "x", cut=True)) or "")


def test_good_levels_pass_and_one_full_sample_is_no_clipping() -> None:
    assert fault_of(take("x")) is None
    assert fault_of(Take(tone(-40), "x")) is None
    one = tone(-20)
    one[100] = 32767
    assert clipped_peaks(one) == 0
    one[100:103] = 32767
    assert clipped_peaks(one) == 1
