"""What was meant: every reading of an utterance → probabilities and danger signs. Loaded once, read-only, shared by all conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from intents.clauses import clauses, windows
from intents.encoder import Encoder
from intents.head import Head
from intents.heard import Heard
from intents.hints import Hints, hints_for
from intents.names import named
from intents.pack import Fault, Pack, PackError, bundled, load_packs
from intents.schema import PROVIDER_SOON, URGENT
from intents.text import normalise, without_fillers
from intents.urgent import Sign, UrgentRules
from intents.warning import SELF_HARM

ENCODER = Path(__file__).parent / "data" / "encoder.npz"
HEAD = "head.npz"
"""In a pack's folder: what was learned from its wordings (`backtalk pack compile`)."""

ALTERNATIVES = 3
"""Other readings looked at, besides the best and the biased one."""
WEIGHTS = {"best": 0.6, "other": 0.25, "biased": 0.15}
"""How much each reading says about what was asked; what is missing goes to the best."""

WARN = 0.30
"""Probability of all danger signs together, of the best reading, from which the warning is given."""
WARN_OTHER = 0.60
"""The same for another reading of the free decode."""
WARN_PART = 0.75
"""The same for a part of the utterance: a part lacks what is around it."""
ASK = 0.12
"""From here, and below the warning, the person is asked back."""
SOON = 0.45
"""Probability from which `provider_soon` counts."""


@dataclass(frozen=True, slots=True)
class Danger:
    """What the utterance says about danger."""

    ids: tuple[str, ...] = ()
    """urgent_* and provider_soon ids found, most certain first."""
    said: tuple[str, ...] = ()
    """What was heard, turned round ("your leg went numb"), where a rule could tell."""
    kind: str = ""
    """Which rule told, for warnings of their own kind (`self_harm`); empty when none did."""
    maybe: tuple[str, ...] = ()
    """Ids too likely to ignore and not likely enough to warn: ask back."""
    general: bool = False
    """True when signs were only asked about or imagined."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an utterance means, for one pack."""

    pack: str
    probabilities: Mapping[str, float]
    """Every label → probability, over all readings."""
    named: bool
    """True when the pack's condition was named."""

    def best(self, labels: Sequence[str]) -> list[tuple[str, float]]:
        """The labels with their probabilities, best first."""
        return sorted(((label, self.probabilities.get(label, 0.0)) for label in labels), key=lambda pair: -pair[1])


class Understander:
    """Loads packs, encoder, heads and rules once. All methods are pure."""

    def __init__(self, packs: Sequence[Pack], encoder: Encoder, heads: Sequence[Head], rules: UrgentRules) -> None:
        self.packs = tuple(packs)
        self._encoder, self._heads, self._rules = encoder, tuple(heads), rules

    @classmethod
    def load(cls, paths: Sequence[Path] | None = None) -> Understander:
        """The packs in these folders, the bundled first one when None. Raises PackError."""
        packs = load_packs(tuple(paths) if paths else bundled()[:1])
        heads = []
        for pack in packs:
            try:
                heads.append(Head.load(pack.folder / HEAD))
            except (OSError, ValueError, KeyError) as error:
                reason = f"the pack has not been compiled; run backtalk pack compile {pack.folder} ({error})"
                raise PackError([Fault(pack.folder / HEAD, "", reason)]) from error
        return cls(packs, Encoder.load(ENCODER), heads, UrgentRules.load(_rule_folders(packs)))

    @cached_property
    def hints(self) -> Hints:
        """What hearing may use of the packs."""
        return hints_for(self.packs)

    def meanings(self, heard: Heard) -> tuple[Meaning, ...]:
        """One for each pack, over all readings of what was heard."""
        readings = _weighted(heard)
        if not readings:
            return ()
        vectors = self._encoder.encode([text for text, _ in readings])
        weights = np.array([weight for _, weight in readings], np.float32)
        return tuple(
            Meaning(pack.id, _as_mapping(head, weights @ head.probabilities(vectors)), named(pack, readings[0][0]))
            for pack, head in zip(self.packs, self._heads, strict=True)
        )

    def parts(self, text: str) -> list[tuple[str, Meaning]]:
        """The clauses of a text, each understood by itself, for the first pack that says something about it."""
        found = clauses(without_fillers(normalise(text)))
        return [(part, meaning) for part in found for meaning in self.meanings(Heard.from_text(part))[:1]]

    def danger(self, heard: Heard) -> Danger:
        """Danger signs in any reading: the rules first, then what was learned. One reading is enough."""
        readings = [normalise(text) for text in (heard.text, *heard.alternatives[:ALTERNATIVES])]
        readings = list(dict.fromkeys(filter(None, readings)))
        if not readings:
            return Danger()
        signs = [sign for text in readings for sign in self._rules.find(text)]
        if not signs and (biased := normalise(heard.biased)):
            # The biased decode invents domain words: it counts only when the free one leans the same way.
            signs = [sign for sign in self._rules.find(biased) if self._likely(readings[0], sign.id) >= ASK / 2]
        learned, maybe = self._learned(readings)
        quiet = self._rules.suppressed(readings[0])
        learned = [name for name in learned if not _denied(name, quiet)]
        ids = list(dict.fromkeys([sign.id for sign in sorted(signs, key=lambda sign: -sign.certainty)] + learned))
        if any(name in URGENT for name in ids):
            ids = [name for name in ids if name != PROVIDER_SOON]
        said = tuple(dict.fromkeys(sign.said for sign in signs if sign.said and sign.id in ids))
        kind = SELF_HARM if any(sign.rule.startswith(SELF_HARM) for sign in signs) else ""
        general = any(sign.reason in ("general", "hypothetical") for sign in quiet)
        return Danger(tuple(ids), said, kind, () if ids else tuple(maybe), general)

    def _likely(self, text: str, name: str) -> float:
        vectors = self._encoder.encode([text])
        return max(float(_as_mapping(head, head.probabilities(vectors)[0]).get(name, 0.0)) for head in self._heads)

    def _learned(self, readings: Sequence[str]) -> tuple[list[str], list[str]]:
        """Ids to warn of, and ids to ask back about, by what was learned."""
        parts = [*clauses(readings[0]), *windows(readings[0])]
        texts = [*readings, *parts]
        limits = [WARN] + [WARN_OTHER] * (len(readings) - 1) + [WARN_PART] * len(parts)
        vectors = self._encoder.encode(texts)
        warn: dict[str, float] = {}
        maybe: dict[str, float] = {}
        for head in self._heads:
            probabilities = head.probabilities(vectors)
            columns = [head.labels.index(name) for name in URGENT if name in head.labels]
            danger = probabilities[:, columns]
            for row, limit in zip(danger, limits, strict=True):
                name = head.labels[columns[int(row.argmax())]]
                if row.sum() >= limit:
                    warn[name] = max(warn.get(name, 0.0), float(row.sum()))
            if danger[0].sum() >= ASK:
                maybe[head.labels[columns[int(danger[0].argmax())]]] = float(danger[0].sum())
            if not warn and PROVIDER_SOON in head.labels:
                soon = float(probabilities[0, head.labels.index(PROVIDER_SOON)])
                if soon + danger[0].sum() >= SOON and soon > 0.1:
                    warn[PROVIDER_SOON] = soon
        return sorted(warn, key=lambda name: -warn[name]), sorted(maybe, key=lambda name: -maybe[name])


def _rule_folders(packs: Sequence[Pack]) -> list[Path]:
    """The folders whose danger signs hold: those of all packs, and of the packs that they share."""
    shared = [pack.folder.parent / name for pack in packs for name in pack.about.shares]
    return list(dict.fromkeys([*(pack.folder for pack in packs), *shared]))


def _denied(name: str, quiet: Sequence[Sign]) -> bool:
    """Only an explicit denial of that very sign takes a learned warning back."""
    return any(sign.id == name and sign.reason == "denied" for sign in quiet)


def _weighted(heard: Heard) -> list[tuple[str, float]]:
    """Normalised readings with weights that add up to 1."""
    best = without_fillers(normalise(heard.text))
    if not best:
        return []
    others = [without_fillers(normalise(text)) for text in heard.alternatives[:ALTERNATIVES]]
    others = [text for text in dict.fromkeys(others) if text and text != best]
    biased = without_fillers(normalise(heard.biased))
    readings = [(text, WEIGHTS["other"] / len(others)) for text in others]
    if biased and biased != best:
        readings.append((biased, WEIGHTS["biased"]))
    return [(best, 1.0 - sum(weight for _, weight in readings)), *readings]


def _as_mapping(head: Head, row: npt.NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(head.labels, map(float, row), strict=True))
