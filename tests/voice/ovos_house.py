"""A house with Open Voice OS in it: ovoscope's MiniCroft, which is ovos-core's own skill manager and intent service, on its FakeBus."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ovos_bus_client.message import Message
from ovos_bus_client.session import Session
from ovos_utils.log import LOG
from ovos_workshop.skills.ovos import OVOSSkill
from ovoscope import CaptureSession, get_minicroft

from voice.ovos import PIPELINE_ID, SKILL_ID
from voice.ovos.skill import BacktalkSkill

LOG.set_level("CRITICAL")  # its objects log while the interpreter goes down

OVOS = [
    "ovos-stop-pipeline-plugin-high",
    "ovos-converse-pipeline-plugin",
    "ovos-padacioso-pipeline-plugin-high",
    "ovos-fallback-pipeline-plugin-high",
    "ovos-stop-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-low",
]
"""ovos-config's default pipeline, less the stages whose packages aren't here; padacioso stands for padatious and adapt."""
FIRST = [PIPELINE_ID, *OVOS]
QUERY = [PIPELINE_ID, *OVOS[:3], "ovos-common-query-pipeline-plugin", *OVOS[3:]]
OTHER = "ovos-skill-notes.other"
NOTED = "Noted."
TURN_S = 60
ENDS = ("ovos.utterance.handled", f"{SKILL_ID}.stop.response")
"""ovos-core says nothing when a skill has stopped, but the skill does."""


class Notes(OVOSSkill):  # type: ignore[misc]  # untyped package
    """Some other skill, sure of everything that begins with "write down"."""

    def initialize(self) -> None:
        name = f"{OTHER}:note"
        data = {"name": name, "samples": ["write down {note}"], "lang": "en-US"}
        self.bus.emit(Message("padatious:register_intent", data, {"skill_id": OTHER}))
        self.add_event(name, self.note, "mycroft.skill.handler", is_intent=True)

    def note(self, message: Message) -> None:
        self.speak(NOTED)


@dataclass(frozen=True)
class Said:
    """One `speak` message."""

    text: str
    listens: bool
    """True when the microphone opens afterwards."""
    skill: str


class House:
    """Speaks to the assistant in several rooms; a session is carried from turn to turn, as a satellite carries it."""

    def __init__(self, croft: Any) -> None:
        self.croft, self._sessions = croft, dict[str, Session]()
        self.types: list[str] = []

    def say(self, *readings: str, room: str = "kitchen", lang: str = "en-US") -> list[Said]:
        """What is spoken in answer to an utterance."""
        session = self._sessions.setdefault(room, Session(room, lang=lang))
        context = {"session": session.serialize(), "source": "room", "destination": "skills"}
        return self.send(Message("recognizer_loop:utterance", {"utterances": readings, "lang": lang}, context), room)

    def send(self, message: Message, room: str = "kitchen") -> list[Said]:
        capture = CaptureSession(self.croft, eof_msgs=list(ENDS))
        capture.capture(message, timeout=TURN_S)
        messages = capture.finish()
        if not capture.done.is_set():
            raise TimeoutError(f"nobody handled {message.data}")
        self.types = [one.msg_type for one in messages]
        for one in messages:
            if one.context.get("session", {}).get("session_id") == room:
                self._sessions[room] = Session.deserialize(one.context["session"])
        return _spoken(messages)

    def silence(self, room: str = "kitchen") -> list[Said]:
        """The microphone was open, and nobody said a word."""
        heard: list[Message] = []
        spoke = threading.Event()

        def keep(message: Message) -> None:
            heard.append(message)
            spoke.set()

        self.croft.bus.on("speak", keep)
        context = {"session": self._sessions[room].serialize()}
        self.croft.bus.emit(Message("mycroft.speech.recognition.unknown", {}, context))
        spoke.wait(1)
        self.croft.bus.remove("speak", keep)
        return _spoken(heard)


def _spoken(messages: list[Message]) -> list[Said]:
    return [
        Said(one.data["utterance"], one.data["expect_response"], one.data["meta"]["skill"])
        for one in messages
        if one.msg_type == "speak"
    ]


@contextmanager
def house(pipeline: list[str], backtalk: bool = True) -> Iterator[House]:
    skills: dict[str, Any] = {OTHER: Notes, **({SKILL_ID: BacktalkSkill} if backtalk else {})}
    croft = get_minicroft([], extra_skills=skills, default_pipeline=pipeline, lang="en-US")
    try:
        yield House(croft)
    finally:
        croft.stop()
