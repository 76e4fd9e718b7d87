"""What is said about a danger sign: first in every reply, at most 20 words a sentence, and never about the article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intents.schema import PROVIDER_SOON

SELF_HARM = "self_harm"


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call. Both are said aloud and are settings."""

    emergency: str = "911"
    """Number of the emergency services where the listener lives."""
    crisis: str = "988"
    """Number of a crisis line for thoughts of self-harm."""


def spoken_number(number: str) -> str:
    """ "911" → "9 1 1": voices would read it as nine hundred and eleven."""
    return " ".join(number) if number.isdigit() and len(number) <= 4 else number


def fixed_sentences(contacts: Contacts) -> tuple[str, ...]:
    """Every first sentence of a warning: made at start-up and kept, so that it can be said whatever else fails."""
    return tuple(first_sentence(name, contacts, kind) for name, kind in _FIRST_SENTENCES)


_FIRST_SENTENCES = (("urgent_limb", ""), ("urgent_other", SELF_HARM), (PROVIDER_SOON, ""))


def first_sentence(name: str, contacts: Contacts, kind: str = "") -> str:
    """What to do now: it alone must be enough if nothing else is heard."""
    if name == PROVIDER_SOON:
        return "Please tell your doctor about that soon."
    if kind == SELF_HARM:
        return f"I'm glad that you told me. Please call {spoken_number(contacts.crisis)} now, or {spoken_number(contacts.emergency)} if you are in danger."
    return f"Warning. This may be an emergency. Call {spoken_number(contacts.emergency)} now."


def warning(ids: Sequence[str], said: Sequence[str], kind: str, contacts: Contacts) -> tuple[str, ...]:
    """The sentences of a warning. `ids`: at least one urgent id or provider_soon, most certain first; `said`: what was heard, "your leg went numb"."""
    main = ids[0]
    first = first_sentence(main, contacts, kind)
    if kind == SELF_HARM:
        return (
            first,
            "You don't have to go through this alone.",
            "If someone is near you, tell them now how you feel.",
            _REPEAT,
        )
    heard = f"You said that {said[0]}." if said and len(said[0].split()) <= 16 else ""
    if main == PROVIDER_SOON:
        why = "Numbness, weakness or trouble walking can mean that a nerve is pressed."
        sudden = (
            f"If it suddenly gets worse, or your bowel or bladder changes, call {spoken_number(contacts.emergency)}."
        )
        return tuple(filter(None, (first, heard, why, sudden)))
    # What was learned finds thoughts of self-harm that no rule knows, and can't tell them from other emergencies.
    also = _CRISIS.format(spoken_number(contacts.crisis)) if main == "urgent_other" and not said else ""
    return tuple(filter(None, (first, heard or _GENERIC[main], also, _WHY[main], _REPEAT)))


def reminder(contacts: Contacts, kind: str = "") -> str:
    """Said before later answers until the danger is taken care of."""
    if kind == SELF_HARM:
        return f"If you haven't called {spoken_number(contacts.crisis)} yet, please do that first."
    return f"If you haven't called {spoken_number(contacts.emergency)} yet, do that first."


def question_back(name: str, said: Sequence[str]) -> str:
    """Asked when a danger sign may have been said. No reply, or an unclear one, counts as yes."""
    return f"Did you say that {said[0]}?" if said else _ASK[name]


_REPEAT = "Shall I repeat that?"
_CRISIS = "If you are thinking of ending your life, please call {} too, and tell someone near you."
_GENERIC = {
    "urgent_limb": "It sounded like an arm or a leg has suddenly lost strength or feeling.",
    "urgent_bowel_bladder": "It sounded like your bladder or bowel has changed, or you can't feel down there.",
    "urgent_other": "It sounded like something that can't wait.",
}
_WHY = {
    "urgent_limb": "Nerves may be pressed, and hours can count, so don't wait to see if it passes.",
    "urgent_bowel_bladder": "Nerves may be pressed, and hours can count, so don't wait to see if it passes.",
    "urgent_other": "This is not about your back, so don't wait for an answer from me.",
}
_ASK = {
    "urgent_limb": "Did you say that an arm or a leg has lost its strength or feeling?",
    "urgent_bowel_bladder": "Did you say that something has changed with your bladder or bowel?",
    "urgent_other": "Did you say that this is an emergency?",
    PROVIDER_SOON: "Did you say that you have had numbness or weakness for some time?",
}
