"""A pack's own words: answers, offers and refusals as sentences to speak."""

from __future__ import annotations

from dataclasses import dataclass

from intents import phrases
from intents.pack import Pack
from intents.reply import Reply


@dataclass(frozen=True)
class Speaker:
    """Says what one pack has to say. Stateless: how often something was said before is handed in."""

    pack: Pack

    def first(self, name: str) -> tuple[str, ...]:
        """The short answer, sentence by sentence."""
        return split_sentences(self.pack.answers[name].first)

    def clarify(self, names: tuple[str, ...]) -> str:
        """One short question that offers one or two of the pack's questions by name."""
        offers = [self.pack.answers[name].name for name in names]
        if len(offers) == 1:
            return phrases.CLARIFY_ONE.format(first=offers[0])
        return phrases.CLARIFY_TWO.format(first=offers[0], second=offers[1])

    def orient(self, turn: int) -> str:
        """Three things that can be asked, other ones each time."""
        offers = [self.pack.answers[name].name for name in self.pack.about.suggestions]
        start = 3 * turn % len(offers)
        first, second, third = (offers + offers)[start : start + 3]
        return phrases.ORIENT.format(first=first, second=second, third=third)

    def help(self, misses: int, *, repeated: bool = False) -> tuple[str, ...]:
        """What can be asked, then what can be said to the device."""
        return (self.orient(misses + int(repeated)), phrases.HELP_COMMANDS)

    def turn_away(self, scope: str, misses: int, confidence: float) -> Reply:
        """Says that it can't help with that, and what it can: more helpful each time, never twice the same words; brief after two."""
        about = self.pack.about
        if scope in ("talk", "counter"):
            replies = ((phrases.OVERHEARD, phrases.SAY_HELP), (phrases.OVERHEARD_AGAIN, self.orient(misses - 1)))
            sentences = replies[misses - 1] if misses <= len(replies) else (phrases.READY,)
            return Reply("reject", sentences=sentences, confidence=confidence, pack=self.pack.id, overheard=True)
        opening = {
            "other_illness": about.other_illness,
            "not_covered": about.not_covered,
            "device": phrases.DEVICE.format(name=about.name),
        }.get(scope, phrases.NOT_UNDERSTOOD[min(misses, len(phrases.NOT_UNDERSTOOD)) - 1])
        closing = self.orient(misses - 1) if misses <= 2 else phrases.READY
        return Reply("reject", sentences=(opening, closing), confidence=confidence, pack=self.pack.id)


def split_sentences(text: str) -> tuple[str, ...]:
    """An answer in sentences. The pack's check keeps abbreviations with full stops out, so a stop and a space ends one."""
    parts = text.replace("? ", "?\n").replace("! ", "!\n").replace(". ", ".\n").split("\n")
    return tuple(part.strip() for part in parts if part.strip())
