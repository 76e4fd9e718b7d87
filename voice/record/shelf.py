"""A volunteer's folder: the spoken consent, the takes, and a manifest that `backtalk evaluate` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from voice.errors import BacktalkError, InputError
from voice.frame import SAMPLE_RATE, Samples, seconds
from voice.record.take import Prompt, Take
from voice.speech import loudness_dbfs

MANIFEST = "manifest.jsonl"
CONSENT_FILE = "consent.jsonl"
CONSENT_AUDIO = "consent.flac"


class Shelf:
    """One folder for one volunteer. Nothing is written before consent was given."""

    def __init__(self, folder: Path, speaker: str, date: str) -> None:
        """`speaker`: a name of the volunteer's choice for the manifest; `date`: of today, ISO.

        Raises InputError when the folder's manifest can't be read.
        """
        self._folder, self._speaker, self._date = folder, speaker, date
        self.done = frozenset(str(line.get("id")) for line in _read_lines(folder / MANIFEST))
        """Ids of the prompts that have a take."""
        consent = _read_lines(folder / CONSENT_FILE)
        self.consented = bool(consent) and (folder / CONSENT_AUDIO).is_file()
        if self.consented:
            self._speaker = str(consent[-1].get("speaker", speaker))

    def keep_consent(self, take: Take, asked: Sequence[str]) -> None:
        """Keep the spoken consent beside what it was given to. Raises BacktalkError when the disk won't take it."""
        self._write(CONSENT_AUDIO, take.samples)
        line = {"speaker": self._speaker, "date": self._date, "audio": CONSENT_AUDIO, "heard": take.text}
        self._append(CONSENT_FILE, {**line, "asked": " ".join(asked)})

    def keep(self, prompt: Prompt, take: Take, doubted: bool = False) -> None:
        """Keep a take and its line, marked when it may be of something else.

        Raises BacktalkError when the disk won't take it, ValueError without consent.
        """
        if not (self._folder / CONSENT_FILE).is_file():
            raise ValueError("no take may be kept without consent")
        name = f"{re.sub(r'[^A-Za-z0-9_-]+', '_', prompt.id)}.flac"
        self._write(name, take.samples)
        line: dict[str, Any] = {
            "audio": name,
            "text": prompt.text,
            "label": prompt.label,
            "kind": prompt.kind,
            **prompt.extra,
            "id": prompt.id,
            "voice": self._speaker,
            "engine": "human",
            "condition": "human",
            "heard": take.text,
            "doubted": doubted,
            "level_dbfs": round(float(20 * np.log10(max(1, np.abs(take.samples.astype(np.int32)).max()) / 32768)), 1),
            "loudness_dbfs": round(loudness_dbfs(take.samples, SAMPLE_RATE), 1),
            "seconds": round(seconds(len(take.samples)), 3),
            "date": self._date,
        }
        self._append(MANIFEST, line)

    def _write(self, name: str, samples: Samples) -> None:
        """A whole file or none."""
        part = self._folder / f"{name}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(part, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
            part.replace(self._folder / name)
        except (OSError, soundfile.LibsndfileError) as error:
            part.unlink(missing_ok=True)
            raise _unwritable(error) from error

    def _append(self, name: str, line: dict[str, Any]) -> None:
        try:
            with (self._folder / name).open("a", encoding="utf-8") as out:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise _unwritable(error) from error


def _unwritable(error: Exception) -> BacktalkError:
    return BacktalkError(
        "I couldn't keep the recording: please make room on the disk, or choose another folder.", str(error)
    )


def _read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        sentence = f"I can't read {path.name} in the folder of recordings: please choose another folder."
        raise InputError(sentence, str(error)) from error


def read_prompts(path: Path) -> list[Prompt]:
    """Prompts from lines of {"text", "label", "kind"}, further keys kept. Raises InputError with the line's number."""
    prompts: list[Prompt] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"I can't read the sentences in {path.name}: please check the file.", str(error)) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompts.append(prompt_of(json.loads(line), f"{path.stem}-{number}"))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            sentence = f"Line {number} of {path.name} has no text, label and kind: please correct it."
            raise InputError(sentence, repr(error)) from error
    return [prompt for prompt in prompts if prompt.text]


def prompt_of(line: dict[str, Any], default_id: str) -> Prompt:
    """A prompt from a manifest line. Raises KeyError when text, label or kind is missing."""
    extra = {key: value for key, value in line.items() if key in ("counter", "topic", "writer")}
    return Prompt(
        str(line.get("id", default_id)), str(line["text"]).strip(), str(line["label"]), str(line["kind"]), extra
    )
