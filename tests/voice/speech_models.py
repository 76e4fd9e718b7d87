"""Folders that look like a speech model to everything but Vosk."""

from __future__ import annotations

from pathlib import Path

FST = bytes.fromhex("d6fdb27e") + bytes(60)
FILES = {
    "am/final.mdl": b"acoustic model" * 1000,
    "conf/model.conf": b"--beam=10.0\n",
    "conf/mfcc.conf": b"--sample-frequency=16000\n",
    "graph/HCLr.fst": FST,
    "graph/Gr.fst": FST,
}


def make_model(folder: Path, **changes: bytes | None) -> Path:
    """A folder that looks like a model; `changes`: file name with _ for / and . → content, None to leave it out."""
    for name, content in FILES.items():
        wanted = changes.get(name.replace("/", "_").replace(".", "_"), content)
        if wanted is not None:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wanted)
    return folder
