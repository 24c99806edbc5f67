"""The universal background model (UBM): a mixture trained on many speakers.

Diagonal Gaussians are trained on a sample in memory, then on all frames; they become
full Gaussians, which are trained further while the diagonal ones select the Gaussians
of each frame.

Source: D. Reynolds et al., "Speaker verification using adapted Gaussian mixture
models", Digital Signal Processing 10, 2000; Kaldi, egs/sre08/v1/sid/
train_diag_ubm.sh and train_full_ubm.sh, for the procedure.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from asdkit.base.estimators import set_arrays, split_state
from asdkit.base.measured import note_step
from asdkit.base.ranges import Count, Natural, Share
from asdkit.gmm.accumulators import GmmStats
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm

logger = logging.getLogger(__name__)

# Posteriors below this are left out of a full covariance's statistics: two thirds of
# those of 20 chosen Gaussians, and less than 1e-5 of a frame altogether.
NEGLIGIBLE = 1e-6
ROUNDING = 1e-4  # nats per frame by which float32 may make the likelihood fall


class Ubm(NamedTuple):
    """A universal background model in two forms, diagonal and full.

    Attributes:
        diag: diagonal form, for Gaussian selection.
        full: the model.
    """

    diag: DiagGmm
    full: FullGmm

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays, for a model file: ``diag.means_`` and so on."""
        return {
            f"{form}.{name}": value
            for form, gmm in self._asdict().items()
            for name, value in split_state(gmm)[1].items()
        }

    @classmethod
    def of(cls, state: Mapping[str, np.ndarray]) -> Ubm:
        """Build one from the arrays of `state`, among others.

        Raises:
            KeyError: one is missing.
        """
        num_gauss = len(state["full.weights_"])
        ubm = cls(DiagGmm(num_gauss), FullGmm(num_gauss))
        for form, gmm in ubm._asdict().items():
            set_arrays(gmm, state, f"{form}.")
        return ubm


def train_ubm(
    sample: Tensor,
    read_frames: Callable[[], Iterable[Tensor]],
    num_gauss: Count = 2048,
    num_init_iters: Natural = 20,
    num_diag_iters: Natural = 4,
    num_full_iters: Natural = 4,
    num_gselect: Count = 20,
    min_gaussian_weight: Share = 1e-4,
    seed: Natural = 0,
) -> Ubm:
    """Train a UBM, diagonal and then full.

    Args:
        sample: (F, D) frames to start from, the same on every rank.
        read_frames: opens this rank's frames, (T, D) at a time; called once per
            iteration.
        num_gauss: number of Gaussians.
        num_init_iters: initial EM iterations on a sample of frames in memory.
        num_diag_iters: EM iterations of diagonal Gaussians on all frames.
        num_full_iters: EM iterations of full-covariance Gaussians on all frames.
        num_gselect: Gaussians per frame, chosen by the diagonal ones, in
            full-covariance iterations; on a GPU: all.
        min_gaussian_weight: weight below which a Gaussian is not updated.
        seed: random seed for the initial frames.

    Raises:
        FitError: there are fewer than ten sampled frames per Gaussian.
    """
    device = sample.device
    iters = num_init_iters, num_diag_iters
    diag = train_diagonal(
        sample, read_frames, num_gauss, *iters, min_gaussian_weight, seed=seed
    )
    full = FullGmm.from_diagonal(diag)
    full.min_gaussian_weight = min_gaussian_weight

    def align() -> Callable[[Tensor], GmmStats]:
        return Aligner(diag, full, num_gselect, NEGLIGIBLE, device).accumulate

    _iterate(full, num_full_iters, align, read_frames, device)
    return Ubm(full.diagonal(), full)


def train_diagonal(
    sample: Tensor,
    read_frames: Callable[[], Iterable[Tensor]],
    num_gauss: Count = 512,
    num_init_iters: Natural = 20,
    num_iters: Natural = 4,
    min_gaussian_weight: Share = 1e-4,
    seed: Natural = 0,
) -> DiagGmm:
    """Train a mixture of diagonal Gaussians.

    Args:
        sample: (F, D) frames to start from, the same on every rank.
        read_frames: see `train_ubm`.
        num_gauss: number of Gaussians.
        num_init_iters: EM iterations on the sample.
        num_iters: EM iterations on all frames.
        min_gaussian_weight: weight below which a Gaussian is not updated.
        seed: random seed for the initial frames.

    Raises:
        FitError: there are fewer than ten sampled frames per Gaussian.
    """
    gmm = DiagGmm(num_gauss, num_init_iters, min_gaussian_weight, seed=seed)
    gmm.fit(sample)
    _iterate(gmm, num_iters, lambda: gmm.accumulate, read_frames, sample.device)
    return gmm


def _iterate(
    gmm: DiagGmm | FullGmm,
    num_iters: int,
    prepare: Callable[[], Callable[[Tensor], GmmStats]],
    read_frames: Callable[[], Iterable[Tensor]],
    device: torch.device,
) -> None:
    """Run EM on all frames of all ranks.

    Args:
        gmm: mixture to update.
        num_iters: number of iterations.
        prepare: returns a function from frames to statistics under the current `gmm`.
        read_frames: see `train_ubm`.
        device: of the frames.
    """
    num_gauss, dim = gmm.means_.shape
    best = -np.inf
    for i in range(num_iters):
        stats = GmmStats.zeros(num_gauss, dim, isinstance(gmm, FullGmm), device)
        accumulate = prepare()
        for frames in read_frames():
            stats += accumulate(frames)
        stats = stats.all_reduce()
        starved = gmm.update(stats)
        loglike = stats.loglike_per_frame
        progress = f"{type(gmm).__name__}: iter {i + 1}/{num_iters}"
        logger.info(
            "ubm: %s: loglike/frame = %.4f, frames = %d, starved Gaussians = %d",
            progress,
            loglike,
            round(float(stats.n.sum())),
            starved.sum(),
        )
        note_step({"loglike/frame": loglike})
        if loglike < best - ROUNDING:
            logger.warning(
                "ubm: %s: loglike/frame fell from %.6f to %.6f", progress, best, loglike
            )
        best = max(best, loglike)
