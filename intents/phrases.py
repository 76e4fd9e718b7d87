"""What Backtalk says about itself: short plain sentences that hold for every pack."""

from __future__ import annotations

NOTHING_HEARD = (
    "I didn't hear any words. Please say it again.",
    "I still heard no words. Come a little closer, and ask me in one short sentence.",
    "I hear nothing that I can understand. I'm still here: try again any time.",
)
ORIENT = "I can tell you {first}, {second}, or {third}."
NOT_UNDERSTOOD = (
    "I didn't understand that.",
    "I'm still not sure what you mean.",
    "Sorry, I can't make that out.",
)
READY = "I'm ready when you want to ask something else."
SAY_HELP = 'Say "help" to hear what you can ask.'
DEVICE = "I can't do that: I only answer questions about {name}."
OVERHEARD = "I think that was not meant for me."
OVERHEARD_AGAIN = "I can't tell whether you mean me."
OTHER_LANGUAGE = "I only understand English."
CLARIFY_TWO = "Do you want to know {first}, or {second}?"
CLARIFY_ONE = "Do you want to know {first}?"
CLARIFY_PACK = "Do you mean {first}, or {second}?"
CLARIFY_AGAIN = "Please say the first one, or the second one."
NOTHING_MORE = "That is all I have on that."
NOTHING_SAID = "I haven't said anything yet."
GOODBYE = "Goodbye, and take care."
COMMANDS = {
    "stop": "",
    "louder": "Louder.",
    "quieter": "Quieter.",
    "slower": "Slower.",
    "faster": "Faster.",
}
"""What is said when it has been done: in the new volume or at the new rate."""
YES_TO_NOTHING = "Yes to what? Please ask me a question."
NO_TO_NOTHING = "All right."
HELP_COMMANDS = 'You can also say "repeat", "more", "slower", "louder", "stop" or "goodbye".'

SETTLED = (
    "i have called them", "i've called them", "i called them", "i've called", "i've rung them", "i rang them",
    "they are coming", "they're coming", "help is coming", "help is on the way", "the ambulance is coming",
    "an ambulance is coming", "the ambulance is on its way", "it's on its way", "the ambulance is here",
    "they're here now", "i've dealt with it", "it's been dealt with", "it has been dealt with", "that's dealt with",
    "i've already called", "i already called", "i've seen the doctor about it", "the doctor has seen me",
    "i've been seen", "it's sorted", "that's sorted", "i've spoken to the doctor", "we've phoned",
    "we've called the doctor", "the nurse is here",
)  # fmt: skip
"""What people say when the danger is being taken care of: the reminder stops."""
