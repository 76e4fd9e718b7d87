"""The conversation as a state machine: frames and news of the mouth in, effects out.

It reads no clock, starts no thread and opens no device: time is the number of samples fed, so a recording runs
through exactly the code that a microphone runs through.

    asleep ─ wake phrase ▶ listening ─ speech ▶ hearing ─ end of it ▶ speaking ─ mouth is done ▶ listening ─ ▶ asleep

While it speaks it goes on hearing. "Stop", the wake phrase, a command or a danger sign break in; so does a person who
had not finished, whose question then goes on. Its own words, heard through the room, are known and dropped.
"""

from __future__ import annotations

from dataclasses import replace

from intents.heard import Heard
from intents.reply import Reply
from voice.attention import Answered, Attention, has_words
from voice.cues import CueName
from voice.echo import PHRASE_LINGER
from voice.effects import Cue, Effect, Hush, Keep, OtherVoice, Say, State, Told
from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.orders import Order
from voice.second_hearing import heard_again
from voice.settings import PATIENCES, Settings
from voice.turn import Utterance
from voice.vad import Activity
from voice.wake import found_in

AWAKE = 8 * SAMPLE_RATE
"""Samples in which a question is awaited after the wake phrase or after a question back to the person."""
REPEAT_URGENT = 20 * SAMPLE_RATE
"""Samples without a word from the person after which an urgent warning is said once more."""
AWAKE_CUE = round(0.3 * SAMPLE_RATE)
"""Samples of silence after the wake phrase before the cue: who goes on in one breath is not talked over."""
GATE = round(0.5 * SAMPLE_RATE)
"""Samples for which phrases are still looked for after the last speech."""
BEFORE_SPEECH = SAMPLE_RATE
"""Samples before speech is noticed in which a phrase may have begun: in noise its last word may be the first that is taken for speech.
Of 60 calls by MBROLA's voices in a kitchen 59 are heard instead of the 52 with half of that, of development voices' 110 it is 108 instead of 104."""
FAREWELLS = 2
"""How often it says how to come back when it goes idle; then the cue is known."""
CLEARED = round(0.5 * SAMPLE_RATE)
"""Samples for which a word that breaks in waits to be heard by the recognizer too, where its own voice returns."""
NO_ECHO = 2 * SAMPLE_RATE
"""Samples of speaking without hearing itself after which its own voice is known not to return."""
HELD = round(1.2 * SAMPLE_RATE)
"""Samples for which a reply that stopped for a sound waits for words in it; then it was no speech."""
STRANGE = 2
"""Turns in a row, without the wake phrase, that were turned away: then a television talks, or somebody who needs to begin anew."""
TOO_LONG = "That was very long, so I stopped listening. Please ask me one short question."
_RATES = ("slower", "faster", "louder", "quieter")


class Loop(Attention):
    """One listener's conversation. Feed it every frame of the microphone, in order."""

    def feed(self, frame: Samples) -> list[Effect]:
        """Takes the next frame of the microphone."""
        self.now += len(frame)
        self._history.append(frame)
        self._detector.accept(frame)
        activity = self._detector.state
        spotted = self._spot(frame, activity)
        if spotted is not None:
            self._turn.skip(len(frame))
            return spotted
        if self.state is State.ASLEEP:
            self._turn.skip(len(frame))
            return self._timers()
        over = self._turn.feed(frame, activity)
        may_go_on = self._may_go_on()
        utterance = self._turn.finish() if over else None
        if may_go_on and (effects := self._going_on(utterance)) is not None:
            return effects
        if self.state is State.SPEAKING:
            return self._while_speaking(utterance)
        self.state = State.HEARING if self._turn.hearing else State.LISTENING
        return self._timers() if utterance is None else self._understand(utterance)

    def saying(self, sentence: str, behind: int = 0) -> None:
        """News of the mouth: this sentence begins to sound. behind: samples recorded already, but not yet fed."""
        self._echo.say(sentence, self.now + behind)

    def silent(self, behind: int = 0) -> list[Effect]:
        """News of the mouth: everything was said, or it was stopped. behind: samples recorded, but not yet fed."""
        self._echo.quiet(self.now + behind)
        if self._heard_itself or self.now - self._spoke_at >= NO_ECHO:
            self._echoing = self._heard_itself
        if self.state is not State.SPEAKING:
            return []
        if self._reply.ends and (self._muted or not self._always):
            effects = self._sleep("muted" if self._muted else "idle")
            return [] if self._announcing else effects
        self.state = State.HEARING if self._turn.hearing else State.LISTENING
        window = self._window()
        self._stay(max(window, AWAKE) if self._reply.expects_reply else window)
        if self._warning is not None and self._repeat_at is None:
            self._repeat_at = self.now + REPEAT_URGENT
        if self._reply.doubts:
            self._unanswered_at = self.now + AWAKE
        return []

    def say(self, reply: Reply) -> list[Effect]:
        """Makes it say what nobody asked for: a greeting, news of a device. If it `ends`, no cue follows."""
        self._turn.drop()
        self._forget()
        effects = self._carry_out(reply)
        self._announcing = True
        return effects

    def wake(self) -> list[Effect]:
        """Wakes it without the phrase: a key was pressed. Interrupts it when it speaks."""
        if self._danger_so_far():
            return self._hear_on()
        return [*self._hush(), *self._awake([]), *self._cue_awake()]

    def apply(self, settings: Settings) -> None:
        """Settings that were changed elsewhere."""
        self._settings = settings

    # --- the wake phrase and words that break in

    def _spot(self, frame: Samples, activity: Activity) -> list[Effect] | None:
        fresh = [frame]
        if activity is not Activity.QUIET:
            if self.now > self._open_until:  # the gate opens: what came just before may belong to a phrase
                unheard = min(max(self.now - self._open_until, GATE), BEFORE_SPEECH)
                fresh = list(self._history)[-unheard // FRAME_SAMPLES :]
            self._open_until = self.now + GATE
        elif self.now > self._open_until:
            self._spotter.reset()
            return None
        found = found_in(fresh, self._spotter, self._may_be_called)
        if found is None:
            return None
        phrase, since = found
        if self._echo.is_own(phrase, self.now, PHRASE_LINGER):
            return None
        if self._danger_so_far():  # "I can't feel my legs, stop": what was said is not thrown away for one word in it
            return self._hear_on()
        if phrase == self._wake_phrase:
            self._awake_cue_at = self.now + AWAKE_CUE
            return [*self._hush(), *self._awake(self._since(since))]
        if self._held is not None:
            self._doubted = phrase, self.now  # it is silent already: the words will tell
        if self.state is not State.SPEAKING:
            return None  # "stop" in a question is a word like any other
        if (self._echoing or self._may_go_on()) and not has_words(self._turn.text, phrase):
            # Half a word of its own sounds like "stop", and so does "steps" of who goes on with a question.
            self._doubted = phrase, self.now + CLEARED
            return None
        return self._break_in(phrase)

    def _break_in(self, phrase: str) -> list[Effect]:
        self._turn.drop()
        reply = self._mind.reply(Heard(phrase))
        effects = self._hush()
        self._forget()
        self.state = State.LISTENING
        self._acknowledge()
        if reply.action == "warn":  # "stop" is no clear no to "did you say that ...?"
            return [*effects, *self._carry_out(reply)]
        self._stay(max(AWAKE, self._window()))
        return effects

    def _hear_on(self) -> list[Effect]:
        """Quiet, and hears what is being said to its end, as if it had been called."""
        self._called = True
        effects = self._hush()
        self.state = State.HEARING
        self._stay(AWAKE)
        return effects

    def _awake(self, kept: list[Samples]) -> list[Effect]:
        self._acknowledge()
        self._forget()
        self._turn.begin(kept)
        self._called = True
        self.state = State.HEARING
        self._stay(AWAKE)
        return []

    def _cue_awake(self) -> list[Effect]:
        self._awake_cue_at = None
        return [Cue("awake")]

    def _hush(self) -> list[Effect]:
        if self.state is not State.SPEAKING:
            return []
        self.state = State.LISTENING
        self._stay(self._window())
        return [Hush()]

    # --- while it speaks

    def _while_speaking(self, utterance: Utterance | None) -> list[Effect]:
        if utterance is not None:
            text = utterance.heard.text
            if self._foreign(text, utterance.begin) and self._breaks_in(text):
                return [*self._hush(), *self._understand(utterance)]
            return []
        text = self._turn.text
        if self._doubted is not None:
            phrase, until = self._doubted
            if has_words(text, phrase):
                return self._hear_on() if self._danger_so_far() else self._break_in(phrase)
            if self.now >= until:
                self._doubted = None
        if text == self._checked:
            return []
        if not self._foreign(text, self._turn.began):
            self._heard_itself |= len(text.split()) >= 2
            return []
        self._checked = text
        if self._warns(text):
            effects = self._hush()
            self.state = State.HEARING  # quiet at once; the answer comes when the person has finished
            self._feared = text
            return effects
        return []

    # --- a person who goes on

    def _going_on(self, utterance: Utterance | None) -> list[Effect] | None:
        """Somebody speaks soon after what was answered, or has ended. None when that is judged like other speech.

        Nobody interrupts after half a second to say something else: the question wasn't over yet.
        """
        if self._last is None:
            return None
        before = self._last.utterance
        began, text = self._turn.began, self._turn.text
        if utterance is not None:
            began, text = utterance.begin, utterance.heard.text
        if self._held and self._doubted and utterance is not None and len(text.split()) <= 2:
            return self._break_in(self._doubted[0])
        goes_on = self._goes_on(text, began)
        whole = self._turn.whole(before, utterance) if goes_on and utterance is not None else None
        if goes_on and self._last.reply is not None and self._last.reply.action == "warn" and not self._adds(whole):
            return None if utterance is None else []
        if goes_on:
            effects = self._take_back(text)
            if whole is not None:
                return [*effects, *self._understand(whole)]
            self._turn.resume(before)
            return effects
        if self._held is not None:
            reply, until = self._held
            if utterance is not None and self._silences(text):
                return self._break_in(text)
            return self._speak(reply) if utterance is not None or self.now >= until else []
        if utterance is None and self.state is State.SPEAKING and self._may_be_held(began):
            effects = self._hush()
            self.state, self._held = State.HEARING, (self._reply, self.now + HELD)
            return effects
        return None

    def _may_be_held(self, began: int) -> bool:
        """Whether the reply stops for speech before there are words. Not a warning, nor for what may be its own."""
        return self._reply.action != "warn" and self._echo.silent_at(began)

    def _take_back(self, text: str) -> list[Effect]:
        """As if what was answered hadn't been: the words before belong to those that are heard now."""
        last, effects = self._last, self._hush()
        if last is None:
            return effects
        if last.reply is not None:
            self._mind.undo()
            if last.reply.action == "warn":
                self._taken_back = last.utterance
        if self._settings != last.settings:
            effects += self._keep(last.settings)
        if self._warns(text):
            self._feared = text
        self._called = last.called or (last.reply is not None and not self._always)
        self._muted, self._whole = False, True
        self._last, self._held, self._doubted = None, None, None
        self.state = State.HEARING
        return effects

    # --- an utterance

    def _understand(self, utterance: Utterance) -> list[Effect]:
        self.state = State.LISTENING
        utterance, kept = self._with_danger(utterance)
        heard = utterance.heard
        whole, self._whole = self._whole, False
        if not kept and not whole and not self._foreign(heard.text, utterance.begin):
            return []
        called, self._called = self._called, False
        order = self._order(heard)
        if order is not None:
            self._acknowledge()
            self._last = Answered(utterance, called, self._settings)
            return self._obey(utterance, order)
        if not called and not self._matters(utterance):
            if not self._always:  # a television would go on with its own words for ever
                self._last = Answered(utterance, called, self._settings)
            return []  # nor does it acknowledge a warning
        self._acknowledge()
        heard = heard_again(utterance, self._turn.again, self._mind.peek)
        reply = self._mind.reply(heard)
        self._last = Answered(utterance, called, self._settings, reply)
        if utterance.cut and reply.action not in ("answer", "warn") and not reply.doubts:
            reply = replace(reply, sentences=(TOO_LONG,), urgent_sentences=0)
        # "Stenosis" is heard as "stand on", and that as "stop": it waits on for who has called and was told nothing.
        self._called = called and not reply.sentences
        self._strange = 0 if called or reply.action != "reject" else self._strange + 1
        if self._strange >= STRANGE and not self._always:
            reply = replace(reply, sentences=(*reply.sentences[:1], self._farewell), ends=True, expects_reply=False)
        return [Told(replace(utterance, heard=heard), reply), *self._carry_out(reply)]

    def _carry_out(self, reply: Reply) -> list[Effect]:
        effects: list[Effect] = []
        if reply.intent in _RATES and reply.action == "command":
            effects += self._keep(getattr(self._settings, reply.intent)())
        if not reply.sentences:
            effects += self._hush()
            self._stay(max(AWAKE, self._window()))
            return effects
        if reply.action == "warn" and reply.urgent_sentences:
            self._warning = reply
        return [*effects, *self._speak(reply)]

    def _speak(self, reply: Reply) -> list[Effect]:
        self._held = None
        self._reply, self._checked, self._announcing = reply, "", False
        self._heard_itself, self._doubted, self._spoke_at = False, None, self.now
        self.state, self._sleep_at = State.SPEAKING, None
        return [Say(reply)]

    def _obey(self, utterance: Utterance, order: Order) -> list[Effect]:
        effects: list[Effect] = []
        place = PATIENCES.index(self._settings.patience)
        if order in ("more_time", "less_time"):
            place = max(0, min(len(PATIENCES) - 1, place + (1 if order == "more_time" else -1)))
            effects += self._keep(replace(self._settings, patience=PATIENCES[place]))
            sentence = "Take your time, I wait longer now." if order == "more_time" else "I answer sooner now."
        elif order == "other_voice":
            effects.append(OtherVoice())
            sentence = "This is how I sound now."
        else:
            self._muted = True
            sentence = f"I don't listen any more. To wake me, say: {self._wake_phrase}."
        reply = Reply("command", None, sentences=(sentence,), ends=order == "mute")
        return [Told(utterance, reply), *effects, *self._carry_out(reply)]

    def _forget(self) -> None:
        """What comes next is something new."""
        self._last, self._held, self._doubted, self._whole = None, None, None, False

    def _keep(self, settings: Settings) -> list[Effect]:
        self._settings = settings
        return [Keep(settings)]

    # --- time

    def _sleep(self, cue: CueName = "idle") -> list[Effect]:
        self.state, self._sleep_at, self._muted = State.ASLEEP, None, False
        self._forget()
        self._turn.rest()
        return [Cue(cue)]

    @property
    def _farewell(self) -> str:
        return f"I go quiet now. To go on, say: {self._wake_phrase}."

    def _timers(self) -> list[Effect]:
        if self._awake_cue_at is not None and self.now >= self._awake_cue_at:
            self._awake_cue_at = None
            if not self._turn.text and self._detector.state is not Activity.SPEAKING:
                return self._cue_awake()
        if self.state is not State.LISTENING:
            return []
        if self._warning is not None and self._repeat_at is not None:
            if self.now < self._repeat_at:
                return []  # nobody is left alone with a warning
            again = replace(
                self._warning, sentences=self._warning.sentences[: self._warning.urgent_sentences], expects_reply=True
            )
            self._acknowledge()
            effects = self._carry_out(again)
            self._warning = None
            return effects
        if self._unanswered_at is not None and self.now >= self._unanswered_at:
            self._unanswered_at = None
            reply = self._mind.idle()
            if reply.action == "warn":
                return self._carry_out(reply)
        if self._sleep_at is None or self.now < self._sleep_at:
            return []
        farewell = self._mind.idle()
        if not farewell.sentences and self._farewells < FAREWELLS:
            farewell = replace(farewell, sentences=(self._farewell,))
        self._farewells += 1
        effects = self._sleep()
        return [*effects, Say(farewell)] if farewell.sentences else effects
