"""Machine-made variants of a sentence: what people and recognizers do to it without changing what it means.

For checking rules, not for understanding: each example of a rule must keep warning in (nearly) all of its variants,
each counter-example must stay quiet in (nearly) all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from random import Random

FILLERS = ("um", "er", "well", "you know", "i mean", "sort of", "just", "really")
LEAD_INS = (
    "",
    "so",
    "um well",
    "hello",
    "listen",
    "right then",
    "excuse me",
    "can i ask you something",
    "thing is",
    "hey back talk",
)
TAILS = ("", "thank you", "that's all", "you know", "if you see what i mean", "love", "er", "okay")
URGENT_TAILS = (
    "",
    "and i don't know what to do",
    "since this morning",
    "and what is facet hypertrophy",
    "all of a sudden",
    "help me",
)
URGENT_LEADS = (
    "",
    "is it normal that",
    "what is facet hypertrophy and",
    "i don't want to make a fuss but",
    "my back hurts and",
    "no change",
)
DROPPED = frozenset({"the", "a", "an", "has", "is", "are", "of", "on", "it", "so", "that", "have", "and"})
PERSONS: tuple[Mapping[str, str], ...] = (
    {},
    {"my": "me"},
    {
        "i": "he",
        "i'm": "he's",
        "i've": "he's",
        "my": "his",
        "me": "him",
        "myself": "himself",
        "don't": "doesn't",
        "am": "is",
    },
    {
        "i": "she",
        "i'm": "she's",
        "i've": "she's",
        "my": "her",
        "me": "her",
        "myself": "herself",
        "don't": "doesn't",
        "am": "is",
    },
    {"his": "my", "her": "my", "himself": "myself", "he": "i", "she": "i", "he's": "i'm", "she's": "i'm"},
)
FORMS: tuple[Mapping[str, str], ...] = (
    {},
    {"can't": "cannot", "won't": "will not", "don't": "do not", "doesn't": "does not", "i'm": "i am", "i've": "i have"},
    {"can't": "cant", "won't": "wont", "don't": "dont", "doesn't": "doesnt", "i'm": "im", "i've": "ive"},
    {"can't": "couldn't", "won't": "wouldn't", "is": "was", "are": "were", "don't": "didn't", "doesn't": "didn't"},
    {"cannot": "can't", "has": "'s", "nothing": "nowt"},
)


def _replaced(words: Sequence[str], table: Mapping[str, str]) -> str:
    return " ".join(table.get(word, word) for word in words)


def said_otherwise(text: str) -> Iterator[str]:
    """The text in other persons and spellings, and with one small word left out."""
    words = text.lower().split()
    for person, form in product(PERSONS, FORMS):
        yield _replaced(_replaced(words, person).split(), form)
    for place, word in enumerate(words):
        if word in DROPPED:
            yield " ".join(words[:place] + words[place + 1 :])


def filled(text: str, random: Random) -> str:
    """The text with one or two fillers between its words."""
    words = text.split()
    for _ in range(random.choice((1, 2))):
        words.insert(random.randrange(len(words) + 1), random.choice(FILLERS))
    return " ".join(words)


def variants(text: str, count: int, seed: int, urgent: bool) -> list[str]:
    """Up to `count` different variants; the same ones for the same seed. `urgent` adds clauses that leave a danger sign
    one.
    """
    random = Random(seed)
    forms = list(dict.fromkeys(said_otherwise(text)))
    leads = LEAD_INS + URGENT_LEADS if urgent else LEAD_INS
    tails = TAILS + URGENT_TAILS if urgent else TAILS
    found: dict[str, None] = dict.fromkeys(forms)
    for _ in range(count * 4):
        if len(found) >= count:
            break
        form = random.choice(forms)
        if random.random() < 0.5:
            form = filled(form, random)
        found[" ".join(f"{random.choice(leads)} {form} {random.choice(tails)}".split())] = None
    return list(islice(found, count))


def misheard(text: str, confusions: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The text with each word that a recognizer is known to miss (said, heard) written as heard."""
    padded = f" {text.lower()} "
    for said, heard in confusions:
        if f" {said} " in padded:
            yield padded.replace(f" {said} ", f" {heard} ").strip()
