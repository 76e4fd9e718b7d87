"""The arithmetic of the mixed language model: what is taught becomes likely, and everything sums to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from graphs import WORDS, general, probabilities, same

from voice.fst import ARC, Graph, LanguageModelError, parse_graph
from voice.ngram import graph_of, learn, mix, model_of, tokens


def taught(sentences: Sequence[tuple[str, float]], keep: float = 0.3, boost: float = 1.0, order: int = 3) -> Graph:
    graph = parse_graph(general().file(WORDS))
    model = model_of(graph)
    return graph_of(*mix(model, learn(sentences, WORDS, model, order), keep, boost), graph.osymbols)


FACET = [("my facet joint hurts", 1.0), ("my facet hurts", 1.0), ("facet joint", 1.0)]


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("boost", [0.0, 1.0])
@pytest.mark.parametrize("keep", [0.01, 0.3, 0.9])
def test_after_every_history_the_probabilities_sum_to_one(keep: float, boost: float, order: int) -> None:
    for history, words in probabilities(taught(FACET, keep, boost, order)).items():
        assert sum(words.values()) == pytest.approx(1.0, abs=1e-4), history


def test_the_general_model_is_read_as_it_is_and_kept_when_all_of_it_is_to_be_kept() -> None:
    plain = probabilities(parse_graph(general().file(WORDS)))
    assert all(sum(words.values()) == pytest.approx(1.0, abs=1e-5) for words in plain.values())
    kept = probabilities(taught(FACET, keep=1 - 1e-9, boost=0.0))
    for history, words in plain.items():
        assert kept[history] == pytest.approx(words, rel=1e-4), history


def test_what_was_taught_becomes_likely_and_the_rest_stays_possible() -> None:
    plain, after = probabilities(parse_graph(general().file(WORDS))), probabilities(taught(FACET))
    assert after[(3,)][1] > 20 * plain[(3,)][1]  # my facet
    assert after[(1,)][5] > 2 * plain[(1,)][5]  # facet joint
    assert after[(3,)][4] > 0.2 * plain[(3,)][4]  # my faucet
    assert all(chance > 0 for words in after.values() for chance in words.values())


def test_the_familiar_gets_more_of_a_share_with_a_boost_and_the_unfamiliar_less() -> None:
    flat, boosted = probabilities(taught(FACET, boost=0.0)), probabilities(taught(FACET, boost=4.0))
    assert boosted[(3, 1)][5] > flat[(3, 1)][5]  # my facet joint
    assert boosted[(3, 4)][6] > flat[(3, 4)][6]  # my faucet drips


def test_a_sentence_counts_by_its_weight() -> None:
    def facet(sentences: Sequence[tuple[str, float]]) -> float:
        return probabilities(taught(sentences))[(3,)][1]

    drips = ("my faucet drips", 1.0)
    both = facet([("my facet hurts", 1.0), drips])
    assert facet([("my facet hurts", 0.1), drips]) < both < facet([("my facet hurts", 9.0), drips])
    assert same(taught([("my facet hurts", 0.0), drips]), taught([drips]))
    assert same(
        taught([("my facet hurts", 2.0), drips]), taught([("my facet hurts", 1.0), ("my facet hurts", 1.0), drips])
    )


def test_a_word_that_the_model_lacks_splits_its_sentence() -> None:
    whole = probabilities(taught([("my facet hurts", 1.0)]))
    split = probabilities(taught([("my spondylolisthesis hurts", 1.0), ("facet", 1.0)]))
    assert split[(3,)][2] < whole[(3, 1)][2]
    with pytest.raises(LanguageModelError, match="knows no word"):
        taught([("spondylolisthesis", 1.0)])


def test_any_numbering_of_states_is_the_same_model() -> None:
    """A const or vector graph needn't have the states in an n-gram file's order."""
    graph = parse_graph(general().file(WORDS))
    number = np.array([4, 2, 5, 0, 3, 1])
    back = np.argsort(number)
    pieces = [graph.arcs[graph.first[old] : graph.first[old + 1]].copy() for old in back]
    arcs = np.concatenate(pieces)
    arcs["next"] = number[arcs["next"]]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(piece) for piece in pieces])])
    shuffled = Graph(int(number[graph.start]), graph.final[back], first, arcs, graph.isymbols, graph.osymbols)
    one, other = model_of(graph), model_of(shuffled)
    learned = learn(FACET, WORDS, one, 3)
    assert same(
        graph_of(*mix(one, learned, 0.3, 1.0), graph.osymbols), graph_of(*mix(other, learned, 0.3, 1.0), graph.osymbols)
    )


def graph_like(arcs: Sequence[tuple[int, int, int]], states: int) -> Graph:
    rows = sorted(arcs)
    first = np.searchsorted([source for source, _, _ in rows], np.arange(states + 1))
    return Graph(0, np.zeros(states, np.float32), first, np.array([(word, word, 1.0, to) for _, word, to in rows], ARC))


@pytest.mark.parametrize(
    ("arcs", "states"),
    [
        ([(0, 1, 0)], 2),  # two states without a shorter history
        ([(0, 0, 1), (1, 0, 0), (2, 1, 2)], 3),  # a circle
        ([(0, 1, 1), (0, 1, 0), (1, 0, 0)], 2),  # a word twice
        ([(0, 0, 1), (1, 1, 1), (2, 0, 1)], 3),  # a history that nothing leads to
        ([(0, 0, 1)], 2),  # no words
    ],
)
def test_a_graph_that_is_no_backoff_model_cannot_be_taught(arcs: Sequence[tuple[int, int, int]], states: int) -> None:
    with pytest.raises(LanguageModelError, match="kind that I can't teach"):
        model_of(graph_like(arcs, states))


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("What's MY facet?", "what's my facet"),
        ("What\u2019s an x-ray, then", "what's an x ray then"),
        ("a follow-up", "a follow-up"),
        ("it 'urts me 'ead", "it urts me 'ead"),
        ("the joints' wear", "the joints wear"),
        ("L4 and l5 - or: \u201cboth\u201d...", "l4 and l5 or both"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_words_of_a_sentence(sentence: str, words: str) -> None:
    assert tokens(sentence, {"what's": 1, "follow-up": 2, "'ead": 3, "joints": 4}) == words.split()
