"""The loop at work: a microphone's frames in, its effects carried out by the mouth. Devices may come and go."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from intents.reply import Reply
from voice.effects import Cue, Effect, Hush, Keep, OtherVoice, Say, Told
from voice.errors import BacktalkError, DeviceError
from voice.frame import Samples
from voice.gain import Gain
from voice.loop import Loop
from voice.mouth import Mouth
from voice.settings import Settings
from voice.tts import VoiceInfo

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds between two tries to open a lost device."""
THINKING_S = 0.6
"""Longer than this nobody waits without a sign of life."""
STALLED_S = 15.0
"""A step that takes longer will not come back: the recognizer hangs."""

LOST = "I lost the microphone. I go on as soon as it is back."
BACK = "I can hear you again."
STALLED = "I am stuck and have to start again."


class OpenMicrophone(Protocol):
    """Gives frames; see voice.mic.Microphone."""

    def read(self) -> Samples:
        """The next frame. Raises DeviceError when the device was lost, EOFError at the end of a recording."""

    @property
    def waiting(self) -> int:
        """Frames that are there and have not been read."""


class Session:
    """One person's conversation at one microphone and one loudspeaker, until it is stopped."""

    def __init__(
        self,
        loop: Loop,
        mouth: Mouth,
        microphone: Callable[[], AbstractContextManager[OpenMicrophone]],
        settings: Settings,
        *,
        keep: Callable[[Settings], None],
        tell: Callable[[str], None],
        show: Callable[[Told], None] | None = None,
        alive: Callable[[], object] = lambda: None,
        voices: Callable[[], tuple[VoiceInfo, ...]] = tuple,
    ) -> None:
        """keep: stores settings; tell: shows a person a sentence about devices; show: shows what was said, if wanted;
        alive: called about once a second while everything works; voices: what "the other voice" chooses from.
        """
        self._loop = loop
        self._mouth = mouth
        self._microphone = microphone
        self._settings = settings
        self._keep = keep
        self._tell = tell
        self._show = show
        self._alive = alive
        self._voices = voices
        self._stop = threading.Event()
        self._key = threading.Event()
        self._gain = Gain()
        self._saying = ""
        self._prepared: Reply | None = None
        self._spoke = False
        self._lost = False
        self._busy_since: float | None = None
        self._alive_at = 0.0

    def stop(self) -> None:
        """Ends `run` soon; may be called from a signal handler or another thread."""
        self._stop.set()

    def press(self) -> None:
        """A key was pressed: wakes or interrupts. May be called from another thread."""
        self._key.set()

    def run(self, opening: Reply | None = None, give_up: Callable[[], None] | None = None) -> None:
        """Listens and answers until `stop`. opening: said first; give_up: called when a step hangs for good."""
        watcher = threading.Thread(target=self._watch, args=(give_up,), name="watch", daemon=True)
        watcher.start()
        while not self._stop.is_set():
            try:
                with self._microphone() as microphone:
                    if self._lost:
                        self._back()
                    if opening is not None:
                        self._perform(self._loop.say(opening))
                        opening = None
                    while not self._stop.is_set():
                        self._step(microphone.read(), microphone.waiting)
            except EOFError:
                return  # a recording has an end
            except DeviceError as error:
                self._lose(error)
                self._still_alive()
                self._stop.wait(RETRY_S)

    def _step(self, frame: Samples, behind: int) -> None:
        self._busy_since = time.monotonic()
        self._listen_to_mouth(len(frame) + behind)
        if self._key.is_set():
            self._key.clear()
            self._perform(self._loop.wake())
        self._perform(self._loop.feed(self._gain(frame)))
        if (likely := self._loop.likely) is not None and likely is not self._prepared:
            self._prepared = likely
            self._mouth.prepare(likely.sentences, likely.urgent_sentences)
        self._busy_since = None
        self._still_alive()

    def _still_alive(self) -> None:
        now = time.monotonic()
        if now - self._alive_at >= 1.0:
            self._alive_at = now
            self._alive()

    def _listen_to_mouth(self, behind: int) -> None:
        saying, speaking = self._mouth.saying, self._mouth.speaking
        if saying and saying != self._saying:
            self._loop.saying(saying, behind)
        self._saying = saying
        if self._spoke and not speaking:
            self._spoke = False
            try:
                self._mouth.wait(0)
            except BacktalkError as error:  # the mouth has said it, if it could
                log.warning("a reply was not heard: %s", error.reason)
                self._tell(str(error))
            self._perform(self._loop.silent(behind))
        else:
            self._spoke = speaking

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Say):
                self._mouth.say(effect.reply.sentences, effect.reply.urgent_sentences)
                self._spoke = True
            elif isinstance(effect, Hush):
                self._mouth.stop()
            elif isinstance(effect, Cue):
                self._try_cue(effect)
            elif isinstance(effect, Told):
                if self._show is not None:
                    self._show(effect)
            elif isinstance(effect, Keep):
                self._use(effect.settings)
            else:
                self._other_voice(effect)

    def _try_cue(self, effect: Cue) -> None:
        try:
            self._mouth.cue(effect.name)
        except DeviceError as error:
            log.warning("cue not heard: %s", error.reason)

    def _use(self, settings: Settings) -> None:
        self._settings = settings
        self._mouth.settings = settings
        self._loop.apply(settings)
        try:
            self._keep(settings)
        except BacktalkError as error:
            log.warning("settings not kept: %s", error.reason)
            self._tell(str(error))

    def _other_voice(self, _effect: OtherVoice) -> None:
        try:
            names = [voice.id for voice in self._voices()]
        except BacktalkError as error:
            log.warning("no voices: %s", error.reason)
            return
        if names:
            now = names.index(self._settings.voice) if self._settings.voice in names else -1
            self._use(replace(self._settings, voice=names[(now + 1) % len(names)]))

    def _lose(self, error: DeviceError) -> None:
        if self._lost:
            return
        self._lost, self._busy_since = True, None
        log.warning("microphone: %s", error.reason)
        self._tell(f"{error} {LOST}")
        self._mouth.say([LOST])

    def _back(self) -> None:
        self._lost = False
        log.warning("microphone: back")
        self._tell(BACK)
        self._perform(self._loop.say(Reply("command", sentences=(BACK,))))

    def _watch(self, give_up: Callable[[], None] | None) -> None:
        """Gives a sign of life when a step takes long, and an end to one that hangs."""
        cued: float | None = None
        while not self._stop.wait(0.1):
            since = self._busy_since
            if since is None:
                continue
            busy = time.monotonic() - since
            if busy > THINKING_S and cued != since and not self._mouth.speaking:
                cued = since
                self._try_cue(Cue("thinking"))
            if busy > STALLED_S and give_up is not None:
                log.error("the recognizer hangs for %.0f s", busy)
                self._mouth.say([STALLED])
                self._mouth.wait(5)
                give_up()
                return
