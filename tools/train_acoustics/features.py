"""What the network of a Vosk model is fed with: cepstra of the sound, and a summary of who speaks where (an i-vector).

As Kaldi does it while it listens (online2/online-ivector-feature.cc, feat/online-feature.cc, ivector/ivector-extractor.cc), with that
code's own defaults, which Vosk keeps: 5 Gaussians a frame, posteriors below 0.025 dropped, the rest scaled by 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt

from tools.train_acoustics.nnet3 import Cursor

Floats = npt.NDArray[np.float32]

GAUSSIANS, LEAST_POSTERIOR, POSTERIOR_SCALE = 5, 0.025, 0.1
SPLICED = 3
"""Frames to either side that are seen at once."""
WINDOW, FROM_OTHERS = 600, 200
"""Frames of which the mean is taken off, and how many of them may stand for all other sound while there are fewer."""


def cepstra(samples: Floats) -> Floats:
    """Sound at 16 kHz, of the size of 16-bit numbers, shape (n,) → shape (frames, 40), a frame every 10 ms; no dither."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither, options.frame_opts.samp_freq, options.frame_opts.snip_edges = 0, 16000, True
    options.mel_opts.num_bins, options.mel_opts.low_freq, options.mel_opts.high_freq = 40, 20, 7600
    options.num_ceps, options.use_energy = 40, False
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(16000, np.asarray(samples, np.float32))
    computer.input_finished()
    return np.stack([computer.get_frame(number) for number in range(computer.num_frames_ready)]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Extractor:
    """A model folder's `ivector`: a mixture of Gaussians, and how their means move with the speaker."""

    constants: npt.NDArray[Any]
    """Shape (gaussians,)."""
    slopes: npt.NDArray[Any]
    """Shape (80, gaussians): the log likelihood of a frame is constants + [frame, frame²] @ slopes."""
    pull: Floats
    """Shape (gaussians, 40, 30): Σ⁻¹ M."""
    certainty: Floats
    """Shape (gaussians, 30, 30): Mᵀ Σ⁻¹ M."""
    offset: float
    """The first number of an i-vector of nobody."""
    projection: npt.NDArray[Any]
    """Shape (40, 7 * 40 + 1): linear discriminant analysis of spliced frames."""
    mean: npt.NDArray[Any]
    """Shape (40,): of all sound that the model was trained on."""

    def vectors(self, frames: Floats, ends: list[int], weights: Floats | None = None) -> Floats:
        """The i-vector after each of these numbers of frames (rising), shape (ends, 30). `weights`, shape (frames,): how much each counts."""
        plain, level = self._spliced(frames), self._spliced(self._normalised(frames))
        likelihood = self.constants + np.concatenate([level, level * level], axis=1) @ self.slopes
        best = np.argpartition(-likelihood, GAUSSIANS, axis=1)[:, :GAUSSIANS]
        share = np.take_along_axis(likelihood, best, axis=1)
        share = np.exp(share - share.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        share[share < LEAST_POSTERIOR] = 0.0
        share *= POSTERIOR_SCALE / share.sum(axis=1, keepdims=True)
        if weights is not None:
            share = share * weights[:, None]
        size = self.certainty.shape[1]
        linear, quadratic, begin = np.eye(1, size)[0] * self.offset, np.eye(size), 0
        found = []
        for end in ends:
            at, count = best[begin:end].ravel(), share[begin:end].ravel()
            counts = np.bincount(at, count, minlength=len(self.constants))
            sums = np.zeros((len(self.constants), plain.shape[1]))
            np.add.at(sums, at, count[:, None] * np.repeat(plain[begin:end], GAUSSIANS, axis=0))
            met = np.flatnonzero(counts)
            linear = linear + np.einsum("ni,nik->k", sums[met], self.pull[met])
            quadratic = quadratic + np.tensordot(counts[met], self.certainty[met], 1)
            begin = max(begin, end)
            vector = np.linalg.solve(quadratic, linear)
            vector[0] -= self.offset
            found.append(vector.astype(np.float32))
        return np.stack(found)

    def _spliced(self, frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
        around = np.pad(frames, ((SPLICED, SPLICED), (0, 0)), "edge")
        beside = [around[shift : shift + len(frames)] for shift in range(2 * SPLICED + 1)]
        return np.asarray(np.concatenate([*beside, np.ones((len(frames), 1), np.float32)], axis=1) @ self.projection.T)

    def _normalised(self, frames: Floats) -> Floats:
        """Without the mean of the frames up to each."""
        sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0, dtype=np.float64)])
        until = np.arange(1, len(frames) + 1)
        since = np.maximum(until - WINDOW, 0)
        count = (until - since)[:, None]
        more = np.clip(WINDOW - count, 0, FROM_OTHERS)
        return np.asarray(frames - (sums[until] - sums[since] + more * self.mean) / (count + more), np.float32)


def read_extractor(folder: Path) -> Extractor:
    """From a model's folder `ivector`. Raises nnet3.FormatError and OSError."""
    file = Cursor((folder / "final.ie").read_bytes(), 2)
    for token in ("<IvectorExtractor>", "<w>"):
        file.expect(token)
    file.array()
    file.expect("<w_vec>")
    file.array()
    file.expect("<M>")
    moves = np.stack([file.array().values for _ in range(file.integer())])
    file.expect("<SigmaInv>")
    precision = np.stack([file.array().values for _ in range(len(moves))])
    file.expect("<IvectorOffset>")
    offset = file.real()
    mixture = Cursor((folder / "final.dubm").read_bytes(), 2)
    mixture.expect("<DiagGMM>")
    tables = {}
    for name in ("<GCONSTS>", "<WEIGHTS>", "<MEANS_INVVARS>", "<INV_VARS>"):
        mixture.expect(name)
        tables[name] = mixture.array().values
    statistics = (folder / "global_cmvn.stats").read_text().replace("[", " ").replace("]", " ").split()
    sums = np.array(statistics, float).reshape(2, -1)[0]
    pull = np.einsum("nij,njk->nik", precision, moves)
    return Extractor(
        tables["<GCONSTS>"],
        np.concatenate([tables["<MEANS_INVVARS>"], -0.5 * tables["<INV_VARS>"]], axis=1).T.copy(),
        pull.astype(np.float32),
        np.einsum("nji,njk->nik", moves, pull).astype(np.float32),
        offset,
        Cursor((folder / "final.mat").read_bytes(), 2).array().values,
        sums[:-1] / sums[-1],
    )
