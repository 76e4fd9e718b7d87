"""The skill: which door an utterance came through, whose session it is, and how its reply is spoken."""

from __future__ import annotations

import logging
from typing import Any

from ovos_bus_client.message import Message, dig_for_message
from ovos_bus_client.session import Session, SessionManager
from ovos_config.config import Configuration
from ovos_workshop.decorators import common_query, fallback_handler
from ovos_workshop.skills.converse import ConversationalSkill
from ovos_workshop.skills.fallback import FallbackSkill

from intents.conversation import ConversationSettings
from intents.heard import Heard
from intents.reply import Reply
from voice.errors import BacktalkError
from voice.mind import Mind
from voice.ovos import DANGER, PING, PIPELINE_ID, PONG
from voice.ovos.claims import Door, called, claims, confidence, heard_from
from voice.ovos.sessions import Listener, Sessions, folders, mind, names_a_condition, understander
from voice.settings import load_settings, parse_settings

log = logging.getLogger(__name__)

PRIORITY = 4
"""Of the fallback: within the high ones (up to 5), before any skill's medium-confidence guess."""
DOUBT_WAIT_S = 20
"""Seconds after "did you say that ...?" from which no answer counts as a yes."""
ASKS = "First I have a question."
"""Said by common query, which can't listen, before a question back that can."""
CONTACTS = ("emergency_number", "crisis_line")
UNKNOWN = "mycroft.speech.recognition.unknown"
"""Bus message of the listener: the microphone was open and nothing was understood."""


class BacktalkSkill(FallbackSkill, ConversationalSkill):  # type: ignore[misc]  # untyped packages
    """Warns of danger signs, answers questions that name a condition, and continues its own conversations."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._sessions = Sessions(self._new_mind)  # before messages may arrive
        super().__init__(*args, **kwargs)

    def initialize(self) -> None:
        """Loads what is costly. A pack that can't be used is said, for who can't see the log, and the skill isn't loaded."""
        try:
            self._load()
        except BacktalkError as error:
            log.error("%s", error.reason)
            self.speak(str(error))
            raise
        if PIPELINE_ID not in Configuration().get("intents", {}).get("pipeline", []):
            log.warning("%s is not in intents.pipeline: other skills may take a danger sign first", PIPELINE_ID)
        self.add_event(DANGER, self.handle_danger, "mycroft.skill.handler", activation=True, is_intent=True)
        self.add_event(PING, self._pong, speak_errors=False)
        self.add_event(UNKNOWN, self.handle_no_answer, speak_errors=False)

    def _load(self) -> Any:
        return understander(folders(self.settings.get("packs")))

    def _new_mind(self) -> Mind:
        """Numbers from the skill's settings.json, else from Backtalk's own settings."""
        problems: list[str] = []
        own = {name: self.settings[name] for name in CONTACTS if self.settings.get(name)}
        chosen, base = parse_settings(own, problems), load_settings()
        for problem in problems:
            log.warning("settings.json: %s", problem)
        numbers = {name: getattr(chosen if name in own else base, name) for name in CONTACTS}
        return mind(self._load(), ConversationSettings(**numbers))

    # --- doors --------------------------------------------------------------------------------------------------

    def handle_danger(self, message: Message) -> None:
        """The pipeline stage found a danger sign."""
        self._respond(message)

    def can_converse(self, message: Message) -> bool:
        """OVOS asks whether the utterance continues our conversation."""
        return self._mine(message, Door.CONVERSE)

    def converse(self, message: Message) -> bool:
        """It does: answer."""
        self._respond(message)
        return True

    def can_answer(self, message: Message) -> bool:
        """OVOS asks whether the utterance that no skill wanted is for us."""
        return self._mine(message, Door.FALLBACK)

    @fallback_handler(priority=PRIORITY)  # type: ignore[misc, untyped-decorator, unused-ignore]
    def handle_fallback(self, message: Message) -> bool:
        """It is: answer."""
        self.activate()  # the fallback stage doesn't, and what is said next may continue this
        self._respond(message)
        return True

    def handle_query_chosen(self, phrase: str, answer: str, lang: str) -> None:
        """Common query has begun to speak our answer: the conversation goes on from it."""
        message = dig_for_message()
        heard = heard_from([phrase])
        listener = self._listener(message)
        with listener.lock:
            reply = listener.reply(called(heard) or heard)
        if rest := reply.sentences[_by_common_query(reply) :]:
            self.speak(" ".join(rest), expect_response=reply.expects_reply)
        self._await_answer(listener, message)

    @common_query(callback=handle_query_chosen)  # type: ignore[misc, untyped-decorator, unused-ignore]
    def match_common_query(self, phrase: str, lang: str) -> tuple[str, float] | None:
        """What to say and how sure it is; None when the question isn't for Backtalk."""
        message = dig_for_message()
        heard = heard_from([phrase])
        if not lang.lower().startswith("en") or not heard.text:
            return None
        reply, mine = self._judge(self._listener(message), heard, Door.COMMON_QUERY)
        if not mine or not reply.sentences:
            return None
        spoken = reply.sentences[: _by_common_query(reply)] or (ASKS,)
        return " ".join(spoken), confidence(reply, addressed=called(heard) is not None)

    def handle_no_answer(self, message: Message) -> None:
        """Nobody answered "did you say that ...?": that is no no."""
        listener = self._listener(message)
        with listener.lock:
            if not listener.wanted.doubt:
                return
            reply = listener.idle()
        self._say(reply)

    # --- stop ---------------------------------------------------------------------------------------------------

    def can_stop(self, message: Message) -> bool:
        """While it speaks or waits for an answer; at other times "stop" is for somebody else."""
        wanted = self._listener(message).wanted
        return wanted.reply or wanted.doubt or bool(SessionManager.is_speaking(SessionManager.get(message)))

    def stop_session(self, session: Session) -> bool:
        """True when something was stopped. "Stop" is no clear no to a question about a danger sign: then it warns."""
        listener = self._sessions.of(session.session_id)
        with listener.lock:
            active = listener.wanted.reply or bool(SessionManager.is_speaking(session))
            reply = listener.reply(Heard.from_text("stop"))
        if reply.action == "warn":
            self._say(reply)
            return False  # else Open Voice OS would cut the warning off
        return active

    # --- the conversation ---------------------------------------------------------------------------------------

    def _listener(self, message: Message | None) -> Listener:
        return self._sessions.of(SessionManager.get(message).session_id)

    def _mine(self, message: Message, door: Door) -> bool:
        heard = heard_from(message.data.get("utterances") or ())
        english = str(message.data.get("lang") or self.lang).lower().startswith("en")
        return bool(heard.text) and english and self._judge(self._listener(message), heard, door)[1]

    def _judge(self, listener: Listener, heard: Heard, door: Door) -> tuple[Reply, bool]:
        """What would be said, and whether it may be. The conversation stays as it is."""
        said = called(heard)
        with listener.lock:
            reply = listener.mind.peek(said or heard)
            named = names_a_condition(self._load(), heard)
            return reply, said is not None or claims(reply, door, named=named, wanted=listener.wanted)

    def _respond(self, message: Message) -> None:
        listener = self._listener(message)
        heard = heard_from(message.data.get("utterances") or ())
        with listener.lock:
            reply = listener.reply(called(heard) or heard)
        self._say(reply)
        if reply.ends:
            self.deactivate()
        self._await_answer(listener, message)

    def _say(self, reply: Reply) -> None:
        """A warning first, as one piece that no other skill's speech can come into, and to its end before anything else."""
        warning, rest = reply.sentences[: reply.urgent_sentences], reply.sentences[reply.urgent_sentences :]
        if warning:
            text = " ".join(warning)
            self.speak(text, expect_response=reply.expects_reply and not rest, wait=_patience_s(text))
        if rest:
            self.speak(" ".join(rest), expect_response=reply.expects_reply)

    def _await_answer(self, listener: Listener, message: Message | None) -> None:
        """Sees to it that a doubt ends in a warning where the listener's own message about silence doesn't come."""
        if listener.wanted.doubt and message is not None:
            name = f"doubt.{SessionManager.get(message).session_id}"
            self.cancel_scheduled_event(name)
            self.schedule_event(self.handle_no_answer, DOUBT_WAIT_S, name=name, context=dict(message.context))

    def _pong(self, message: Message) -> None:
        self.bus.emit(message.reply(PONG))


def _by_common_query(reply: Reply) -> int:
    """How many sentences common query itself may speak: those before the one that needs an answer, a warning alone."""
    return reply.urgent_sentences or (0 if reply.expects_reply else len(reply.sentences))


def _patience_s(text: str) -> int:
    """Seconds to wait for the end of a text: slow speech, and the time a voice takes to begin."""
    return 5 + len(text.split()) // 2
