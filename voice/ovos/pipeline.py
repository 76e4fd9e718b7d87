"""A stage for the head of Open Voice OS's pipeline: danger signs, ahead of stop, converse and every skill's intents."""

from __future__ import annotations

from typing import Any

from ovos_bus_client.message import Message
from ovos_bus_client.session import SessionManager
from ovos_plugin_manager.templates.pipeline import IntentHandlerMatch, PipelinePlugin

from intents.conversation import ConversationSettings
from voice.ovos import DANGER, PING, PONG, SKILL_ID
from voice.ovos.claims import Door, claims, heard_from
from voice.ovos.sessions import folders, mind, understander

ANSWER_S = 0.5
"""Seconds in which the skill must say that it is there: as long as Open Voice OS waits for its own pings."""


class DangerPipeline(PipelinePlugin):  # type: ignore[misc]  # untyped package
    """Stateless: it knows no session's conversation, so that it works where skills run in processes of their own."""

    def __init__(self, bus: Any = None, config: dict[str, Any] | None = None) -> None:
        super().__init__(bus, config)
        self._understander = understander(folders(self.config.get("packs")))

    def match(self, utterances: list[str], lang: str, message: Message) -> IntentHandlerMatch | None:
        """The skill as the one to handle it, when a danger sign was said for certain; else None."""
        heard = heard_from(utterances)
        if not heard.text or not lang.lower().startswith("en"):
            return None
        session = SessionManager.get(message)
        if SKILL_ID in session.blacklisted_skills:
            return None
        reply = mind(self._understander, ConversationSettings()).reply(heard)
        if not claims(reply, Door.FIRST, named=False):
            return None
        if self.bus.wait_for_response(message.forward(PING), PONG, timeout=ANSWER_S) is None:
            return None  # nobody would warn: the other stages may still know what to do
        return IntentHandlerMatch(
            match_type=DANGER,
            match_data={"utterances": list(utterances)},
            skill_id=SKILL_ID,
            utterance=heard.text,
            updated_session=session,
        )
