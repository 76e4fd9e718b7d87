"""Backtalk in Open Voice OS, end to end: ovoscope runs ovos-core's own skill manager, intent service and pipeline on its FakeBus.

Tried with ovoscope 1.5.0, ovos-core 2.1.5a1, ovos-workshop 7.0.6 and 8.0.0, ovos-plugin-manager 2.2.0. Skipped where the packages
or the installed entry points are missing.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ovos_workshop", reason="the extra ovos is not installed")
pytest.importorskip("ovoscope", reason="ovoscope is not installed")

from ovos_bus_client.message import Message
from ovos_config.models import MycroftDefaultConfig
from ovos_house import FIRST, NOTED, OTHER, OVOS, QUERY, House, Said, house

from voice.ovos import PIPELINE_ID, SKILL_ID

INSTALLED = {
    one.name for group in ("opm.skill", "opm.pipeline") for one in importlib.metadata.entry_points(group=group)
}
WARNING = "Warning. This may be an emergency. Call 9 1 1 now."
REPEAT = Said("Shall I repeat that?", True, SKILL_ID)
DOUBT = Said("Did you say that your foot lost feeling?", True, SKILL_ID)
DANGER = "my legs went numb an hour ago"

needs_entry_points = pytest.mark.skipif(
    PIPELINE_ID not in INSTALLED,
    reason="Backtalk isn't installed in this environment, so that OVOS can't find its plugins",
)


@pytest.fixture(autouse=True, scope="module")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody's own settings count, and none are written."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        # ovoscope's voice speaks for 0.1 s: on a busy machine it ends before ovos-workshop begins to wait for its end
        patch.setattr("voice.ovos.skill._patience_s", lambda text: 2)
        yield


@pytest.fixture(scope="module")
def house_first() -> Iterator[House]:
    """With the danger stage first."""
    with house(FIRST) as one:
        yield one


@pytest.fixture(scope="module")
def house_plain() -> Iterator[House]:
    """With Open Voice OS's own pipeline, as it is right after `pip install`."""
    with house(OVOS) as one:
        yield one


def warned(said: list[Said]) -> None:
    """The warning first, as one piece by itself, then the offer to repeat it, with an open microphone."""
    assert said[0].text.startswith(WARNING)
    assert not said[0].listens
    assert said[1:] == [REPEAT]


@needs_entry_points
def test_a_danger_sign_goes_before_a_skill_that_is_sure(house_first: House) -> None:
    assert house_first.say("write down milk", room="a") == [Said(NOTED, False, OTHER)]
    warned(house_first.say(f"write down {DANGER}", room="a"))


@needs_entry_points
def test_a_warning_is_spoken_to_its_end_before_anything_else(house_first: House) -> None:
    warned(house_first.say(DANGER, room="b"))
    types = house_first.types[house_first.types.index("speak") :]
    spoken = [one for one in types if one in ("speak", "recognizer_loop:audio_output_end")]
    assert spoken[:3] == ["speak", "recognizer_loop:audio_output_end", "speak"]


@needs_entry_points
def test_a_danger_sign_in_another_reading_is_enough(house_first: House) -> None:
    warned(house_first.say("write down my lakes went now", DANGER, room="c"))


@needs_entry_points
def test_yes_repeats_the_warning_and_later_answers_remind(house_first: House) -> None:
    first = house_first.say(DANGER, room="d")
    assert house_first.say("yes", room="d") == first
    assert house_first.say("what is facet hypertrophy", room="d")[0].text.startswith("If you haven't called 9 1 1 yet")


@needs_entry_points
def test_without_the_skill_its_stage_takes_nothing() -> None:
    with house(FIRST, backtalk=False) as empty:
        assert empty.say(f"write down {DANGER}") == [Said(NOTED, False, OTHER)]


def test_without_the_stage_a_danger_sign_is_taken_when_no_skill_is_sure(house_plain: House) -> None:
    warned(house_plain.say(DANGER, room="e"))
    warned(house_plain.say(f"write down {DANGER}", room="e"))  # by converse, now that it is talked to
    assert house_plain.say(f"write down {DANGER}", room="nobody spoke here") == [Said(NOTED, False, OTHER)]


def test_a_question_is_answered_and_followed_up(house_plain: House) -> None:
    [answer] = house_plain.say("tell me what facet hypertrophy is", room="f")
    assert answer.text.startswith("Facet hypertrophy means that small joints")
    assert not answer.listens
    assert house_plain.say("repeat", room="f") == [answer]
    [more] = house_plain.say("can it be cured", room="f")
    assert more.text.startswith("No, it can't be cured")


def test_nothing_is_said_to_what_is_for_others(house_plain: House) -> None:
    for text in ("what time is it", "can it be cured", "repeat", "yes", "help"):
        assert house_plain.say(text, room="g") == []
        assert "complete_intent_failure" in house_plain.types


def test_called_by_name_it_says_what_it_cannot_do(house_plain: House) -> None:
    [said] = house_plain.say("ask backtalk what time it is", room="h")
    assert said.text.startswith("I can't do that")


def test_a_conversation_for_each_session(house_plain: House) -> None:
    house_plain.say("what is facet hypertrophy", room="i")
    assert house_plain.say("can it be cured", room="j") == []
    assert house_plain.say("can it be cured", room="i") != []


def test_goodbye_ends_it(house_plain: House) -> None:
    house_plain.say("what is facet hypertrophy", room="k")
    assert house_plain.say("goodbye", room="k")[0].text.startswith("Goodbye")
    assert house_plain.say("repeat", room="k") == []


def test_another_language_is_not_understood(house_plain: House) -> None:
    assert house_plain.say("what is facet hypertrophy", room="l", lang="de-DE") == []


def test_a_doubt_is_asked_about_and_a_clear_no_settles_it(house_plain: House) -> None:
    assert house_plain.say("my foot fell asleep", room="m") == [DOUBT]
    assert [said.text for said in house_plain.say("no", room="m")] == ["All right."]
    assert house_plain.silence(room="m") == []


@pytest.mark.parametrize("answer", ["what time is it", "yes"])
def test_anything_but_a_no_to_a_doubt_is_a_yes(house_plain: House, answer: str) -> None:
    assert house_plain.say("my foot fell asleep", room=f"n {answer}") == [DOUBT]
    warned(house_plain.say(answer, room=f"n {answer}"))


def test_stop_to_a_doubt_is_a_yes(house_plain: House) -> None:
    assert house_plain.say("my foot fell asleep", room="o") == [DOUBT]
    warned(house_plain.say("stop", room="o"))


def test_silence_after_a_doubt_is_a_yes(house_plain: House) -> None:
    assert house_plain.say("my foot fell asleep", room="p") == [DOUBT]
    warned(house_plain.silence(room="p"))
    assert house_plain.silence(room="p") == []


def test_a_doubt_is_also_ended_by_the_scheduler(house_plain: House) -> None:
    kept: list[Message] = []
    house_plain.croft.bus.on("mycroft.scheduler.schedule_event", kept.append)
    assert house_plain.say("my foot fell asleep", room="q") == [DOUBT]
    assert len(kept) == 1
    said: list[Message] = []
    house_plain.croft.bus.on("speak", said.append)
    house_plain.croft.bus.emit(Message(kept[0].data["event"], {}, kept[0].context))
    assert said[0].data["utterance"].startswith(WARNING)
    assert said[0].context["session"]["session_id"] == "q"


def test_stop_is_its_own_while_it_waits_for_an_answer(house_plain: House) -> None:
    house_plain.say("what is facet hypertrophy", room="r")
    assert house_plain.say("why is that", room="r")[-1].listens
    assert house_plain.say("stop", room="r") == []
    assert f"{SKILL_ID}.stop.response" in house_plain.types
    assert house_plain.say("yes", room="r") == []


def test_without_a_question_stop_is_for_others(house_plain: House) -> None:
    pongs: list[Message] = []
    house_plain.say("what is facet hypertrophy", room="s")
    house_plain.croft.bus.on("skill.stop.pong", pongs.append)
    house_plain.say("stop", room="s")
    assert [one.data["can_handle"] for one in pongs if one.data["skill_id"] == SKILL_ID] == [False]


@pytest.fixture(scope="module")
def house_query() -> Iterator[House]:
    pytest.importorskip("ovos_commonqa", reason="ovos-common-query-pipeline-plugin is not installed")
    with house([stage for stage in QUERY if stage != PIPELINE_ID]) as one:
        yield one


def test_common_query_gets_the_answer_with_its_confidence(house_query: House) -> None:
    answers: list[Message] = []
    house_query.croft.bus.on("question:query.response", answers.append)
    [said] = house_query.say("what is facet hypertrophy", room="t")
    assert said.text.startswith("Facet hypertrophy means that small joints")
    told = [one.data for one in answers if one.data.get("answer")]
    assert [one["skill_id"] for one in told] == [SKILL_ID]
    assert 0.9 < told[0]["conf"] <= 1.0
    assert house_query.say("repeat", room="t") == [said]


def test_common_query_hears_a_warning_first_and_then_the_offer(house_query: House) -> None:
    warned(house_query.say("what can I do my legs went numb an hour ago", room="u"))


def test_common_query_asks_back_with_an_open_microphone(house_query: House) -> None:
    said = house_query.say("why is it that my foot fell asleep", room="v")
    assert said[-1].listens
    assert [one.listens for one in said[:-1]] == [False] * (len(said) - 1)


def test_common_query_gets_nothing_for_what_is_for_others(house_query: House) -> None:
    assert house_query.say("what does mild mean", room="w") == []
    assert "complete_intent_failure" in house_query.types


@needs_entry_points
def test_open_voice_os_finds_the_plugins() -> None:
    from ovos_plugin_manager.pipeline import find_pipeline_plugins
    from ovos_plugin_manager.skills import find_skill_plugins

    from voice.ovos.pipeline import DangerPipeline
    from voice.ovos.skill import BacktalkSkill

    assert find_skill_plugins()[SKILL_ID] is BacktalkSkill
    assert find_pipeline_plugins()[PIPELINE_ID] is DangerPipeline


def test_the_numbers_of_the_skill_settings_are_said(house_plain: House) -> None:
    skill: Any = house_plain.croft.plugin_skills[SKILL_ID].instance
    skill.settings["emergency_number"] = "112"
    try:
        assert house_plain.say(DANGER, room="x")[0].text.startswith(
            "Warning. This may be an emergency. Call 1 1 2 now."
        )
    finally:
        del skill.settings["emergency_number"]


def test_the_documented_configuration_is_the_one_of_open_voice_os() -> None:
    """docs/ovos.md shows ovos-config's default pipeline with one line more."""
    shown = (Path(__file__).parents[2] / "docs" / "ovos.md").read_text("utf-8")
    default = MycroftDefaultConfig()["intents"]["pipeline"]
    lines = [f'"{PIPELINE_ID}"', *(f'"{stage}"' for stage in default)]
    places = [shown.find(line) for line in lines]
    assert -1 not in places
    assert places == sorted(places)
