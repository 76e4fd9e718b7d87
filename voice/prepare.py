"""The speech model as the program uses it: fetched if need be, then taught the wordings of the packs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from voice.errors import ModelError
from voice.model import ensure_model, models_folder
from voice.orders import with_orders
from voice.progress import Progress, silent

log = logging.getLogger(__name__)


def adapted_folder() -> Path:
    """Where taught models are kept, beside the published one."""
    return models_folder() / "adapted"


def taught_model(explicit: Path | None, sentences: Sequence[str], progress: Progress = silent) -> Path:
    """What the program hears with: the model taught the packs' wordings and those of the orders. As prepared_model."""
    return prepared_model(explicit, with_orders(sentences), progress)


def prepared_model(explicit: Path | None, sentences: Sequence[str], progress: Progress = silent) -> Path:
    """The folder to load: the model (see ensure_model), its language model taught `sentences`.

    Takes seconds the first time and again after the wordings have changed, else none. A model that can't be taught is
    used as it is, and `progress` is told so. Raises ModelError when there is no model.
    """
    plain = ensure_model(explicit, progress)
    if not sentences:
        return plain
    from voice.lm import LanguageModelError, ensure_adapted

    try:
        return ensure_adapted(plain, tuple(sentences), adapted_folder(), progress)
    except (LanguageModelError, ModelError) as error:
        log.warning("plain language model used: %s", error.reason)
        progress(f"{error} I go on with the plain model")
        return plain
