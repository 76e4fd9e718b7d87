"""Compiling a pack: its wordings → the numbers that understand them, and tell where people stop. Run by `backtalk pack compile`.

The encoder is shared by all packs and stays as it is; a pack learns two linear maps, over its vectors and over n-grams. The temperature is set on writers
that were left out of the training, each in turn, so that the stated confidence holds for a person whom nobody wrote for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intents import ends
from intents.buckets import Buckets
from intents.encoder import Encoder, Vectors
from intents.grams import BUCKETS, Grams, Hashed, hashed, rarity_of, weighed
from intents.head import Head
from intents.pack import Example, Pack, load_pack, shared_folder, spoken_to_it
from intents.text import without_fillers

Counts = npt.NDArray[np.float64]

STRENGTH = 10.0
"""Inverse of the regularisation, of both maps; flat from 5 to 50 on held-out writers."""
END_ROUNDS = 10
"""Rounds of fitting where people stop: twice as many, less regularised, find 1 of 100 ends more."""
GRAM_ROUNDS = 60
"""Rounds of fitting the n-grams: more of them change nothing on held-out writers."""
BACKGROUND = Path(__file__).parent / "data" / "background.txt"
"""Sentences about anything at all (see tools/train_encoder/background.py): most of what a room says is about something else."""
SOMEBODY = "wordnet"
"""The writer of the background, who is never left out."""
EACH = 6
"""Every so manieth sentence of the background is enough for a linear map, and a sixth of the time."""
OWN = 6.0
"""How often a pack's own wordings count where another's are shared, which are many: of a left-out writer's questions about the second pack 87.1 % have the
likeliest label right; counted once 82.9 %."""
CHUNK = 64
FOLDS, TRIED = 4, 2
"""A quarter of the writers is left out at a time; two of the quarters tell the temperature well enough, in half the time."""
TEMPERATURES = np.geomspace(0.5, 3.0, 40)


def background() -> tuple[Example, ...]:
    """Sentences of no concern to any pack."""
    lines = BACKGROUND.read_text(encoding="utf-8").splitlines()
    return tuple(Example(line, "oos:talk", "oos", SOMEBODY) for line in lines if line and not line.startswith("#"))


def examples_for(pack: Pack) -> tuple[Example, ...]:
    """The pack's own wordings, those of the packs that it shares, except their questions, and some background. Raises PackError."""
    own = pack.examples
    shared = (
        example
        for name in pack.about.shares
        for example in load_pack(shared_folder(pack, name)).examples
        if example.section in ("urgent", "command", "oos") or example.label == "oos:counter"
    )
    return tuple(dict.fromkeys([*own, *shared, *background()[::EACH]]))


def fingerprint(examples: Sequence[Example]) -> str:
    """Tells whether wordings have changed since a head was made from them."""
    lines = sorted(f"{example.text}\t{example.label}" for example in examples)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def vectors(encoder: Encoder, texts: Sequence[str], progress: Callable[[float], None] | None = None) -> Vectors:
    """Unit vectors of many texts; short ones are encoded together so that little is padded."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), encoder.width), np.float32)
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        out[rows] = encoder.encode([without_fillers(texts[i]) for i in rows])
        if progress:
            progress(min(1.0, (start + CHUNK) / len(order)))
    return out


def fit(x: Vectors, labels: Sequence[str], counts: Counts | None = None) -> Head:
    """Softmax regression (scikit-learn's, from the extra `packs`). `counts`, shape (rows,): how often each row counts, else once."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=400).fit(x, np.array(labels), sample_weight=counts)
    return Head(tuple(map(str, model.classes_)), model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))


def _table(rows: Hashed, values: Sequence[npt.NDArray[np.float32]], width: int) -> Any:
    """Hashed features of texts and how much each counts, as scipy's sparse matrix of shape (texts, width)."""
    from scipy.sparse import csr_array

    ends_of_rows = np.cumsum([0, *map(len, rows)], dtype=np.int32)  # scikit-learn takes no 64-bit indices
    return csr_array((np.concatenate(values), np.concatenate(rows), ends_of_rows), shape=(len(rows), width))


def _fitted(model: Any, x: Any, wanted: Sequence[object], counts: Counts | None = None) -> Any:
    """The linear model of scikit-learn fitted to `x`, stopped early on purpose and without its warning of that."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, np.array(wanted), sample_weight=counts)


def fit_grams(rows: Hashed, labels: Sequence[str], counts: Counts | None = None) -> Grams:
    """The same over hashed n-grams; its columns are the sorted labels, as the head's are."""
    from sklearn.linear_model import LogisticRegression

    rarity = rarity_of(rows)
    x = _table(rows, [weighed(row, rarity) for row in rows], BUCKETS)
    model = _fitted(LogisticRegression(C=STRENGTH, max_iter=GRAM_ROUNDS, tol=1e-3), x, labels, counts)
    step = np.maximum(np.abs(model.coef_).max(axis=1), 1e-6) / 127
    weights = np.rint(model.coef_.T / step).astype(np.int8)
    return Grams(weights, step.astype(np.float32), model.intercept_.astype(np.float32), rarity)


def ends_of(examples: Sequence[Example]) -> ends.Ends:
    """Where people stop, learned from those of the wordings that are said to the machine."""
    return fit_ends([example.text for example in spoken_to_it(examples)])


def fit_ends(texts: Sequence[str]) -> ends.Ends:
    """Whole wordings against all their beginnings; scikit-learn's logistic regression by gradient descent.

    A wording counts as often as writers have it: "is it permanent" is whole more often than it is a beginning.
    """
    from sklearn.linear_model import SGDClassifier

    rows: list[Buckets] = []
    whole: list[bool] = []
    for text in texts:
        words = text.split()
        rows += [ends.hashed(" ".join(words[:end])) for end in range(1, len(words) + 1)]
        whole += [end == len(words) for end in range(1, len(words) + 1)]
    x = _table(rows, [np.full(len(row), 1 / np.sqrt(np.float32(len(row)))) for row in rows], ends.BUCKETS)
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=END_ROUNDS, random_state=0)
    _fitted(model, x, whole)
    return ends.Ends(model.coef_[0].astype(np.float16), float(model.intercept_[0]))


def fit_both(x: Vectors, rows: Hashed, labels: Sequence[str], counts: Counts | None = None) -> Head:
    """A head over vectors and n-grams."""
    return replace(fit(x, labels, counts), grams=fit_grams(rows, labels, counts))


def calibrated(
    head: Head, x: Vectors, rows: Hashed, labels: Sequence[str], writers: Sequence[str], counts: Counts
) -> Head:
    """The head with the temperature that makes left-out writers' sentences most likely."""
    names = sorted(set(writers) - {SOMEBODY})
    if len(names) < 2:
        return replace(head, temperature=1.5)  # one writer tells nothing about the next: be modest
    array, by = np.array(labels), np.array(writers)
    folds = [names[i::FOLDS] for i in range(min(TRIED, len(names)))]
    scored: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = []
    for held in folds:
        out = np.isin(by, held)
        part = fit_both(x[~out], list(compress(rows, ~out)), list(array[~out]), counts[~out])
        known = out & np.isin(array, part.labels)
        wanted = np.array([part.labels.index(label) for label in array[known]])
        scored.append((part.logits(x[known], list(compress(rows, known))), wanted))
    losses = [np.mean([loss_of(logits / t, wanted) for logits, wanted in scored]) for t in TEMPERATURES]
    return replace(head, temperature=float(TEMPERATURES[int(np.argmin(losses))]))


def loss_of(logits: npt.NDArray[np.float32], wanted: npt.NDArray[np.int64]) -> float:
    """Mean of minus the log probability of the wanted labels (columns)."""
    top = logits.max(axis=1, keepdims=True)
    normaliser = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float((normaliser - logits[np.arange(len(wanted)), wanted]).mean())


def compile_pack(pack: Pack, encoder: Encoder, progress: Callable[[float], None] | None = None) -> Head:
    """Raises PackError when wordings can't be read, ImportError without scikit-learn."""
    examples = examples_for(pack)
    x = vectors(encoder, [example.text for example in examples], progress)
    labels = [example.label for example in examples]
    own = frozenset(pack.examples)
    counts = np.array([OWN if pack.about.shares and example in own else 1.0 for example in examples])
    rows = hashed([without_fillers(example.text) for example in examples])
    head = fit_both(x, rows, labels, counts)
    head = calibrated(head, x, rows, labels, [example.writer for example in examples], counts)
    return replace(head, made_from=fingerprint(examples), ends=ends_of(examples))


def compile_to(folder: Path, encoder: Encoder, file: Path, progress: Callable[[float], None] | None = None) -> Head:
    """Compiles the pack in `folder` and writes its numbers to `file`."""
    head = compile_pack(load_pack(folder), encoder, progress)
    head.save(file)
    return head
