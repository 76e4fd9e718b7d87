"""What the recognizer makes of wordings that it was not taught, in kitchens and other rooms: for `--heard` of the training.

    python -m tools.train_encoder.mishear OUT.jsonl [--each 60] [--workers 2]

Said by development voices (and MBROLA's, where installed) by lot, heard through the product's own path. A model that was
taught a sentence hears it far better than a new person's sentence is heard. So the writers are halved by lot, and each
half is heard by a model that was taught the other half. A stopped run goes on where it was.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path

import click
from tqdm import tqdm

from intents.pack import Example, bundled, texts_to_teach
from tools.fixtures import noises, rooms, voices
from tools.fixtures.render import Recipe, render
from tools.train_encoder import corpus
from voice.audio import frames
from voice.model import load_model
from voice.prepare import taught_model
from voice.recording import hear
from voice.stt import Recognizer
from voice.vad import SpeechDetector

SHARES = {"question": 1.0, "urgent": 0.7, "counter": 0.3, "command": 0.4, "oos": 0.4}
"""Wordings of each section, for one question."""
LONGEST_WORDS = 24
READINGS = 3
MBROLA = tuple(
    voices.Speaker(f"mbrola-{name}", "espeak-ng", f"mb-{name}", sex, "dev", 2)
    for name, sex in (("us1", "f"), ("us2", "m"), ("us3", "m"), ("en1", "m"))
)


def crowd() -> tuple[voices.Speaker, ...]:
    """Development voices and those of MBROLA that speak here, as often as their share says."""
    able: list[voices.Speaker] = []
    for speaker in MBROLA:
        try:
            voices.speak(speaker, "good morning", 150)
        except voices.EngineError:
            continue
        voices.BY_NAME[speaker.name] = speaker
        able.append(speaker)
    return tuple(one for one in (*voices.of("dev"), *able) for _ in range(one.share))


def chosen(samples: Sequence[Example], each: int, rng: random.Random) -> list[Example]:
    """`each` questions of every writer, and of the other sections their share, by lot."""
    groups: dict[tuple[str, str], list[Example]] = {}
    for sample in samples:
        if len(sample.text.split()) <= LONGEST_WORDS:
            groups.setdefault((sample.writer, sample.section), []).append(sample)
    found: list[Example] = []
    for (_, section), some in sorted(groups.items()):
        found += rng.sample(some, min(len(some), round(each * SHARES[section])))
    rng.shuffle(found)
    return found


def recipe(text: str, crowd: Sequence[voices.Speaker], rng: random.Random) -> Recipe:
    """Mostly noise of 6 to 18 dB, close by as often as from across a room, so noisier than `tools.fixtures.bulk`: in quiet little is misheard."""
    noisy = rng.random() < 0.85
    return Recipe(
        wording=text,
        voice=rng.choice(crowd).name,
        rate_wpm=rng.randrange(125, 205, 5),
        level_dbfs=float(rng.randrange(-30, -6)),
        room=rooms.CLOSE if rng.random() < 0.5 else rng.choice(list(rooms.ROOMS)),
        noise=rng.choice(["kitchen", "kitchen", *noises.NOISES]) if noisy else noises.QUIET,
        snr_db=float(rng.randrange(6, 19)) if noisy else None,
        seed=rng.randrange(2**31),
    )


_ear: Recognizer


def _begin(model: Path, speakers: Sequence[voices.Speaker]) -> None:
    global _ear
    voices.BY_NAME.update({one.name: one for one in speakers})
    _ear = Recognizer(load_model(model))


def _hear(job: Recipe) -> tuple[str, list[str]]:
    """The wording, and the readings of all that was heard of it."""
    heard = hear(frames(render(job).samples), _ear, SpeechDetector(), time.perf_counter)
    best = max((one.utterance.heard for one in heard), key=lambda one: len(one.text), default=None)
    return job.wording, list(best.readings[:READINGS]) if best else []


def halves(samples: Sequence[Example], rng: random.Random) -> Iterator[tuple[list[Example], list[str]]]:
    """Twice: the samples of half of the writers, and the texts of the others, which the model may know."""
    writers = sorted({sample.writer for sample in samples})
    rng.shuffle(writers)
    for mine in (set(writers[::2]), set(writers[1::2])):
        others = texts_to_teach([sample for sample in samples if sample.writer not in mine])
        yield [sample for sample in samples if sample.writer in mine], list(dict.fromkeys(others))


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--pack", type=click.Path(path_type=Path, exists=True))
@click.option("--each", default=60, show_default=True, help="Questions of each writer.")
@click.option("--workers", default=2, show_default=True)
@click.option("--seed", default=0)
def main(out: Path, pack: Path | None, each: int, workers: int, seed: int) -> None:
    """Writes a JSON line with `text` and `heard` for each wording into OUT."""
    known = corpus.wordings([pack or bundled()[0]])
    done = {json.loads(line)["text"] for line in out.read_text("utf-8").splitlines()} if out.exists() else set()
    speakers = crowd()
    for samples, others in halves(known, random.Random(seed)):
        model = taught_model(None, others)
        rng = random.Random(f"{seed} {len(others)}")
        jobs = [recipe(sample.text, speakers, rng) for sample in chosen(samples, each, rng)]
        jobs = [job for job in jobs if job.wording not in done]
        with (
            out.open("a", encoding="utf-8") as file,
            get_context("spawn").Pool(workers, _begin, (model, speakers)) as pool,
        ):
            for text, readings in tqdm(pool.imap_unordered(_hear, jobs, 8), total=len(jobs)):
                file.write(json.dumps({"text": text, "heard": readings}) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
