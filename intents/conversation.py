"""One listener's conversation. `reply` is the only door: danger first, then what was asked back, commands, questions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from intents import phrases, warning
from intents.answers import Speaker
from intents.decide import Decision, decide
from intents.follow import chosen, corrected, elliptical, settled
from intents.heard import Heard
from intents.reply import Reply
from intents.schema import PROVIDER_SOON
from intents.understand import Danger, Meaning, Part, Understander, Understanding

SURE_PART = 0.7
"""Probability from which a part of an utterance is taken for a question of its own."""
RIVAL = 0.15
"""Probability of its best question from which a pack may be the one that is meant, when no condition was named yet."""
LONGEST_CHOICE = 6
"""Words: a longer reply to "do you mean A, or B?" is a question of its own."""
SURE = 0.8
"""Probability of an answer from which a faint danger sign isn't asked back about."""
HINTED = 0.08
"""What the whole utterance must give a part's question at least, for it to be answered too."""

_NOT = re.compile(r"\b(not|no|never|nobody|none|should|if|when|can|will|but|\w+n't|cannot)\b")
"""Words beside which "I have called them" may mean the contrary."""
_NO = r"(?:no|nope|nah|never)"
_CLEAR_NO = re.compile(
    rf"{_NO}(?: (?:{_NO}|thanks|thank you|please|sorry|of course not|not at all|i (?:didn't|did not|never)"
    r"(?: said?(?: that| it| any such thing)?)?|that's (?:wrong|not (?:it|right|what i (?:said|meant)))|(?:i'm|i am|it's) fine))*"
    r"|i (?:didn't|did not|never) (?:say|said)(?: that| it| any such thing)?|of course not|not at all|"
    r"that's (?:wrong|not (?:it|right|what i (?:said|meant)))"
)
"""A no and nothing but: "no feeling at all" and "no, I can't" begin with a no as well."""
_ELSE = re.compile(rf"{_NO} (?:{_NO} )*(?:i (?:said|meant|mean|asked|was asking|want|wanted)|what|how|tell)\b.+")
"""A no, and what was said instead."""


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """What the listener can set."""

    emergency_number: str = "911"
    crisis_line: str = "988"
    follow_up_turns: int = 3
    """For how many turns an answer colours what is asked next. Never used for danger signs."""

    @property
    def contacts(self) -> warning.Contacts:
        """The numbers that a warning names."""
        return warning.Contacts(self.emergency_number, self.crisis_line)


@dataclass
class _Memory:
    """What a conversation remembers; words are kept only as long as it lasts."""

    turn: int = 0
    pack: int = 0
    """Index of the pack that was talked about last."""
    asked: str | None = None
    """The question answered last, and when."""
    asked_at: int = 0
    words: str = ""
    """Those of the question answered last: who says the very same again wants to hear the answer again, not more."""
    more: list[str] = field(default_factory=list)
    last: Reply | None = None
    offered: tuple[str, ...] = ()
    """Questions offered by the last reply."""
    doubt: Danger | None = None
    """A danger sign that was asked back about by the last reply."""
    danger: Danger | None = None
    """A danger sign that hasn't been taken care of."""
    waiting: tuple[tuple[int, ...], Understanding] | None = None
    """A question that waits until it is said which of these packs is meant."""
    misses: int = 0
    silences: int = 0
    disclaimed: bool = False


class Conversation:
    """Personal and small; the understander is shared and read-only. Raises nothing for any text."""

    def __init__(self, understander: Understander, settings: ConversationSettings | None = None) -> None:
        self._understander = understander
        self._settings = settings or ConversationSettings()
        self._speakers = tuple(Speaker(pack) for pack in understander.packs)
        self._memory = _Memory()

    def fixed_warnings(self) -> tuple[str, ...]:
        """The sentences to make ready before anything is heard, so that they can be said whatever fails later."""
        return warning.fixed_sentences(self._settings.contacts)

    def greeting(self) -> Reply:
        """The first words ever: what this is, what it isn't, what to say."""
        return self._said(Reply("command", "help", sentences=tuple(self._speakers[0].pack.about.greeting)))

    def idle(self) -> Reply:
        """Said when nobody has spoken for a while; what was open is closed, but a danger stays, and a doubt is a warning."""
        memory = self._memory
        memory.offered = ()
        doubt, memory.doubt = memory.doubt, None
        if doubt is not None:  # no reply to "did you say that ...?" is a yes
            return self._said(self._warn(replace(doubt, ids=doubt.maybe), Understanding()))
        return Reply("command", "stop", sentences=())

    def reply(self, heard: Heard) -> Reply:
        """What to say and do about one utterance."""
        memory = self._memory
        memory.turn += 1
        doubt, memory.doubt = memory.doubt, None
        found = self._understander.understand(heard)
        if found.danger.ids:
            return self._said(self._warn(found.danger, found))
        if doubt is not None and not _denies(found):
            return self._said(self._warn(replace(doubt, ids=doubt.maybe), found))
        if not found.text:
            return self._said(self._nothing(heard))
        memory.silences = 0
        if memory.danger and settled(found.text) and not _NOT.search(found.text):
            memory.danger = None
            return self._said(Reply("command", "yes", sentences=("Good.", phrases.READY)))
        return self._said(self._question(found))

    # --- danger -------------------------------------------------------------------------------------------------

    def _warn(self, danger: Danger, found: Understanding) -> Reply:
        memory, contacts = self._memory, self._settings.contacts
        memory.offered = ()
        urgent = danger.ids[0] != PROVIDER_SOON
        if urgent:
            memory.danger = danger
        sentences = warning.warning(danger.ids, danger.said, danger.kind, contacts)
        answer = None if "urgent_other" in danger.ids else self._asked_beside(found)
        offer = sentences[-1:] if urgent and len(sentences) > 1 else ()
        spoken = sentences[: len(sentences) - len(offer)]
        extra = self._answer(*answer).sentences if answer else ()
        return Reply(
            "warn",
            answer[1] if answer else None,
            urgent=danger.ids,
            sentences=(*spoken, *extra, *offer),
            urgent_sentences=len(spoken),
            confidence=1.0,
            expects_reply=urgent,
        )

    def _asked_beside(self, found: Understanding) -> tuple[int, str] | None:
        """The ordinary question in the same breath as a danger sign: (pack, question)."""
        for part in found.parts:
            index, name, probability = self._best_question(part)
            if probability >= SURE_PART and not part.danger:
                return index, name
        return None

    def _best_question(self, part: Part) -> tuple[int, str, float]:
        """(pack, question, probability) of a clause."""
        asked = (
            (table.get(name, 0.0), index, name)
            for index, (table, speaker) in enumerate(zip(part.probabilities, self._speakers, strict=True))
            for name in speaker.pack.answers
        )
        probability, index, name = max(asked, default=(0.0, 0, ""))  # a warning needs no answers
        return index, name, probability

    # --- questions ----------------------------------------------------------------------------------------------

    def _question(self, found: Understanding) -> Reply:
        memory, text, danger = self._memory, found.text, found.danger
        offered, memory.offered = memory.offered, ()
        if not danger.maybe and (waiting := self._picked(found)) is not None:
            return waiting
        meaning, rivals = self._topic(found.meanings)
        index = self._index(meaning)
        answers = self._speakers[index].pack.answers
        names = [answers[name].name for name in offered if name in answers]
        if names and not danger.maybe and (choice := chosen(text, offered, names)):
            return self._answer(index, choice)
        if rest := corrected(text):
            instead = self._understander.understand(Heard.from_text(rest))
            if instead.danger.ids:
                return self._warn(instead.danger, instead)
            reply = self._question(instead)
            if reply.action == "answer":
                return reply
        decision = decide(meaning.probabilities, tuple(answers), found.certainty)
        if decision.kind not in ("answer", "command") and (better := self._in_context(text, index)):
            decision = better
        if offered and decision.kind == "clarify" and decision.labels[0] in offered:
            decision = Decision("answer", decision.labels[:1], decision.confidence)
        if (
            danger.maybe
            and (decision.kind != "command" or danger.said)  # a sign that a rule found isn't lost to "louder"
            and not (decision.kind == "answer" and decision.confidence > SURE)
        ):
            memory.doubt = danger
            asked = warning.question_back(danger.maybe[0], danger.said)
            return Reply(
                "clarify",
                choices=danger.maybe[:1],
                sentences=(asked,),
                confidence=decision.confidence,
                expects_reply=True,
            )
        if decision.kind in ("answer", "clarify") and rivals:
            return self._which_pack(rivals, found)
        return self._carry_out(decision, index, found)

    def _carry_out(self, decision: Decision, index: int, found: Understanding) -> Reply:
        speaker = self._speakers[index]
        if decision.kind == "command":
            return self._command(decision.labels[0], decision.confidence)
        if decision.kind == "answer":
            again = found.text == self._memory.words
            if decision.labels[0] == self._memory.asked and elliptical(found.text) and self._memory.more and not again:
                return self._more(decision.confidence)
            self._memory.words = found.text
            return self._answers(decision, index, found)
        if decision.kind == "clarify":
            self._memory.misses += 1
            if self._memory.misses <= 1 or len(decision.labels) == 2:
                self._memory.offered = decision.labels
                sentence = speaker.clarify(decision.labels)
                return Reply(
                    "clarify",
                    choices=decision.labels,
                    sentences=(sentence,),
                    confidence=decision.confidence,
                    pack=speaker.pack.id,
                    expects_reply=True,
                )
        self._memory.misses += 1
        scope = decision.labels[0] if decision.kind == "elsewhere" else "unclear"
        return speaker.turn_away(scope, self._memory.misses, decision.confidence)

    def _answers(self, decision: Decision, index: int, found: Understanding) -> Reply:
        """The answer; two answers in order when two questions were asked in one breath."""
        whole = found.meanings[index].probabilities
        asked: list[str] = []
        for part in found.parts:
            pack, name, probability = self._best_question(part)
            if pack == index and probability >= SURE_PART and name not in asked and whole.get(name, 0.0) >= HINTED:
                asked.append(name)
        if len(asked) < 2 or decision.labels[0] not in asked:
            return replace(self._answer(index, decision.labels[0]), confidence=decision.confidence)
        first = self._answer(index, asked[0])
        second = self._answer(index, asked[1])
        return replace(
            first, sentences=(*first.sentences, *second.sentences), also=(asked[1],), confidence=decision.confidence
        )

    def _answer(self, index: int, name: str) -> Reply:
        memory, speaker = self._memory, self._speakers[index]
        memory.pack, memory.asked, memory.asked_at, memory.misses = index, name, memory.turn, 0
        memory.more = list(speaker.pack.answers[name].more)
        sentences = speaker.first(name)
        if not memory.disclaimed:
            memory.disclaimed = True
            sentences = (*sentences, speaker.pack.about.disclaimer[0])
        return Reply("answer", name, sentences=sentences, pack=speaker.pack.id)

    def _in_context(self, text: str, index: int) -> Decision | None:
        """What an elliptical question ("and in the morning?", "why?") means after the last answer."""
        memory = self._memory
        if memory.asked is None or memory.turn - memory.asked_at > self._settings.follow_up_turns:
            return None
        rest = elliptical(text)
        if rest is None:
            return None
        answers = self._speakers[index].pack.answers
        if memory.asked not in answers:
            return None
        whole = self._understander.understand(Heard.from_text(f"{answers[memory.asked].name} {rest}"))
        decision = decide(whole.meanings[index].probabilities, tuple(answers))
        return decision if decision.kind in ("answer", "clarify") else None

    # --- several packs ------------------------------------------------------------------------------------------

    def _index(self, meaning: Meaning) -> int:
        return next(i for i, speaker in enumerate(self._speakers) if speaker.pack.id == meaning.pack)

    def _topic(self, meanings: tuple[Meaning, ...]) -> tuple[Meaning, tuple[int, ...]]:
        """The pack that is meant: the one that was named, else the one talked about; else several, to ask between."""
        named = [meaning for meaning in meanings if meaning.named]
        if len(named) == 1:
            return named[0], ()
        if len(meanings) == 1 or self._memory.asked is not None:
            return meanings[self._memory.pack], ()
        best = [meaning.best(tuple(self._speakers[i].pack.answers))[0] for i, meaning in enumerate(meanings)]
        leader = max(range(len(best)), key=lambda i: best[i][1])
        rivals = tuple(i for i, (_, value) in enumerate(best) if value >= RIVAL)
        return meanings[leader], rivals if len(rivals) > 1 else ()

    def _picked(self, found: Understanding) -> Reply | None:
        """The question that waited while it was asked which condition is meant; None when this isn't the reply to that."""
        memory = self._memory
        waiting, memory.waiting = memory.waiting, None
        if waiting is None:
            return None
        rivals, question = waiting
        names = [self._speakers[i].pack.about.name for i in rivals]
        named = [i for i in rivals if found.meanings[i].named]
        choice = chosen(found.text, [str(i) for i in rivals], names)
        index = named[0] if len(named) == 1 else int(choice) if choice else None
        if index is None or len(found.text.split()) > LONGEST_CHOICE:
            return None
        memory.pack = index
        decision = decide(
            question.meanings[index].probabilities, tuple(self._speakers[index].pack.answers), question.certainty
        )
        return self._carry_out(decision, index, question)

    def _which_pack(self, rivals: tuple[int, ...], found: Understanding) -> Reply:
        self._memory.waiting = (rivals[:2], found)
        names = [self._speakers[i].pack.about.name for i in rivals[:2]]
        sentence = phrases.CLARIFY_PACK.format(first=names[0], second=names[1])
        return Reply(
            "clarify",
            choices=tuple(self._speakers[i].pack.id for i in rivals[:2]),
            sentences=(sentence,),
            expects_reply=True,
        )

    # --- commands -----------------------------------------------------------------------------------------------

    def _command(self, name: str, confidence: float) -> Reply:
        memory = self._memory
        speaker = self._speakers[memory.pack]
        sentences: tuple[str, ...] = (phrases.COMMANDS[name],) if phrases.COMMANDS.get(name) else ()
        if name == "more":
            return self._more(confidence)
        if name == "repeat":
            if memory.last is None:
                return Reply("command", name, sentences=(phrases.NOTHING_SAID,), confidence=confidence)
            return replace(memory.last, action="command", intent=name, confidence=confidence)
        if name == "help":
            sentences = speaker.help(memory.misses, repeated=memory.last is not None and memory.last.intent == "help")
        elif name == "goodbye":
            sentences = (phrases.GOODBYE,)
        elif name == "yes":
            if memory.last is not None and memory.last.action == "warn":
                return replace(memory.last, action="command", intent=name, confidence=confidence)
            if memory.offered:
                return Reply(
                    "command", name, sentences=(phrases.CLARIFY_AGAIN,), confidence=confidence, expects_reply=True
                )
            sentences = (phrases.YES_TO_NOTHING,)
        elif name == "no":
            sentences = (phrases.NO_TO_NOTHING,)
        return Reply("command", name, sentences=sentences, confidence=confidence, ends=name == "goodbye")

    def _more(self, confidence: float) -> Reply:
        memory = self._memory
        if memory.asked is None:
            return Reply("command", "more", sentences=self._speakers[memory.pack].help(0), confidence=confidence)
        sentences = tuple(memory.more) or (phrases.NOTHING_MORE,)
        memory.more, memory.misses = [], 0
        return Reply(
            "command", "more", sentences=sentences, confidence=confidence, pack=self._speakers[memory.pack].pack.id
        )

    # --- the rest -----------------------------------------------------------------------------------------------

    def _nothing(self, heard: Heard) -> Reply:
        memory = self._memory
        if heard.text.strip() and any(char.isalpha() for char in heard.text):
            return Reply("reject", sentences=(phrases.OTHER_LANGUAGE,), confidence=1.0)
        memory.silences += 1
        sentence = phrases.NOTHING_HEARD[min(memory.silences, len(phrases.NOTHING_HEARD)) - 1]
        return Reply(
            "reject", sentences=(sentence,), confidence=1.0, expects_reply=memory.silences < len(phrases.NOTHING_HEARD)
        )

    def _said(self, reply: Reply) -> Reply:
        """The reply as it goes out: with the reminder while a danger is open, and remembered for `repeat`."""
        memory = self._memory
        if memory.danger is not None and (reply.action in ("answer", "clarify") or reply.intent == "more"):
            reminder = warning.reminder(self._settings.contacts, memory.danger.kind)
            reply = replace(reply, sentences=(reminder, *reply.sentences))
        if reply.sentences and reply.intent not in ("louder", "quieter", "slower", "faster", "stop"):
            memory.last = reply
        return reply


def _denies(found: Understanding) -> bool:
    """True for a clear no to "did you say that ...?"; silence and everything unclear is a yes."""
    if _CLEAR_NO.fullmatch(found.text):
        return True
    return bool(_ELSE.fullmatch(found.text)) and not found.danger.maybe
