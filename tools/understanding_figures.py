"""Measures how well text is understood, and writes the figures into docs/understanding.md and docs/images/.

    python -m tools.understanding_figures curve FOLDER --base MINILM        # FOLDER from tools.train_encoder.curve
    python -m tools.understanding_figures ablation
    python -m tools.understanding_figures breath
    python -m tools.understanding_figures readings REPORT [--cache FOLDER]  # REPORT: of backtalk evaluate on recordings
    python -m tools.understanding_figures calibration NAME REPORT           # of backtalk evaluate on anything
    python -m tools.understanding_figures peers TABLES                      # of python -m benchmarks.peers --markdown
    python -m tools.understanding_figures write

Each but the last measures one thing and keeps the figures in docs/images/understanding.json; `write` makes tables and plots of them. The sentences are
those of writers who are in no pack and at whom nobody looked. MINILM is the folder of the published all-MiniLM-L6-v2. Needs the extras peers and evaluate.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np

from benchmarks.peers.corpus import tried_audio, tried_writers
from benchmarks.peers.product import Product
from intents.clauses import clauses
from intents.compile import CHUNK, fit, vectors
from intents.encoder import Encoder, Vectors
from intents.grams import hashed
from intents.head import Head
from intents.heard import Heard
from intents.pack import Example, bundled, load_pack, read_wordings, wording_files
from intents.schema import URGENT
from intents.understand import ENCODER, HEAD, Understander, normalise_reading
from intents.urgent import Sign, UrgentRules
from tools.train_encoder.curve import files, in_order
from tools.train_encoder.finish import SEEN, WRITERS, calibrated_on
from tools.understanding_pages import write_pages
from voice.evaluate.figures import Rate, main_rates
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result, from_json

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs" / "images" / "understanding.json"
LAYERS = (0, 1, 2)
"""Of the published model, those that the shipped encoder began as."""
SHOWN = {
    "right": "questions right",
    "right_or_offered": "questions right or asked back with the right one",
    "wrong": "questions wrong",
    "found": "danger signs found",
    "found_or_asked": "danger signs found or asked about",
    "false_counter": "false warnings, danger words without danger",
    "false_other": "false warnings, all others",
    "oos_answered": "out of scope answered",
    "illness_answered": "other illness answered",
    "commands": "commands carried out",
}
"""Key → name in `backtalk evaluate`."""
Figures = dict[str, list[int]]
"""Key → [hits, tried]."""


class NoRules(UrgentRules):
    """Finds nothing."""

    def __init__(self) -> None:
        """Needs no files, unlike its base."""

    def find(self, text: str) -> tuple[Sign, ...]:
        return ()

    def suppressed(self, text: str) -> tuple[Sign, ...]:
        return ()


class RulesAlone(Understander):
    """Danger by rule only: what was learned neither finds a sign nor takes one back. Questions are understood as ever."""

    def _learned(self, *_: Any) -> tuple[dict[str, float], dict[str, float]]:
        return {}, {}

    def _backed(self, *_: Any) -> bool:
        return True


class Remembering(Encoder):
    """Encodes each text once: the same sentences are tried many times over."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Any] = {}

    @property
    def width(self) -> int:
        return self._encoder.width

    def encode(self, texts: Sequence[str]) -> Vectors:
        new = sorted({text for text in texts if text not in self._known}, key=lambda text: (len(text), text))
        for start in range(0, len(new), CHUNK):
            some = new[start : start + CHUNK]
            self._known.update(zip(some, self._encoder.encode(some), strict=True))
        return np.stack([self._known[text] for text in texts])

    def learn(self, lines: Sequence[Line]) -> None:
        """All that understanding these will ask for, in batches, which takes half the time."""
        texts = [normalise_reading(line.text or "") for line in lines]
        self.encode([text for text in texts if text] + [part for text in texts for part in clauses(text)])


def pair(one: Rate) -> list[int]:
    """A rate as [hits, tried]."""
    return [one.hits, one.tried]


def figures(results: Sequence[Result]) -> Figures:
    """What `backtalk evaluate` counts, under short keys."""
    rates = main_rates(results)
    return {key: pair(rates[name]) for key, name in SHOWN.items()}


def replies(understander: Understander, lines: Sequence[Line], heard: Sequence[Heard] = ()) -> list[Result]:
    """Each line in a conversation of its own; as its true text where nothing else was heard."""
    product = Product(understander)
    return [
        Result(line, product.reply(what))
        for line, what in zip(lines, heard or [Heard.from_text(line.text or "") for line in lines], strict=True)
    ]


def argmax(head: Head, x: Vectors, lines: Sequence[Line]) -> Figures:
    """The likeliest label, without thresholds, rules or questions back: questions right, danger signs taken for any."""
    rows = hashed([normalise_reading(line.text or "") for line in lines])
    best = [head.labels[i] for i in head.probabilities(x, rows).argmax(axis=1)]
    given = list(zip(lines, best, strict=True))
    questions = [likeliest == line.label for line, likeliest in given if line.kind == "question"]
    signs = [likeliest in URGENT for line, likeliest in given if line.label in URGENT]
    return {"right": [sum(questions), len(questions)], "found": [sum(signs), len(signs)]}


def held_lines() -> list[Line]:
    """All wordings of the test writers but those on whom settings were made."""
    return [line for line in tried_writers(WRITERS) if line.extra.get("writer") not in SEEN]


def seen_examples() -> list[Example]:
    """The wordings of the writers on whom settings were made."""
    return [example for name in SEEN for example in read_wordings(WRITERS / f"{name}.toml")]


def published(base: Path) -> Encoder:
    """The first layers of the published model, as they are."""
    from tools.train_encoder.base import load_base  # needs safetensors

    vocabulary, weights = load_base(base, LAYERS)
    weights["tokens.step"] = np.ones((len(weights["tokens"]), 1), np.float32)
    return Encoder(vocabulary, weights, len(LAYERS))


def understander_of(encoder: Encoder, head: Head, rules: UrgentRules | None = None) -> Understander:
    """The shipped understander with another encoder and head, and other rules where given."""
    shipped = Understander.load()
    return Understander(shipped.packs, encoder, [head], rules or shipped.rules)


def point(encoder: Encoder, head: Head, lines: Sequence[Line]) -> dict[str, Any]:
    """One encoder and head: by argmax and through the conversation."""
    seen, encoder = seen_examples(), Remembering(encoder)
    encoder.learn(lines)
    head = calibrated_on(head, encoder, seen)
    x = vectors(encoder, [line.text or "" for line in lines])
    said = figures(replies(understander_of(encoder, head), lines))
    return {"argmax": argmax(head, x, lines), "conversation": said, "temperature": round(head.temperature, 3)}


def keep(**new: Any) -> None:
    """Adds to what was measured before."""
    known = json.loads(DATA.read_text(encoding="utf-8")) if DATA.is_file() else {}
    DATA.parent.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps({**known, **new}, indent=1) + "\n", encoding="utf-8")


def training() -> list[Example]:
    """All wordings of the shipped pack."""
    return list(load_pack(bundled()[0]).examples)


@click.group()
def main() -> None:
    """Figures of docs/understanding.md; see the module."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--base", type=click.Path(path_type=Path, exists=True), required=True, help="Of the published MiniLM.")
@click.option("--again", is_flag=True, help="Also the points that were measured before.")
def curve(folder: Path, base: Path, again: bool) -> None:
    """The learning curve: every point in FOLDER, the shipped encoder, and beside each the published encoder with a head of the same writers."""
    lines, examples = held_lines(), training()
    order = in_order([path.stem for path in wording_files(bundled()[0])])
    pairs = {n: files(folder, n) for n in range(1, len(order)) if all(path.is_file() for path in files(folder, n))}
    pairs[len(order)] = ENCODER, bundled()[0] / HEAD
    known = json.loads(DATA.read_text(encoding="utf-8")).get("curve", []) if DATA.is_file() and not again else []
    rows = {
        row["writers"]: {**row, "shipped": row["writers"] == len(order)} for row in known if row["writers"] in pairs
    }
    plain = Remembering(published(base))
    for size, (encoder_file, head_file) in pairs.items():
        if size in rows:
            continue
        chosen = [one for one in examples if one.writer in order[:size]]
        untrained = fit(vectors(plain, [one.text for one in chosen]), [one.label for one in chosen])
        rows[size] = {
            "writers": size,
            "shipped": size == len(order),
            "wordings": len(chosen),
            "trained": point(Encoder.load(encoder_file), Head.load(head_file), lines),
            "published": point(plain, untrained, lines),
        }
        click.echo(json.dumps(rows[size]))
        keep(curve=[rows[size] for size in sorted(rows)])


@main.command()
def ablation() -> None:
    """What each part adds, on true text."""
    lines, encoder, head = held_lines(), Remembering(Encoder.load(ENCODER)), Head.load(bundled()[0] / HEAD)
    encoder.learn(lines)
    shipped = understander_of(encoder, head)
    alone = calibrated_on(replace(head, grams=None), encoder, seen_examples())
    nothing: Callable[[], AbstractContextManager[Any]] = nullcontext
    kinds: dict[str, tuple[Understander, Callable[[], AbstractContextManager[Any]]]] = {
        "Backtalk as shipped": (shipped, nothing),
        "without clauses": (shipped, lambda: mock.patch("intents.understand.clauses", return_value=())),
        "without rules for danger": (understander_of(encoder, head, NoRules()), nothing),
        "danger by rules alone": (
            RulesAlone(shipped.packs, encoder, [head], shipped.rules),
            nothing,
        ),
        "without n-grams": (understander_of(encoder, alone), nothing),
        "rules that need no consent": (shipped, lambda: mock.patch.object(Understander, "_backed", return_value=True)),
    }
    rows: dict[str, Any] = {}
    x = vectors(encoder, [line.text or "" for line in lines])
    rows["shipped encoder and head, likeliest label"] = argmax(head, x, lines)
    for name, (understander, changed) in kinds.items():
        with changed():
            said = replies(understander, lines)
        rows[name] = figures(said)
        if understander is shipped and changed is nothing:
            keep(by_writer=by_writer(said))
        click.echo(f"{name}: {json.dumps(rows[name])}")
        keep(ablation=rows)


@main.command()
def breath() -> None:
    """A question and a danger sign of the same writer in one breath, in either order: what clauses add."""
    lines = joined(held_lines())
    encoder, head = Remembering(Encoder.load(ENCODER)), Head.load(bundled()[0] / HEAD)
    encoder.learn(lines)
    shipped = understander_of(encoder, head)
    rows: dict[str, Figures] = {}
    for name, changed in {
        "Backtalk as shipped": nullcontext(),
        "without clauses": mock.patch("intents.understand.clauses", return_value=()),
    }.items():
        with changed:
            said = replies(shipped, lines)
        answered = [one.reply["intent"] == one.line.extra["question"] for one in said]
        rows[name] = {**figures(said), "answered_too": [sum(answered), len(answered)]}
    keep(breath=rows)
    click.echo(json.dumps(rows))


def joined(lines: Sequence[Line], seed: int = 0) -> list[Line]:
    """Every danger sign beside a question of the same writer, who must have asked one; `question` is its id. The same ones each time."""
    rng, found = random.Random(seed), []
    for line in lines:
        if line.label in URGENT:
            asked = [o for o in lines if o.kind == "question" and o.extra["writer"] == line.extra["writer"]]
            asked = [one for one in asked if not one.counter]
            if not asked:
                continue  # some writers wrote of danger only
            other = rng.choice(asked)
            texts = [line.text or "", other.text or ""]
            text = " and ".join(texts if rng.random() < 0.5 else texts[::-1])
            found.append(replace(line, text=text, extra={**line.extra, "question": other.label}))
    return found


def by_writer(results: Sequence[Result]) -> dict[str, Figures]:
    writers = sorted({str(one.line.extra["writer"]) for one in results})
    return {name: figures([one for one in results if one.line.extra["writer"] == name]) for name in writers}


@main.command()
@click.argument("report", type=click.Path(path_type=Path, exists=True))
def readings(report: Path) -> None:
    """On recordings: the best reading only, against all."""
    shipped = Understander.load()
    spoken = [one for one in results_of(report) if one.line.audio and one.line.extra.get("writer") not in SEEN]
    spoken = [one for one in spoken if one.error is None]
    lines = [one.line for one in spoken]
    best = replies(shipped, lines, [Heard(one.transcript) for one in spoken])
    rows: dict[str, Any] = {
        "spoken": {"all readings": figures(spoken), "best reading only": figures(best)},
    }
    typed = replies(shipped, [line for line in lines if line.text])
    rows["spoken"]["true text of the same"] = figures(typed)
    rows["conditions"] = {
        str(name): figures([one for one in spoken if one.line.extra.get("condition") == name])
        for name in sorted({str(line.extra.get("condition")) for line in lines})
    }
    keep(readings=rows)
    click.echo(json.dumps(rows))


def results_of(report: Path) -> list[Result]:
    """Of report.json, or of the replies.jsonl of a run of the recordings that isn't over.

    Raises click.ClickException when it is neither.
    """
    try:
        text = report.read_text(encoding="utf-8")
        if report.suffix == ".jsonl":
            lines = {line.audio.name: line for line in tried_audio() if line.audio}
            rows = [json.loads(row) for row in text.splitlines()]
            return [Result(lines[row["reply"]["input"]], row["reply"], row["seconds"]) for row in rows]
        return [from_json(one) for one in json.loads(text)["utterances"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{report} is no report of backtalk evaluate: {error}") from error


@main.command()
@click.argument("name")
@click.argument("report", type=click.Path(path_type=Path, exists=True))
def calibration(name: str, report: Path) -> None:
    """Confidence against share right, as `backtalk evaluate` found it, kept as NAME."""
    results_of(report)
    data = json.loads(report.read_text(encoding="utf-8"))
    known = json.loads(DATA.read_text(encoding="utf-8")).get("calibration", {}) if DATA.is_file() else {}
    keep(calibration={**known, name: {**data["figures"]["calibration"], "utterances": len(data["utterances"])}})


@main.command()
@click.argument("tables", type=click.Path(path_type=Path, exists=True))
def peers(tables: Path) -> None:
    """What `python -m benchmarks.peers --markdown` printed."""
    keep(peers=tables.read_text(encoding="utf-8"))


@main.command()
def write() -> None:
    """Tables and plots from what was measured."""
    write_pages(json.loads(DATA.read_text(encoding="utf-8")), ROOT / "docs")


if __name__ == "__main__":
    main()
