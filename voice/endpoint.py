"""When has a person finished? The pause that is allowed, given what was heard so far.

One pause for everything is either slow after "what is facet hypertrophy" or rude after "what is, um". So the pause
depends on the words: short when what was said is already a whole question that can be answered with confidence, and
people mostly stop there; long when it ends in a word that nothing ends in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """Milliseconds of silence after the last speech that end an utterance."""

    complete: int
    """After a question, command or danger sign that people mostly stop after."""
    perhaps: int
    """After one that as many go on with."""
    unlikely: int
    """After one that most go on with, and words that are not understood though people mostly stop after them."""
    open: int
    """After other words that are not (yet) understood, and what nearly everybody goes on with: "what use is it"."""
    dangling: int
    """After "what is, um" or "the pain in my"."""
    nothing: int
    """After sound that gave no words."""


PATIENCE = {
    "brisk": Pauses(complete=160, perhaps=240, unlikely=450, open=650, dangling=1100, nothing=650),
    "normal": Pauses(complete=190, perhaps=320, unlikely=640, open=950, dangling=1700, nothing=1000),
    "patient": Pauses(complete=900, perhaps=1100, unlikely=1400, open=1800, dangling=3000, nothing=1500),
}
"""By the names of voice.settings.PATIENCES."""

LIKELY = 0.26
"""Probability of an end from which people mostly stop there: 70 of 100 ends of left-out writers, 7 of 100 gaps between their words."""
UNLIKELY = 0.10
"""Probability below which they mostly go on: 7 of 100 ends, 77 of 100 gaps."""
HARDLY = 0.05
"""Probability below which nearly everybody goes on: 2 of 100 ends, 62 of 100 gaps."""
PEEK_MS = 120
"""Silence after which it is worth finding out whether the words are a whole question: waiting costs more."""
AHEAD_MS = 100
"""So long before the pause is over what was heard is made final, and understood (60 to 80 ms): then that isn't waited for."""
LONGEST_MS = 30_000
"""Longest utterance. What was heard by then is answered, or the person is told to say it in fewer words."""


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


FILLERS = _set("um umm uh uhm er erm hmm hm mm ah oh like well so okay")
"""Words that hold the floor."""

_DANGLING = FILLERS | _set(
    "a an the my your his her our their its this these those some any which whose every each no",  # before a noun
    "and or but because if when while although unless than whether since as that",  # conjunctions
    "of to in on at with from by into between during without under over near until through against",  # prepositions
    "is are was were be been am do does did can could should would will shall may might must has have had",
    "i'm it's i've you've they've i'd i'll don't doesn't can't couldn't isn't aren't won't",
    "i you we they he she what's how's where's who's there's gonna wanna kind sort very really",
    "get getting tell explain what why where who how",
)
OPENINGS = frozenset({"what", "why", "how"})
"""Utterances of dangling words that are whole all the same ("what?": say it again) ..."""
_ENDINGS = (
    *(" i do", " to do", " we do", " do that", " it is", " they are", " it was", " i am", " i have", " i've got"),
    *(f" {word} {that}" for word in ("is", "of", "for", "with", "about", "like", "do") for that in ("this", "that")),
)
"""... and endings that a dangling word belongs to."""


def is_dangling(text: str) -> bool:
    """True when hardly anybody stops there: after an article, a preposition, a conjunction, a filler, or an opening."""
    words = text.lower().replace(",", " ").split()
    if not words:
        return False
    if words[-1] in FILLERS and len(words) > 1:
        return True
    plain = " ".join(words)
    if plain in OPENINGS or plain.endswith(_ENDINGS):
        return False
    return words[-1] in _DANGLING


def allowed_pause_ms(text: str, complete: bool, patience: str = "normal", stops: float | None = None) -> int:
    """The silence in milliseconds that ends an utterance.

    text: what was heard so far, empty if no words; complete: it is understood as a question, command or danger sign;
    patience: a key of PATIENCE (others count as normal); stops: probability that people stop after such words, see
    intents.ends, None when nothing is known of that.
    """
    pauses = PATIENCE.get(patience, PATIENCE["normal"])
    if not text.strip():
        return pauses.nothing
    goes_on = 0 if stops is None else sum(stops < limit for limit in (LIKELY, UNLIKELY, HARDLY))
    if is_dangling(text) and (stops is None or goes_on == 3 or text.split()[-1] in FILLERS):
        return pauses.dangling  # "what did I do to get this" is whole all the same
    if not complete:  # whoever isn't understood is asked to say it again: no haste
        goes_on = 3 if stops is None else min(3, goes_on + 2)
    return (pauses.complete, pauses.perhaps, pauses.unlikely, pauses.open)[goes_on]
