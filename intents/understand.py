"""What was meant: every reading of an utterance → probabilities and danger signs. Loaded once, read-only, shared by all conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from intents.clauses import clauses
from intents.encoder import Encoder
from intents.grams import hashed
from intents.head import Head, Probabilities, softmax
from intents.heard import Heard
from intents.names import named as is_named
from intents.pack import Fault, Pack, PackError, bundled, load_packs, shared_folder, texts_to_teach
from intents.schema import PROVIDER_SOON, URGENT
from intents.text import normalise, without_fillers
from intents.urgent import Sign, UrgentRules
from intents.warning import SELF_HARM

ENCODER = Path(__file__).parent / "data" / "encoder.npz"
HEAD = "head.npz"
"""In a pack's folder: what was learned from its wordings (`backtalk pack compile`)."""

ALTERNATIVES = 3
"""Other readings looked at, besides the best."""
OTHERS = 0.25
"""How much all other readings together say about what was asked; the rest says the best."""

FAINT = 1.0
"""Temperature at which danger signs are judged, whatever the head's own: faint ones stay visible."""
WARN = 0.20
"""Probability of all danger signs together, of the best reading, from which the warning is given."""
WARN_HEARD = 0.50
"""The same where the words were heard, not typed: a garbled sentence looks a little like a danger more often than a danger looks only a little like one.
Between ASK and this the person is asked back."""
FEW_WORDS, WARN_FEW = 2, 0.60
"""So few words are often the rest of something misheard: they must say it more clearly ("numb" does)."""
WARN_OTHER, ASK_OTHER = 0.90, 0.70
"""To warn, and to ask back, by another reading of the free decode: of several misreadings one easily sounds like a danger."""
WARN_PART = 0.90
"""The same for a part of the utterance: a part lacks what is around it."""
WHOLE = 0.05
"""What the best reading, all of it, must give the danger signs at least, for a part or another reading of it to warn. Else it is asked back about:
of ten recordings in noise that only another reading warned of, eight told of no danger, and of those seven gave the signs less."""
WARN_SECOND = 0.97
"""The same by a pack that shares the danger wordings of another one that is loaded, too."""
WELL_HEARD = 0.90
"""Mean confidence of the words from which nothing is taken off for the hearing."""
BESIDE, BESIDE_WORDS = 0.50, 3
"""Probability of danger in what was said beside a denial from which the denial takes nothing back ("my bladder isn't weak, it lets go by itself"),
and words that this needs at least: two of three signs in 1,347 that a denial had hidden were found so, and no warning more was given at 5,840 others."""
RULE_FLOOR = 0.05
"""A rule's sign is warned of when what was learned gives danger at least this much, and else asked back about."""
RULE_FLOOR_HEARD = 0.25
"""The same for the best reading of what was heard ("a triple shot of dark roast" came out as "a dribble"); for others it is WARN_HEARD."""
ASK = 0.12
"""From here, and below the warning, the person is asked back."""
ASK_FEW = 0.10
"""The same for FEW_WORDS: "numb" by itself may be all that was heard, or all that somebody can say."""
SOON, SOON_ALONE = 0.45, 0.10
"""Probability from which `provider_soon` counts: together with the danger signs, and alone."""
GRADUAL = 0.50
"""Probability of `provider_soon` from which a rule's sign is taken for one that came slowly."""


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
class Part:
    """A clause of an utterance."""

    text: str
    probabilities: tuple[Mapping[str, float], ...]
    """Label → probability, for each pack."""
    danger: bool
    """True when a rule finds a danger sign in it."""


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


@dataclass(frozen=True, slots=True)
class Understanding:
    """One utterance, understood."""

    text: str = ""
    """The best reading, normalised, without hesitations; empty when nothing was said."""
    meanings: tuple[Meaning, ...] = ()
    """One for each pack, in the packs' order, over all readings."""
    danger: Danger = Danger()
    parts: tuple[Part, ...] = ()
    """The clauses, in order; empty when there is only one."""
    certainty: float = 1.0
    """How surely the words were heard, 0 to 1; 1 where nothing is known of that."""


class Understander:
    """Loads packs, encoder, heads and rules once. All methods are pure."""

    def __init__(self, packs: Sequence[Pack], encoder: Encoder, heads: Sequence[Head], rules: UrgentRules) -> None:
        self.packs = tuple(packs)
        self._encoder, self._heads, self.rules = encoder, tuple(heads), rules

    @classmethod
    def load(cls, paths: Sequence[Path] | None = None, encoder: Path = ENCODER) -> Understander:
        """The packs in these folders, the bundled first one when None. `encoder`: another one only to measure, with heads made for it. Raises PackError."""
        packs = load_packs(tuple(paths) if paths else bundled()[:1])
        heads = []
        for pack in packs:
            try:
                heads.append(Head.load(pack.folder / HEAD))
            except (OSError, ValueError, KeyError) as error:
                reason = f"the pack has not been compiled; run backtalk pack compile {pack.folder} ({error})"
                raise PackError([Fault(pack.folder / HEAD, "", reason)]) from error
        return cls(packs, Encoder.load(encoder), heads, UrgentRules.load(_rule_folders(packs)))

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Wordings to teach the recognizer, each once.

        Read when first used: a start with a language model in the cache doesn't need them.
        """
        return tuple(dict.fromkeys(text for pack in self.packs for text in texts_to_teach(pack.examples)))

    def stops(self, text: str) -> float:
        """Probability that people stop after these words, lower case, in any of the packs."""
        return max((head.ends.after(text) for head in self._heads if head.ends is not None), default=0.0)

    def understand(self, heard: Heard) -> Understanding:
        """Everything that the conversation needs to know of one utterance; the encoder runs once, over all texts together."""
        readings = _weighted(heard)
        if not readings:
            return Understanding()
        best = readings[0][0]
        parts = clauses(best)
        quiet = self.rules.suppressed(best)
        beside = _beside(best, quiet)
        texts = list(dict.fromkeys([*(text for text, _ in readings), *parts, *beside]))
        row = {text: number for number, text in enumerate(texts)}
        vectors = self._encoder.encode(texts)
        rows = hashed(texts)
        logits = [head.logits(vectors, rows) for head in self._heads]
        scores = tuple(softmax(one, head.temperature) for head, one in zip(self._heads, logits, strict=True))
        faint = [softmax(one, FAINT) for one in logits]
        weights = np.zeros(len(texts), np.float32)
        for text, weight in readings:
            weights[row[text]] += weight
        return Understanding(
            best,
            tuple(
                _meaning(pack, best, dict(zip(head.labels, map(float, weights @ table), strict=True)))
                for pack, head, table in zip(self.packs, self._heads, scores, strict=True)
            ),
            self._danger(heard, [text for text, _ in readings], parts, quiet, beside, row, faint),
            tuple(self._part(part, row[part], scores) for part in parts),
            _certainty(heard),
        )

    def _part(self, text: str, number: int, scores: Sequence[Probabilities]) -> Part:
        """A clause by itself, as each pack understands it."""
        tables = [
            dict(zip(head.labels, map(float, table[number]), strict=True))
            for head, table in zip(self._heads, scores, strict=True)
        ]
        return Part(text, tuple(tables), bool(self.rules.find(text)))

    def _danger(
        self,
        heard: Heard,
        readings: Sequence[str],
        parts: Sequence[str],
        quiet: Sequence[Sign],
        beside: Sequence[str],
        row: Mapping[str, int],
        scores: Sequence[Probabilities],
    ) -> Danger:
        """Danger signs in any reading: by rule, and by what was learned. One reading is enough."""
        found = [(text, sign) for text in readings for sign in self.rules.find(text)]
        warn, maybe = self._learned(readings, parts, row, scores, WARN if heard.typed else WARN_HEARD)
        signs = [
            sign for text, sign in found if self._backed(sign, row[text], scores, _floor(heard, text, readings[0]))
        ]
        # Only an explicit denial of that very sign takes it back, and not where danger is said beside it.
        more = any(
            _urgent(head, table[row[text]]) >= BESIDE
            for text in beside
            for head, table in zip(self._heads, scores, strict=True)
        )
        denied = set() if more else {sign.id for sign in quiet if sign.reason == "denied"}
        learned = sorted((name for name in warn if name not in denied), key=lambda name: -warn[name])
        ids = list(dict.fromkeys([sign.id for sign in sorted(signs, key=lambda sign: -sign.certainty)] + learned))
        if any(name in URGENT for name in ids):
            ids = [name for name in ids if name != PROVIDER_SOON]
        doubted = [sign for text, sign in found if text == readings[0] and sign not in signs and sign.id in URGENT]
        named = signs if ids else doubted
        return Danger(
            tuple(ids),
            tuple(dict.fromkeys(sign.said for sign in named if sign.said and (sign.id in ids or not ids))),
            SELF_HARM if any(sign.rule.startswith(SELF_HARM) for sign in [*signs, *doubted]) else "",
            ()
            if ids
            else tuple(dict.fromkeys([*sorted(maybe, key=lambda name: -maybe[name]), *(sign.id for sign in doubted)])),
            any(sign.reason in ("general", "hypothetical") for sign in quiet),
        )

    def _backed(self, sign: Sign, number: int, scores: Sequence[Probabilities], floor: float) -> bool:
        """Whether what was learned leaves room for a rule's sign: nearly always. It knows figures of speech and films, which no rule does."""
        if sign.id == PROVIDER_SOON:
            return True
        for head, table in zip(self._heads, scores, strict=True):
            if _urgent(head, table[number]) >= floor and table[number][head.labels.index(PROVIDER_SOON)] < GRADUAL:
                return True
        return False

    def _learned(
        self,
        readings: Sequence[str],
        parts: Sequence[str],
        row: Mapping[str, int],
        scores: Sequence[Probabilities],
        limit_of_best: float,
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Ids to warn of, and ids to ask back about, with their probabilities."""
        warn: dict[str, float] = {}
        maybe: dict[str, float] = {}
        limits = [
            (readings[0], limit_of_best if len(readings[0].split()) > FEW_WORDS else WARN_FEW),
            *((text, WARN_OTHER) for text in readings[1:]),
            *((text, WARN_PART) for text in parts),
        ]

        def ask(text: str) -> float:
            if text != readings[0]:
                return ASK_OTHER
            return ASK if len(text.split()) > FEW_WORDS else ASK_FEW

        wholes = {
            pack.id: _urgent(head, table[row[readings[0]]])
            for pack, head, table in zip(self.packs, self._heads, scores, strict=True)
        }
        for pack, head, table in zip(self.packs, self._heads, scores, strict=True):
            # Who learned of danger from another pack's wordings adds to that pack's judgement only what it is very sure of: with fewer questions to
            # tell danger from, it is wrong more often (26 needless warnings in 1,586 questions about the first pack's condition). Where that pack gives
            # danger less than WHOLE it is always wrong (0 of 11 sentences of sixteen writers that only the second was sure of).
            teachers = [wholes[name] for name in pack.about.shares if name in wholes]
            second = bool(teachers)
            if second and max(teachers) < WHOLE:
                continue
            columns = [head.labels.index(name) for name in URGENT]
            whole = wholes[pack.id]
            for text, limit in limits:
                danger = table[row[text]][columns]
                name, total = URGENT[int(danger.argmax())], float(danger.sum())
                if total >= (WARN_SECOND if second else limit) and (text == readings[0] or whole >= WHOLE):
                    warn[name] = max(warn.get(name, 0.0), total)
                elif text in readings and total >= (ASK_OTHER if second else ask(text)):
                    maybe[name] = max(maybe.get(name, 0.0), total)
            soon = float(table[row[readings[0]]][head.labels.index(PROVIDER_SOON)])
            if not second and not warn and soon >= SOON_ALONE and soon + whole >= SOON:
                warn[PROVIDER_SOON] = soon
        return warn, maybe


def _urgent(head: Head, probabilities: Probabilities) -> float:
    """Probability of all danger signs together; `probabilities`: of one text, shape (labels,)."""
    return float(probabilities[[head.labels.index(name) for name in URGENT]].sum())


def _beside(text: str, quiet: Sequence[Sign]) -> list[str]:
    """What was said before, between and after the words of denied signs, as far as it is long enough to mean something."""
    pieces, last = [], 0
    for start, end in sorted(sign.span for sign in quiet if sign.reason == "denied"):
        pieces.append(text[last:start])
        last = max(last, end)
    if last:
        pieces.append(text[last:])
    return [piece.strip() for piece in pieces if len(piece.split()) >= BESIDE_WORDS]


def _certainty(heard: Heard) -> float:
    if not heard.words:
        return 1.0
    return min(1.0, sum(word.confidence for word in heard.words) / len(heard.words) / WELL_HEARD)


def _floor(heard: Heard, text: str, best: str) -> float:
    """What was learned must give a rule's sign in this reading at least so much."""
    if heard.typed:
        return RULE_FLOOR
    return RULE_FLOOR_HEARD if text == best else WARN_HEARD


def _rule_folders(packs: Sequence[Pack]) -> list[Path]:
    """The folders whose danger signs hold: those of all packs, and of the packs that they share."""
    shared = [shared_folder(pack, name) for pack in packs for name in pack.about.shares]
    return list(dict.fromkeys([*(pack.folder for pack in packs), *shared]))


def _meaning(pack: Pack, text: str, probabilities: dict[str, float]) -> Meaning:
    """Where the pack's own condition is named, no other illness is meant: what was given to that goes to the rest."""
    if not is_named(pack, text):
        return Meaning(pack.id, probabilities, False)
    other = probabilities.pop("oos:other_illness", 0.0)
    return Meaning(pack.id, {name: value / max(1e-6, 1.0 - other) for name, value in probabilities.items()}, True)


def normalise_reading(text: str) -> str:
    """A reading as it is understood: normalised, without hesitations."""
    return without_fillers(normalise(text))


def _weighted(heard: Heard) -> list[tuple[str, float]]:
    """Different readings with weights that add up to 1, the best first."""
    best = normalise_reading(heard.text)
    if not best:
        return []
    others = [normalise_reading(text) for text in heard.alternatives[:ALTERNATIVES]]
    others = [text for text in dict.fromkeys(others) if text and text != best]
    share = OTHERS if others else 0.0
    return [(best, 1.0 - share), *((text, share / len(others)) for text in others)]
