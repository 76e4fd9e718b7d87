"""Backoff n-gram models in numpy: reading one out of a graph, learning one from sentences, mixing two, writing it back.

The model learnt is an interpolated Kneser-Ney model; mixing is linear, history by history, into one backoff model, as
SRILM's `ngram -mix-lpm` does (Jelinek and Mercer 1980; Kneser and Ney 1995; Stolcke 2002). Rejected: a graph of the
sentences grafted onto the general one. It is no probability distribution, so that the words at its entrances get too
cheap, and it helps less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voice.fst import ARC, UNKNOWN, Graph, LanguageModelError, Longs, Symbols, targets

Doubles = npt.NDArray[np.float64]

DISCOUNT = 0.8
"""Taken off each count of the sentences and given to words not seen there."""
FAMILIARITY = 0.25
"""How much a history's likelihood in the sentences counts for their share in it, at a boost of 1."""
MOST_FAMILIARITY = 3.0
"""Nats by which that may change the odds of their share, either way."""

_LONGEST = 16
"""No language model counts runs of more words."""
_PART = 1 << 18
"""N-grams looked up at once: more would take more memory, and no less time."""
_WORD = re.compile(r"'?[^\W_]+(?:['-][^\W_]+)*'?")


@dataclass(frozen=True, eq=False)
class Backoff:
    """A backoff n-gram model. A state is a history; state 0 is the empty one, and longer ones come after shorter ones.

    The probability of a word is that of its key, else the state's backoff times its probability in the parent.
    """

    parent: Longs
    """Shape (states,): the history without its oldest word; the empty one is its own parent."""
    oldest: Longs
    """Shape (states,): the word that the parent lacks; 0 is the sentence's start."""
    depth: Longs
    """Shape (states,): words in the history."""
    backoff: Doubles
    """Shape (states,): factor; 1 for the empty history."""
    keys: Longs
    """Shape (n-grams,), increasing: state x base + word."""
    chance: Doubles
    """Shape (n-grams,): probability of the word after the history."""
    base: int
    """One more than the greatest word; the greatest is the sentence's end."""

    @property
    def end(self) -> int:
        """The label of the sentence's end."""
        return self.base - 1

    def probability(self, states: Longs, words: Longs) -> Doubles:
        """Probability of each word after each history, shape (n,) all; 0 for a word that the model lacks."""
        parts = range(0, len(states), _PART)
        found = [self._probability(states[at : at + _PART], words[at : at + _PART]) for at in parts]
        return np.concatenate([np.empty(0), *found])

    def _probability(self, states: Longs, words: Longs) -> Doubles:
        result = np.zeros(len(states))
        state, factor, pending = states.copy(), np.ones(len(states)), np.arange(len(states))
        while len(pending):
            wanted = state[pending] * self.base + words[pending]
            place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            hit = self.keys[place] == wanted
            found = pending[hit]
            result[found] = factor[found] * self.chance[place[hit]]
            pending = pending[~hit]
            pending = pending[state[pending] > 0]
            factor[pending] *= self.backoff[state[pending]]
            state[pending] = self.parent[state[pending]]
        return result


def model_of(graph: Graph) -> Backoff:
    """The model in a graph where each state but one has one arc of label 0, to the next shorter history.

    Raises LanguageModelError for any other graph.
    """
    source, word, target = graph.sources().astype(np.int64), graph.arcs["ilabel"].astype(np.int64), graph.arcs["next"]
    back = word == 0
    if back.all() or not np.array_equal(word, graph.arcs["olabel"]):
        raise LanguageModelError(UNKNOWN, "not an acceptor of words")
    roots = np.flatnonzero(np.bincount(source[back], minlength=graph.states) == 0)
    if len(roots) != 1 or int(back.sum()) != graph.states - 1:
        raise LanguageModelError(UNKNOWN, f"{int(back.sum())} backoff arcs of {graph.states} states")
    parent = np.arange(graph.states)
    parent[source[back]] = target[back]
    depth = _depths(parent, int(roots[0]))
    number = np.empty(graph.states, np.int64)  # new number of each state: shorter histories first
    number[np.argsort(depth, kind="stable")] = np.arange(graph.states)
    depth = np.sort(depth)
    backoff, parents = np.ones(graph.states), np.zeros(graph.states, np.int64)
    backoff[number[source[back]]] = np.exp(-graph.arcs["weight"][back].astype(np.float64))
    parents[number] = number[parent]

    source, target, word = number[source[~back]], number[target[~back]], word[~back]
    oldest = np.full(graph.states, -1)
    oldest[[0, number[graph.start]]] = 0
    for length in range(1, int(depth[-1]) + 1):
        # A history of n words is led to from the history of its first n - 1.
        here = (depth[target] == length) & (depth[source] == length - 1)
        oldest[target[here]] = word[here] if length == 1 else oldest[source[here]]
    if int(oldest.min()) < 0:
        raise LanguageModelError(UNKNOWN, "a state that is no history of words")
    final = np.flatnonzero(np.isfinite(graph.final))
    base = int(word.max()) + 2
    keys = np.concatenate([source * base + word, number[final] * base + base - 1])
    costs = np.concatenate([graph.arcs["weight"][~back], graph.final[final]]).astype(np.float64)
    order = np.argsort(keys)
    keys = keys[order]
    if (np.diff(keys) == 0).any():
        raise LanguageModelError(UNKNOWN, "two arcs of a state have the same word")
    return Backoff(parents, oldest, depth, backoff, keys, np.exp(-costs[order]), base)


def _depths(parent: Longs, root: int) -> Longs:
    """How many steps each state is from the root, shape (states,)."""
    depth, state = np.zeros(len(parent), np.int64), np.arange(len(parent))
    for _ in range(_LONGEST):
        below = state != root
        if not below.any():
            return depth
        depth += below
        state = parent[state]
    raise LanguageModelError(UNKNOWN, "backoff arcs in a circle")


def tokens(sentence: str, known: Mapping[str, int]) -> list[str]:
    """The words of a sentence, in the model's spelling where it knows them: "X-ray's 'ere" → x, ray's, 'ere."""
    words: list[str] = []
    for found in _WORD.findall(sentence.lower().replace("\u2019", "'").replace("\u2011", "-")):
        spellings = [found, found.rstrip("'"), found.lstrip("'"), found.strip("'")]
        spelling = next((one for one in spellings if one in known), None)
        words += [spelling] if spelling is not None else spellings[-1].split("-")
    return words


@dataclass(frozen=True, eq=False)
class _Stream:
    """Sentences as one row of words: <s> as 0, then the words, then the end; n places in all."""

    words: Longs
    """Shape (n,). A word that the model lacks has the number after the end's."""
    runs: Longs
    """Shape (n,): words that come before in the sentence, back to one that the model lacks; -1 at <s>."""
    weights: Doubles
    """Shape (n,): that of the sentence."""


def _stream(sentences: Sequence[tuple[str, float]], known: Mapping[str, int], end: int) -> _Stream:
    words: list[int] = []
    runs: list[int] = []
    weights: list[float] = []
    lost = end + 1
    for sentence, weight in sentences:
        labels = [known.get(word, lost) for word in tokens(sentence, known)]
        if not weight or not any(label < end for label in labels):
            continue
        words += [0, *labels, end]
        runs.append(-1)
        run = 1
        for label in labels:
            runs.append(run)
            run = 0 if label == lost else run + 1
        runs.append(run)
        weights += [weight] * (len(labels) + 2)
    return _Stream(np.array(words, np.int64), np.array(runs, np.int64), np.array(weights))


def learn(sentences: Sequence[tuple[str, float]], ids: Mapping[str, int], general: Backoff, order: int) -> Backoff:
    """An interpolated Kneser-Ney model of weighted sentences. It backs off to the single words of the general model, so
    that it knows the same words. Raises LanguageModelError when it knows none of the sentences'.
    """
    base = general.base
    lost, wide = base, base + 1
    singles = int(np.searchsorted(general.keys, base))
    single = np.zeros(base)
    single[general.keys[:singles]] = general.chance[:singles]
    known = {word: label for word, label in ids.items() if 0 < label < general.end and single[label] > 0}
    stream = _stream(sentences, known, general.end)
    if not len(stream.words):
        raise LanguageModelError(
            "The recognizer knows no word of what it is to be taught.", f"of {len(sentences)} sentences"
        )

    # State of the n words before each place, for n = 0, 1, ...; -1 where there are fewer.
    histories = [np.zeros(len(stream.words), np.int64)]
    parents, oldests, depths, states = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], 1
    for length in range(1, order):
        places = np.flatnonzero(stream.runs >= length)
        found, which = _numbered(histories[-1][places] * wide + stream.words[places - length])
        histories.append(np.full(len(stream.words), -1, np.int64))
        histories[-1][places] = states + which
        parents.append(found // wide)
        oldests.append(found % wide)
        depths.append(np.full(len(found), length))
        states += len(found)
    parent, oldest, depth = np.concatenate(parents), np.concatenate(oldests), np.concatenate(depths)

    counts: list[tuple[Longs, Doubles]] = []  # by length of history: history x wide + word, count
    for length, history in enumerate(histories):
        places = np.flatnonzero(stream.runs >= length)
        found, which = _numbered(history[places] * wide + stream.words[places])
        counts.append((found, np.bincount(which, stream.weights[places]).astype(np.float64)))
    for (found, count), (longer, longer_count) in zip(counts[-2::-1], counts[:0:-1], strict=True):
        # Kneser and Ney: a shorter history is asked for words in new company, so count companies, not occurrences.
        company, which = _numbered(parent[longer // wide] * wide + longer % wide)
        place = np.searchsorted(found, company)
        history = company // wide
        at_start = (history > 0) & (oldest[history] == 0)  # nothing comes before the start
        count[place] = np.where(at_start, count[place], np.bincount(which, np.minimum(longer_count, 1.0)))

    backoff = np.ones(states)
    model = Backoff(parent, oldest, depth, backoff, np.zeros(1, np.int64), np.zeros(1), base)
    for length, (found, count) in enumerate(counts):
        history, word = found // wide, found % wide
        total = np.bincount(history, count, states)
        portion = (count - DISCOUNT * np.minimum(count, 1.0)) / total[history]
        history, word, portion = history[word != lost], word[word != lost], portion[word != lost]
        backoff = np.where(total > 0, 1.0 - np.bincount(history, portion, states), backoff)
        if not length:
            chance = single * backoff[0]
            chance[word] += portion
            backoff[0] = 1.0
            keys = np.flatnonzero(chance)
            chance = chance[keys]
        else:
            portion += backoff[history] * model.probability(parent[history], word)
            keys = np.concatenate([model.keys, history * base + word])  # still increasing: longer histories come later
            chance = np.concatenate([model.chance, portion])
        model = Backoff(parent, oldest, depth, backoff, keys, chance, base)
    return model


def _numbered(keys: Longs) -> tuple[Longs, Longs]:
    """The different keys in order, and for each key, shape (n,), its place among them."""
    found, which = np.unique(keys, return_inverse=True)
    return found, which.reshape(-1)


def mix(general: Backoff, learned: Backoff, keep: float, boost: float) -> tuple[Backoff, Longs]:
    """One backoff model of `keep` parts of the one and 1 - `keep` of the other, and where its n-grams lead.

    boost: see FAMILIARITY. The targets, shape (n-grams,), are those of fst.targets; at a sentence's end they mean
    nothing. Both models must know the same words.
    """
    base = general.base
    parent, oldest, levels, numbers = _united(general, learned)
    states = len(parent)
    keys = np.union1d(
        *(new[old.keys // base] * base + old.keys % base for old, new in zip((general, learned), numbers, strict=True))
    )
    state, word = keys // base, keys % base
    theirs, ours = (
        model.probability(_suffixes(new, parent, levels)[state], word)
        for model, new in zip((general, learned), numbers, strict=True)
    )
    _, target = targets(np.bincount(parent[1:], minlength=states), oldest, state, word)
    depth = np.repeat(np.arange(len(levels)), [last - first for first, last in levels])

    # The sentences get more of a share in a history that they make likelier than the general model does.
    odds = np.zeros(states)
    ratio = np.log(np.maximum(ours, 1e-12)) - np.log(np.maximum(theirs, 1e-12))
    for length in range(1, len(levels)):
        here = np.flatnonzero((depth[target] == length) & (depth[state] == length - 1) & (word < general.end))
        odds[target[here]] = odds[state[here]] + ratio[here]
    odds = np.clip(boost * FAMILIARITY * odds, -MOST_FAMILIARITY, MOST_FAMILIARITY)
    share = 1.0 / (1.0 + keep / (1.0 - keep) * np.exp(-odds))
    chance = share[state] * ours + (1.0 - share[state]) * theirs

    backoff = np.ones(states)
    mixed = Backoff(parent, oldest, depth, backoff, keys, chance, base)
    for first, last in levels[1:]:
        # What the n-grams of a history leave is given to the shorter one's, as far as those aren't among them.
        begin, end = np.searchsorted(keys, [first * base, last * base])
        here = state[begin:end]
        shorter = mixed.probability(parent[here], word[begin:end])
        taken = np.bincount(here - first, chance[begin:end], last - first)
        given = np.bincount(here - first, shorter, last - first)
        backoff[first:last] = np.maximum(1.0 - taken, 1e-4) / np.maximum(1.0 - given, 1e-4)
    return mixed, target


def _united(one: Backoff, other: Backoff) -> tuple[Longs, Longs, list[tuple[int, int]], tuple[Longs, Longs]]:
    """All histories of two models: parent and oldest word of each, shape (states,); first and last + 1 of each length;
    and the new numbers of either model's states.
    """
    base = one.base
    numbers = (np.zeros(len(one.parent), np.int64), np.zeros(len(other.parent), np.int64))
    both = tuple(zip((one, other), numbers, strict=True))
    parents, oldests, levels = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], [(0, 1)]
    for length in range(1, 1 + max(int(one.depth.max()), int(other.depth.max()))):
        places = [np.flatnonzero(model.depth == length) for model, _ in both]
        keys = [new[model.parent[at]] * base + model.oldest[at] for (model, new), at in zip(both, places, strict=True)]
        found = np.union1d(*keys)
        first = levels[-1][1]
        for (_, new), at, key in zip(both, places, keys, strict=True):
            new[at] = first + np.searchsorted(found, key)
        parents.append(found // base)
        oldests.append(found % base)
        levels.append((first, first + len(found)))
    return np.concatenate(parents), np.concatenate(oldests), levels, numbers


def _suffixes(numbers: Longs, parent: Longs, levels: list[tuple[int, int]]) -> Longs:
    """For each history, shape (states,), its longest suffix that is a state of the model with these state numbers."""
    suffix = np.full(len(parent), -1, np.int64)
    suffix[numbers] = np.arange(len(numbers))
    for first, last in levels[1:]:
        own = suffix[first:last]
        suffix[first:last] = np.where(own < 0, suffix[parent[first:last]], own)
    return suffix


def graph_of(model: Backoff, target: Longs, symbols: Symbols | None) -> Graph:
    """The graph of a model. `target`: see mix. It starts in the history <s>.

    It has one symbol table, for output, which is the one that Vosk uses: a second one would cost it 20 MB and 0.1 s.
    """
    states = len(model.parent)
    state, word = model.keys // model.base, model.keys % model.base
    cost = -np.log(np.maximum(model.chance, 1e-30))
    ends = word == model.end
    final = np.full(states, np.inf, np.float32)
    final[state[ends]] = cost[ends]
    state, word, cost, target = state[~ends], word[~ends], cost[~ends], target[~ends]
    counts = np.bincount(state, minlength=states)
    counts[1:] += 1  # the backoff arc comes first: labels must be in order
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    arcs = np.zeros(int(first[-1]), ARC)
    arcs["weight"][first[1:-1]], arcs["next"][first[1:-1]] = -np.log(model.backoff[1:]), model.parent[1:]
    place = np.arange(len(word)) + state  # as many backoff arcs stand before it, for state 0 has none
    arcs["ilabel"][place] = arcs["olabel"][place] = word
    arcs["weight"][place], arcs["next"][place] = cost, target
    start = int(np.flatnonzero((model.depth == 1) & (model.oldest == 0))[0])
    return Graph(start, final, first, arcs, None, symbols)
