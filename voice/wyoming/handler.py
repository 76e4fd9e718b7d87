"""One connection: events in, events out. It shares the services, and nothing of its own with another connection."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from wyoming.event import Event, async_write_event

from intents.heard import Heard
from intents.reply import Reply
from voice.errors import BacktalkError, InputError
from voice.frame import SAMPLE_RATE, Samples
from voice.speech import Clip
from voice.wyoming.conversations import Talker, context_back, conversation_id
from voice.wyoming.hearing import Format, Hearing, Pcm, TurnLost
from voice.wyoming.limits import Idle, ProtocolError, read_event, text_in
from voice.wyoming.services import Services

log = logging.getLogger(__name__)

SLICE = SAMPLE_RATE // 4
"""Samples decoded in one go: about 50 ms of work, then it is the next listener's turn."""
CHUNK_S = 0.1
"""Sound in one event that we send."""
DEVICE = ("louder", "quieter", "slower", "faster")
ELSEWHERE = "Here your assistant decides how loud and how fast I speak: please change it there."
"""Said in place of "Louder.": the loudspeaker isn't ours, and a promise that isn't kept is worse than none."""
BUSY = "I am listening to too many people at once. Please say it again in a moment."
NO_HEARING = "I can't hear here, because there is no speech model: please run backtalk setup, then start me again."
NO_VOICE = "I can't speak here, because no voice engine works: please install espeak-ng, then start me again."
LOST = "backtalk lost your words"
"""The transcript of a turn that was lost. Clients pass over errors while they wait for text, and then nobody says anything; this
comes back to be answered, and the answer says aloud what happened. Nobody says it of themselves."""
FAILED = "Something went wrong with that: please try it once more."


class Connection:
    """Runs until the client goes, is silent for too long, or sends what can't be trusted."""

    def __init__(
        self, services: Services, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        """address: of the client, without its port."""
        self._services = services
        self._reader = reader
        self._writer = writer
        self._address = address
        self._own: Talker | None = None
        """For events that name no conversation."""
        self._pcm: Pcm | None = None
        self._hearing: Hearing | None = None
        self._received_s = 0.0
        self._deaf = False
        """After sound that can't be used: the rest of it is passed over."""
        self._context: object = None
        self._handlers: dict[str, Callable[[Event], Awaitable[None]]] = {
            "describe": self._describe,
            "ping": self._ping,
            "transcribe": self._transcribe,
            "audio-start": self._audio_start,
            "audio-chunk": self._audio_chunk,
            "audio-stop": self._audio_stop,
            "transcript": self._transcript,
            "recognize": self._recognize,
            "synthesize": self._synthesize,
        }

    async def run(self) -> None:
        """Never raises, but for its own cancellation."""
        try:
            while (event := await read_event(self._reader, self._services.limits)) is not None:
                await self._handle(event)
                await asyncio.sleep(0)  # events that are already here must not keep the others waiting
        except ProtocolError as error:
            log.warning("%s: closed: %s", self._address, error.reason)
            await self._farewell(error)
        except Idle:
            log.info("%s: closed: nothing came", self._address)
        except (ConnectionError, asyncio.TimeoutError) as error:
            log.info("%s: lost: %s", self._address, type(error).__name__)
        finally:
            self._end_hearing()

    async def _handle(self, event: Event) -> None:
        handler = self._handlers.get(event.type)
        if handler is None:  # newer clients send more; the protocol says to pass over it
            return
        try:
            await handler(event)
        except (ProtocolError, ConnectionError, asyncio.TimeoutError):
            raise
        except BacktalkError as error:
            log.warning("%s: %s: %s", self._address, event.type, error.reason)
            await self._error(error)
        except Exception as error:  # noqa: BLE001 - a fault in one turn is told to its client, and ends nothing else
            where = traceback.extract_tb(error.__traceback__)[-1]  # not the message: it may hold what was said
            log.error("%s: %s failed: %s in %s", self._address, event.type, type(error).__name__, where.name)
            await self._error(BacktalkError(FAILED))

    # --- small things --------------------------------------------------------------------------------------------

    async def _describe(self, _: Event) -> None:
        await self._send(self._services.info)

    async def _ping(self, event: Event) -> None:
        has_text = event.data.get("text") is not None
        await self._send(Event("pong", {"text": text_in(event.data, self._services.limits) if has_text else None}))

    async def _send(self, event: Event) -> None:
        await asyncio.wait_for(async_write_event(event, self._writer), self._services.limits.event_s)

    async def _error(self, error: BacktalkError) -> None:
        await self._send(Event("error", {"text": str(error), "code": type(error).__name__}))

    async def _farewell(self, error: BacktalkError) -> None:
        try:
            await self._error(error)
        except (ConnectionError, asyncio.TimeoutError) as lost:
            log.info("%s: lost: %s", self._address, type(lost).__name__)

    # --- hearing -------------------------------------------------------------------------------------------------

    async def _transcribe(self, event: Event) -> None:
        self._context = event.data.get("context")

    async def _audio_start(self, event: Event) -> None:
        self._end_hearing()
        self._begin_hearing(event.data)

    async def _audio_chunk(self, event: Event) -> None:
        if self._deaf:
            return
        if self._pcm is None:
            self._begin_hearing(event.data)
        try:
            form = Format.of(event.data)
        except InputError:
            self._end_hearing(deaf=True)
            raise
        if self._pcm is None or self._hearing is None:
            return
        if form != self._pcm.format:
            self._end_hearing(deaf=True)
            raise InputError("The sound changed its format midway: please start again.", "format changed")
        data = event.payload or b""
        self._received_s += len(data) / (2 * form.channels * form.rate)
        if self._received_s > 2 * self._services.limits.audio_s:
            raise ProtocolError("sound that doesn't end")
        await self._decode(self._hearing, self._pcm.samples(data))

    async def _audio_stop(self, _: Event) -> None:
        hearing, pcm, deaf = self._hearing, self._pcm, self._deaf
        if hearing is None or pcm is None:
            self._end_hearing()
            if not deaf:
                await self._send_transcript(Heard(""))
            return
        try:
            await self._decode(hearing, pcm.samples(b"", last=True))
            heard = await self._services.decoding.run(hearing.finish)
        except TurnLost as error:
            log.warning("%s: a turn was lost: %s", self._address, error.reason)
            heard = Heard(LOST)
        finally:
            self._end_hearing()
        log.info("%s: heard %.1f s", self._address, hearing.seconds)
        self._services.recall.keep(self._address, heard)
        await self._send_transcript(heard)

    async def _send_transcript(self, heard: Heard) -> None:
        self._show("heard", heard.text)
        data: dict[str, Any] = {"text": heard.text, "language": "en"}
        await self._send(Event("transcript", self._with_context(data, self._context)))

    def _begin_hearing(self, data: Mapping[str, Any]) -> None:
        self._deaf = True
        form = Format.of(data)
        if self._services.listeners is None:
            raise InputError(NO_HEARING)
        if not self._services.listening.enter(self._address):
            raise InputError(BUSY, "too many utterances at once")
        self._deaf = False
        self._pcm = Pcm(form)
        self._hearing = Hearing(
            self._services.listeners, self._services.limits.audio_s, lambda heard: self._services.talker().reply(heard)
        )
        self._received_s = 0.0

    def _end_hearing(self, deaf: bool = False) -> None:
        if self._hearing is not None:
            self._services.listening.leave(self._address)
        self._hearing, self._pcm, self._deaf = None, None, deaf

    async def _decode(self, hearing: Hearing, samples: Samples) -> None:
        try:
            for start in range(0, len(samples), SLICE):
                await self._services.decoding.run(partial(hearing.feed, samples[start : start + SLICE]))
        except BaseException:  # whatever it was: half an utterance is no utterance
            self._end_hearing(deaf=True)
            raise

    # --- answering -----------------------------------------------------------------------------------------------

    async def _transcript(self, event: Event) -> None:
        """Text to answer, as Home Assistant's conversation agent sends it."""
        reply = await self._reply(event)
        text = _spoken(reply)
        kind = "not-handled" if reply.action == "reject" else "handled"
        await self._send(Event(kind, self._with_context({"text": text}, event.data.get("context"))))

    async def _recognize(self, event: Event) -> None:
        """Text whose meaning is asked for; the reply's text comes with it."""
        reply = await self._reply(event)
        data: dict[str, Any] = {"text": _spoken(reply)}
        kind = "not-recognized"
        if reply.action != "reject":
            kind = "intent"
            data["name"] = reply.urgent[0] if reply.action == "warn" else reply.intent or reply.action
            found = [("urgent", name) for name in reply.urgent] + [("choice", name) for name in reply.choices]
            data["entities"] = [{"name": name, "value": value} for name, value in found]
        await self._send(Event(kind, self._with_context(data, event.data.get("context"))))

    async def _reply(self, event: Event) -> Reply:
        text = text_in(event.data, self._services.limits)
        if text == LOST:
            self._services.recall.take(self._address, text)
            return Reply("reject", sentences=(self._services.lost,), expects_reply=True)
        name = conversation_id(event.data.get("context"))
        if name is None:
            talker = self._own = self._own or self._services.talker()
        else:
            talker = self._services.conversations.of(self._address, name)
        heard = self._services.recall.take(self._address, text) or Heard.from_text(text)
        reply = await self._services.thinking.run(lambda: talker.reply(heard))
        if self._services.speaking is not None:
            self._services.speaking.note(reply.sentences[: reply.urgent_sentences])
        log.info("%s: answered", self._address)
        self._show("asked", text)
        self._show("replied", reply.speech)
        return reply

    # --- speaking ------------------------------------------------------------------------------------------------

    async def _synthesize(self, event: Event) -> None:
        speaking = self._services.speaking
        if speaking is None:
            raise InputError(NO_VOICE)
        clips = speaking.clips(speaking.parts(text_in(event.data, self._services.limits)))
        form: dict[str, Any] | None = None
        while (clip := await self._services.speaking_in.run(lambda: next(clips, None))) is not None:
            if form is None:
                form = {"rate": clip.rate, "width": 2, "channels": 1}
                await self._send(Event("audio-start", {**form, "timestamp": 0}))
            await self._send_clip(clip, form)
        if form is None:  # nothing to say is a moment of silence: clients write a WAV file of what comes
            form = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}
            await self._send(Event("audio-start", {**form, "timestamp": 0}))
            await self._send(Event("audio-chunk", form, bytes(round(CHUNK_S * SAMPLE_RATE) * 2)))
        await self._send(Event("audio-stop", {"timestamp": None}))

    async def _send_clip(self, clip: Clip, form: dict[str, Any]) -> None:
        step = round(CHUNK_S * clip.rate)
        for start in range(0, len(clip.samples), step):
            payload = clip.samples[start : start + step].astype("<i2").tobytes()
            await self._send(Event("audio-chunk", form, payload))

    # --- the rest ------------------------------------------------------------------------------------------------

    @staticmethod
    def _with_context(data: dict[str, Any], context: object) -> dict[str, Any]:
        back = context_back(context)
        return data if back is None else {**data, "context": back}

    def _show(self, what: str, text: str) -> None:
        """Only where it was asked for: what people say about their health is nobody else's business."""
        if self._services.show_words:
            log.info("%s: %s: %s", self._address, what, text)


def _spoken(reply: Reply) -> str:
    """The reply's text: the warning first and whole, as the conversation made it."""
    if reply.action == "command" and reply.intent in DEVICE:
        return ELSEWHERE
    return reply.speech
