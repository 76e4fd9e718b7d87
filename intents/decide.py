"""From probabilities to one decision: answer, ask between two, carry out, or turn away. Pure, so that a threshold can be tuned and tested alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from intents.schema import COMMANDS

ANSWER = 0.58
"""Probability from which a question is answered at once."""
LEAD = 0.18
"""How far the best question must be ahead of the second to be answered at once."""
OFFER = 0.20
"""From here the best question is offered."""
OFFER_SECOND = 0.08
"""From here a second one is offered beside it."""
COMMAND = 0.50
"""Probability from which a command is carried out: repeating by mistake costs less than asking back."""
ELSEWHERE = 0.50
"""From here it is out of scope."""

Kind = Literal["answer", "clarify", "command", "elsewhere", "unclear"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one utterance."""

    kind: Kind
    labels: tuple[str, ...] = ()
    """The question (answer), the questions offered, best first (clarify), the command, or the scope (elsewhere)."""
    confidence: float = 0.0


def decide(probabilities: Mapping[str, float], questions: Sequence[str], certainty: float = 1.0) -> Decision:
    """`probabilities`: label → probability (see intents.head); `questions`: the pack's question ids.

    certainty: how surely the words were heard, 0 to 1: an answer and a command need both, the words and their meaning.
    """
    asked = sorted(((probabilities.get(name, 0.0), name) for name in questions), reverse=True)
    (first, best), (second, other) = asked[0], asked[1]
    command, order = max((probabilities.get(name, 0.0), name) for name in COMMANDS)
    scopes = {name: value for name, value in probabilities.items() if name.startswith("oos:")}
    outside = sum(scopes.values())
    if command * certainty >= COMMAND:
        return Decision("command", (order,), command * certainty)
    if first * certainty >= ANSWER and first - second >= LEAD:
        return Decision("answer", (best,), first * certainty)
    if outside >= ELSEWHERE or outside > first + second:
        return Decision("elsewhere", (max(scopes, key=lambda name: scopes[name]).removeprefix("oos:"),), outside)
    if first >= OFFER:
        return Decision("clarify", (best, other) if second >= OFFER_SECOND else (best,), first + second)
    return Decision("unclear", (best, other) if second >= OFFER_SECOND else (best,), max(first, outside))
