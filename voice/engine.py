"""Everything costly, loaded once and at the same time: the speech model, what the pack understands, the voice."""

from __future__ import annotations

import importlib
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice.errors import BacktalkError
from voice.mind import Mind
from voice.settings import Settings

if TYPE_CHECKING:
    from intents.understand import Understander
    from voice.model import SpeechModel
    from voice.stt import Recognizer


class Engine:
    """Starts to load what is needed as soon as it is made; each part is waited for when it is first used.

    The parts raise BacktalkError when they are used, not before: without a model typed questions still have answers.
    """

    def __init__(
        self,
        settings: Settings,
        model: Path | None = None,
        packs: tuple[Path, ...] = (),
        hears: bool = True,
        encoder: Path | None = None,
    ) -> None:
        """encoder: another one than the product's, to measure what writers who were left out of it would get."""
        self.settings = settings
        _import_parts(hears)
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="load")
        self._understander: Future[Understander] = self._pool.submit(_load_understander, packs, encoder)
        self._model: Future[SpeechModel] | None = (
            self._pool.submit(_load_model, model, self._understander) if hears else None
        )

    @property
    def understander(self) -> Understander:
        """Blocks until it is loaded. Raises BacktalkError."""
        return self._understander.result()

    @property
    def model(self) -> SpeechModel:
        """Blocks until it is loaded. Raises ModelError, or ValueError for an engine without hearing."""
        if self._model is None:
            raise ValueError("this engine was made without hearing")
        return self._model.result()

    def ready(self, timeout_s: float) -> bool:
        """Waits for everything to be loaded; False when the time ran out first."""
        parts: list[Future[Any]] = [self._understander, *([self._model] if self._model is not None else [])]
        return not wait(parts, timeout_s).not_done

    def stops(self, text: str) -> float:
        """Probability that people stop after these words."""
        return self.understander.stops(text.lower())

    def recognizer(self) -> Recognizer:
        """A new recognizer for one listener."""
        from voice.stt import Recognizer

        return Recognizer(self.model)

    def mind(self) -> Mind:
        """A new conversation with one listener."""
        from intents.conversation import Conversation, ConversationSettings

        chosen = ConversationSettings(
            emergency_number=self.settings.emergency_number, crisis_line=self.settings.crisis_line
        )
        return Mind(Conversation(self.understander, chosen), (self.understander, *self.understander.packs, chosen))

    def close(self) -> None:
        """Ends loading; what was loaded stays usable."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _import_parts(hears: bool) -> None:
    """Before any thread starts: packages whose modules import each other break when two threads import them at once."""
    parts = ["intents.conversation", "intents.understand"]
    for part in [*parts, *(["vosk", "voice.stt", "voice.prepare", "voice.vad", "voice.audio"] if hears else [])]:
        importlib.import_module(part)


def _load_understander(packs: tuple[Path, ...], encoder: Path | None) -> Understander:
    from intents.pack import PackError
    from intents.understand import ENCODER, Understander
    from intents.urgent_schema import UrgentRulesError

    try:
        return Understander.load(packs or None, encoder or ENCODER)
    except (PackError, UrgentRulesError) as error:
        raise BacktalkError(
            "The pack of answers can't be used: please run backtalk pack check on it.", str(error)
        ) from error


def _load_model(explicit: Path | None, understander: Future[Understander]) -> SpeechModel:
    """Fetches and teaches the published model the first time, with its progress on standard error."""
    from voice.model import load_model
    from voice.prepare import taught_model
    from voice.progress import ShownProgress

    with ShownProgress() as progress:
        return load_model(taught_model(explicit, understander.result().sentences, progress))
