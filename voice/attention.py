"""What the loop knows, and how it judges what it hears: whose words they are, and whether they are meant for it.

Nothing here changes what is said or done; that is voice.loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from intents.heard import Heard
from intents.reply import Reply
from voice.echo import Echo
from voice.effects import Mind, Spotter, State
from voice.endpoint import HARDLY, LONGEST_MS, OPENINGS, PATIENCE, UNLIKELY, allowed_pause_ms, is_dangling
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.orders import Order, order_heard, order_in
from voice.recording import Detector
from voice.settings import Settings
from voice.turn import Ear, Turn, Utterance
from voice.wake import DEFAULT_PHRASE, parts

SURE = 0.55
"""Confidence from which a reply may break a silence that nobody asked to be broken: that of a plain answer."""
REOPEN = round(1.3 * SAMPLE_RATE)
"""Samples after the end of a question in which further speech still belongs to it, even if the reply has begun."""
FEW_OWN = 4
"""Words from which speech right after a reply's beginning isn't its own: the first of those are often half-heard."""
FEW_LETTERS = 5
"""Letters from which it isn't, where its own voice didn't come back lately."""
FADE_IN = round(0.05 * SAMPLE_RATE)
LEAD_IN = round(0.2 * SAMPLE_RATE)
"""Samples: of what follows the wake phrase the beginning is faded in, after so much silence."""
HISTORY = 3 * SAMPLE_RATE
"""Samples kept, so that what followed the wake phrase can be heard again by the full recognizer."""
_NOT_AGAINST_IT = ("repeat", "more", "help", "goodbye")
"""Commands that nobody needs to call into a reply: where its own voice comes back, they take more than a few words."""
_ONESELF = frozenset({"my", "mine", "myself"})
"""Words of a person about himself or herself."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered, and what it was before that: all of it is taken back when the person goes on."""

    utterance: Utterance
    called: bool
    """The wake phrase came before."""
    settings: Settings
    reply: Reply | None = None
    """None when the conversation wasn't asked: an order to the device, or words that seemed meant for somebody else."""


class Attention:
    """The state of one listener's conversation, in samples of the microphone."""

    def __init__(
        self,
        ear: Ear,
        detector: Detector,
        mind: Mind,
        spotter: Spotter,
        settings: Settings,
        *,
        always: bool = False,
        stops: Callable[[str], float] | None = None,
    ) -> None:
        """`spotter` finds the wake phrase and the words that break in; `always`: it listens without a wake phrase;
        `stops`: how probable it is that people stop after these words, see intents.ends."""
        self._detector = detector
        self._mind = mind
        self._spotter = spotter
        self._settings = settings
        self._always = always
        self._stops = stops
        self._turn = Turn(ear, self._allowed_pause)
        self._echo = Echo()
        self._history: deque[Samples] = deque(maxlen=HISTORY // FRAME_SAMPLES)
        self.state = State.LISTENING if always else State.ASLEEP
        self.now = 0
        """Samples fed."""
        self._open_until = 0
        """Sample at which spotting ends unless there is speech."""
        self._sleep_at: int | None = None
        self._awake_cue_at: int | None = None
        self._last: Answered | None = None
        """The utterance that is being answered, as long as the person may go on with it."""
        self._held: tuple[Reply, int] | None = None
        """A reply that was stopped because somebody began to speak, and the sample until which words are awaited."""
        self._whole = False
        """The utterance goes on from one before, in words known to be a person's."""
        self._reply = Reply("reject")
        """What is being said, or was said last."""
        self._warning: Reply | None = None
        """An urgent warning that nobody has acknowledged."""
        self._repeat_at: int | None = None
        self._unanswered_at: int | None = None
        """Sample from which no reply to "did you say that ...?" is a yes."""
        self._talk_until = 0
        """Sample until which a conversation goes on."""
        self._taken_back: Utterance | None = None
        """What called for a warning that was broken off because the person went on."""
        self._feared = ""
        """The words, not yet final, of a danger sign that broke in."""
        self._checked = ""
        """The words heard over its own voice that were looked at already."""
        self._echoing = True
        """Its own voice comes back at the microphone, as far as it knows: then half a word sounds like "wait"."""
        self._heard_itself = False
        self._doubted: tuple[str, int] | None = None
        """A word that may break in, and the sample until which the recognizer may confirm it."""
        self._spoke_at = 0
        self._muted = False
        self._farewells = 0
        self._strange = 0
        """Turns in a row, without the wake phrase, that were turned away."""
        self._announcing = False
        self._called = False
        """The wake phrase was said, or a key pressed, since the last answer."""
        self.likely: Reply | None = None
        """What will be said if the person has finished: its first words can be made while that is waited for."""

    # --- whose words

    def _foreign(self, text: str, begin: int) -> bool:
        """Whether a person said it, as far as can be told: its own words, but of "my legs", are a person's too.

        begin: sample at which the words began: a long answer comes back as one utterance, all its sentences in it.
        """
        if not text.split() or self._is_own_alarm(text, begin):
            return False
        if not self._echo.is_own(text, begin):
            return True
        oneself = _ONESELF.intersection(text.lower().split()).difference(self._echo.spoken(begin))
        return bool(oneself) and self._warns(text)

    def _is_own_alarm(self, text: str, begin: int) -> bool:
        """Whether a danger sign is only its own warning, garbled by the room: no warning may call forth the next.

        Only for words that began while a warning sounded, and where its own voice comes back: what they say without the
        warning's words must be a danger sign too. A person who says the same sign again has been warned of it already.
        """
        if not self._echoing or self._reply.action != "warn" or not self._echo.sounded(begin):
            return False
        rest = self._echo.unsaid(text, begin)
        return self._warns(text) and not self._warns(rest)

    def _warns(self, text: str) -> bool:
        return bool(text) and self._mind.peek(Heard(text)).action == "warn"

    def _may_go_on(self) -> bool:
        """Whether what is being heard began so soon after what was answered that it may belong to it."""
        if self._last is None or not self._turn.hearing or self._turn.resumed:
            return False
        said = self._last.utterance
        if said.samples >= LONGEST_MS * SAMPLE_RATE // 1000:
            return False  # a television goes on without end, and all of it would be heard anew each time
        return self._turn.began - said.end <= REOPEN

    def _goes_on(self, text: str, begin: int) -> bool:
        """Whether these words, soon after what was answered, are the same person's. An order to be quiet is none."""
        enough = bool(text)
        if not self._echo.silent_at(begin):  # "oh" is left of its own voice, and more of it where it comes back
            enough = len(text.split()) >= FEW_OWN if self._echoing else len(text.replace(" ", "")) >= FEW_LETTERS
        return enough and self._foreign(text, begin) and not self._silences(text)

    def _adds(self, whole: Utterance | None) -> bool:
        """Whether what was said after a danger sign, `whole` with it, makes another warning of it. Else the one that sounds isn't cut off:
        nothing unsays a sign, and a television that is taken for a person would be warned at every pause.
        """
        last = self._last
        if last is None or last.reply is None or self.state is not State.SPEAKING:
            return True
        if whole is None:
            return False
        reply = self._mind.peek(whole.heard)
        more = set(reply.urgent).difference(last.reply.urgent)
        return reply.action == "warn" and bool(more or reply.intent not in (None, last.reply.intent))

    def _silences(self, text: str) -> bool:
        reply = self._mind.peek(Heard(text))
        return reply.action == "command" and not reply.sentences and reply.confidence >= SURE

    def _danger_so_far(self) -> bool:
        text = self._turn.text
        return self._foreign(text, self._turn.began) and self._warns(text)

    # --- what they mean

    def _may_be_called(self) -> bool:
        """Whether the wake phrase may be said now: who has just said it asks now, unless its words are heard again."""
        if not self._called or self.state is not State.HEARING:
            return True
        return any(has_words(self._turn.text, part) for part in parts(self._wake_phrase) if " " in part)

    def _breaks_in(self, text: str) -> bool:
        reply = self._mind.peek(Heard(text))
        if reply.intent in ("yes", "no") and not self._reply.expects_reply:
            return False  # what is left of its own voice sounds like "okay"
        if self._echoing and len(text.split()) < FEW_OWN and reply.intent in _NOT_AGAINST_IT:
            return False  # ... and like "I'm off"
        return order_in(text) is not None or (reply.action in ("warn", "command") and reply.confidence >= SURE)

    def _allowed_pause(self, heard: Heard) -> int:
        text = heard.text
        reply = self._mind.peek(heard) if text.strip() else Reply("reject")
        complete = reply.action in ("answer", "warn", "command")
        self.likely = reply if complete and reply.sentences else None
        stops = self._stops(text) if self._stops is not None and text else None
        if stops is not None:
            stops = max(stops, _at_least(reply, text))
        pause = allowed_pause_ms(text, complete, self._settings.patience, stops)
        return min(pause, PATIENCE[self._settings.patience].open) if reply.action == "warn" else pause

    def _order(self, heard: Heard) -> Order | None:
        """The order that was heard: other readings count as long as the best one isn't understood as a question."""
        reply = self._mind.peek(heard)
        if reply.action == "warn":
            return None
        answered = reply.action == "answer" and reply.confidence >= SURE
        return order_in(heard.text) if answered else order_heard(heard)

    def _with_danger(self, utterance: Utterance) -> tuple[Utterance, bool]:
        """The utterance with what is known of a danger sign in it; True when a warning rests on that."""
        feared, self._feared = self._feared, ""
        before, self._taken_back = self._taken_back, None
        heard = utterance.heard
        if feared and not heard.text.startswith(feared):  # the final words are another reading, not a better one
            text = heard.text or feared
            heard = replace(heard, text=text, alternatives=(feared, *heard.alternatives))
            utterance = replace(utterance, heard=heard)
        if before is not None and self._mind.peek(heard).action != "warn":
            return before, True  # what was added doesn't unsay it
        return utterance, bool(feared)

    def _matters(self, utterance: Utterance) -> bool:
        """Without a wake phrase not all that is said in a room is meant for it, least of all if it always listens."""
        reply = self._mind.peek(utterance.heard)
        if reply.action == "warn" or (reply.doubts and utterance.begin <= self._talk_until):
            return True
        return not reply.overheard and (not self._always or (reply.action != "reject" and reply.confidence >= SURE))

    # --- time and sound

    def _since(self, samples: int) -> list[Samples]:
        """The last `samples`, faded in after a little silence: half a "k" of the wake phrase becomes a word."""
        if not samples:
            return []
        sound = np.concatenate(list(self._history))[-samples:].astype(np.float32)
        ramp = min(FADE_IN, len(sound))
        sound[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
        silence = LEAD_IN + -(LEAD_IN + len(sound)) % FRAME_SAMPLES
        whole = np.concatenate([np.zeros(silence, np.float32), sound]).astype(np.int16)
        return list(whole.reshape(-1, FRAME_SAMPLES))

    @property
    def _wake_phrase(self) -> str:
        return self._settings.wake_phrase or DEFAULT_PHRASE

    def _window(self) -> int:
        return round(self._settings.follow_up_s * SAMPLE_RATE)

    def _stay(self, samples: int) -> None:
        """Stays awake for so long without speech."""
        self._talk_until = self.now + samples
        self._sleep_at = None if self._always else self._talk_until

    def _acknowledge(self) -> None:
        """Somebody answers: the warning was heard, or the question."""
        self._warning, self._repeat_at, self._unanswered_at = None, None, None


def has_words(text: str, phrase: str) -> bool:
    """True when the words of `phrase` are in `text`, next to each other."""
    return f" {phrase} " in f" {text} "


def _at_least(reply: Reply, text: str) -> float:
    """How probable it must count that a danger sign or a command is over: who tells of a danger or says "no" isn't kept
    waiting, and a command that is carried out too soon does little harm."""
    if reply.action not in ("warn", "command") or text in OPENINGS or is_dangling(text):
        return 0.0
    return UNLIKELY if reply.action == "command" and len(text.split()) == 1 else HARDLY
