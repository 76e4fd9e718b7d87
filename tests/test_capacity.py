"""benchmarks.capacity tells the truth about what its listeners met; the load itself runs against a server without a model."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="the extra wyoming is not installed")

sys.path.insert(0, str(Path(__file__).parent / "voice"))

from wyoming_house import house

from benchmarks.capacity import ROOT, figures, held, holds, report, slope, whole
from benchmarks.capacity_picture import draw, told
from benchmarks.fleet import report as fleet_report
from benchmarks.listeners import Asked, Recorded, WyomingListener, ask_for, in_real_time
from benchmarks.plan import Assumed, Cost, need, table
from benchmarks.recognizer_a_connection import decode


def row(listeners: int, sound: float | None, text: float = 0.2, failed: int = 0) -> dict[str, Any]:
    def spread(value: float | None) -> dict[str, float] | None:
        return None if value is None else {"median": value / 2, "p95": value, "greatest": value}

    return {
        "listeners": listeners,
        "turns": 10,
        "failed": failed,
        "empty": 0,
        "text_s": spread(text),
        "sound_s": spread(sound),
        "memory_mb": 300.0 + 20 * listeners,
        "cores": 0.1 * listeners,
        "load": [1.0, 2.0],
    }


FOUND: dict[str, Any] = {
    "date": "2026-11-23T17:00+00:00",
    "cores": 2,
    "questions": 24,
    "mean_question_s": 3.5,
    "seconds_a_step": 25.0,
    "idle_connection_kb": 90.0,
    "voice_memory_mb": 21.0,
    "memory_at_start_mb": {"backtalk": 300.0, "vosk-server": 180.0},
    "sides": {
        "backtalk": [row(1, 0.3), row(4, 0.9), row(8, 2.5)],
        "vosk-server": [row(1, None, 0.1), row(4, None, 0.3)],
    },
    "talks": [row(16, 0.7) | {"reply_mean_s": 11.0}],
    "backtalk: memory a listener": 20.0,
    "backtalk: held": 4,
    "vosk-server: memory a listener": 20.0,
    "vosk-server: held": 4,
}


def test_a_failed_turn_counts_as_failed_and_not_as_a_fast_one() -> None:
    asked = [Asked("a", "x", 0.0, 0.2, 0.4), Asked("b", "", 0.0, 0.3, 0.5), Asked("c", "", 0.0, problem="error")]
    found = figures(asked)
    assert (found["turns"], found["failed"], found["empty"]) == (3, 1, 1)
    assert found["sound_s"]["greatest"] == 0.5
    assert figures([])["sound_s"] is None


def test_held_ends_at_the_first_number_that_is_not() -> None:
    assert held([row(1, 0.3), row(4, 0.9), row(8, 2.5)]) == 4
    assert held([row(1, 0.3), row(4, 1.2), row(8, 0.8)]) == 1  # a lucky step behind an unlucky one proves nothing
    assert held([row(1, 0.3, failed=1)]) == 0
    assert held([]) == 0
    assert whole(row(1, None, 0.4)) == {"median": 0.2, "p95": 0.4, "greatest": 0.4}
    assert not holds(row(1, None) | {"text_s": None})


def test_memory_a_listener_is_the_slope() -> None:
    assert slope([(1, 320), (4, 380), (8, 460)]) == pytest.approx(20)
    assert slope([(3, 300)]) == 0


def test_picture_and_table_say_the_same_and_the_picture_says_it_in_words() -> None:
    picture = ElementTree.fromstring(draw(FOUND))
    name = "{http://www.w3.org/2000/svg}"
    assert picture.attrib["role"] == "img"
    description = picture.find(f"{name}desc")
    assert description is not None
    assert description.text == told(FOUND)
    assert "8 speaking: 2.50 s" in str(description.text)
    lines = "\n".join(report(FOUND))
    assert "2.50 s" in lines
    assert "backtalk: 4 speak at once" in lines
    assert "backtalk, replies heard out: 16 conversations at once" in lines


def test_sound_is_sent_as_fast_as_it_is_spoken() -> None:
    sent: list[tuple[float, int]] = []

    async def test() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def send(data: bytes) -> None:
            sent.append((loop.time() - begun, len(data)))

        await in_real_time(np.zeros(8_000, np.int16), send)

    asyncio.run(test())
    assert sum(size for _, size in sent) == 16_000
    assert all(at >= 0.1 * (number + 1) - 0.02 for number, (at, _) in enumerate(sent))  # never before it was spoken


def test_listeners_ask_a_server_and_lose_it() -> None:
    async def test() -> tuple[list[Asked], list[Asked]]:
        questions = [Recorded("a", np.full(1_600, 1_000, np.int16)), Recorded("b", np.full(3_200, 1_000, np.int16))]
        async with house() as one:
            port = one.port
            found = await ask_for(lambda number: WyomingListener(port, number), 3, questions, 0.0, warm=1)
        lost = await ask_for(lambda number: WyomingListener(port, number), 2, questions, 0.0)
        return found, lost

    found, lost = asyncio.run(asyncio.wait_for(test(), 60))
    assert {one.text for one in found} <= {"1 tenths", "2 tenths"}
    assert len(found) == 3
    assert all(one.text_s is not None and one.sound_s is not None and one.sound_s > one.text_s for one in found)
    assert [one.problem for one in lost] == ["ConnectionRefusedError"] * 2


def test_the_other_side_answers_as_vosk_server_does() -> None:
    class Decoder:
        def AcceptWaveform(self, data: bytes) -> bool:
            return data == b"end"

        def Result(self) -> str:
            return "result"

        def PartialResult(self) -> str:
            return "partial"

        def FinalResult(self) -> str:
            return "final"

    assert decode(Decoder(), b"sound") == ("partial", False)
    assert decode(Decoder(), b"end") == ("result", False)
    assert decode(Decoder(), '{"eof" : 1}') == ("final", True)


def test_the_plan_is_what_its_figures_say() -> None:
    measured = {
        "sound_before_s": 10.0,
        "processor_before_s": {
            "replicas of hearing": 2.0,
            "replicas of speaking": 0.1,
            "voice engines": 0.1,
            "front end": 0.1,
            "the rest of Ray": 5.0,
        },
    }
    cost = Cost.measured(measured)
    assert cost == Cost(0.2, 0.02, 0.01)
    assumed = Assumed(question_s=3.6, peak_sigmas=0, busy=0.5, machine_cores=8, ray_cores=0, spare_machines=1)
    found = need(10_000, 10, cost, assumed)
    assert found.speaking == pytest.approx(100)  # 100,000 questions of 3.6 s in 3600 s
    assert found.hearing_cores == pytest.approx(40)
    assert found.speaking_cores == pytest.approx(4)
    assert found.machines == 6 + 1
    assert found.in_mbit == pytest.approx(25.6)
    assert need(3, 10_000, cost, Assumed()).peak == 3  # no more people speak than there are
    lines = table([found], assumed)
    assert all(line.count("|") == 3 for line in lines)


def test_the_page_says_what_was_measured() -> None:
    page = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8").splitlines()
    pictures = ROOT / "docs" / "images"
    capacity = json.loads((pictures / "capacity.json").read_text(encoding="utf-8"))
    fleet = json.loads((pictures / "fleet.json").read_text(encoding="utf-8"))
    assumed = Assumed()
    needs = [need(10_000, an_hour, Cost.measured(fleet), assumed) for an_hour in (2, 6, 20, 60)]
    for line in [*report(capacity), *fleet_report(fleet), *table(needs, assumed)]:
        assert line in page
    assert (pictures / "capacity.svg").read_text(encoding="utf-8") == draw(capacity)
