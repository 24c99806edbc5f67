"""Gaussian mixtures with diagonal covariances, the fast half of a UBM.

With x a frame, the log-likelihood of Gaussian g with weight w, mean m and variance
v (all of Gaussian g) is linear in [x, x^2, 1]:

    log w N(x; m, v) = x . m/v - x^2 . 1/(2v) + log w - sum(log(2 pi v) + m^2/v) / 2

so a chunk of frames is one matrix product, and the statistics of a chunk, the
posteriors transposed times [x, x^2, 1], are another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import add_matmul, matmul
from asdkit.base.distributed import num_ranks, rank
from asdkit.base.errors import FitError
from asdkit.gmm.accumulators import GmmStats
from asdkit.gmm.selection import top_gaussians

logger = logging.getLogger(__name__)

# Frames per matrix product: on the CPU a chunk's log-likelihoods stay in the cache.
CHUNK = {"cpu": 512, "cuda": 32768}
CONSTANT = 0.01  # share of the floor of variances below which frames do not vary
FRAMES_PER_GAUSSIAN = 10  # the fewest to start from, as in Kaldi


class DiagGmm:
    """A mixture of Gaussians with diagonal covariances.

    Args:
        num_gauss: G.
        num_iters: EM iterations of `fit`.
        min_gaussian_weight: share of the frames below which a Gaussian is not updated.
        min_gaussian_occupancy: number of frames below which a Gaussian is not updated.
        min_variance: floor of every variance.
        seed: of the frames that `fit` starts from.

    Attributes:
        weights_: (G,) priors; they sum to one.
        means_: (G, D).
        vars_: (G, D) variances.

    Source: Kaldi, src/gmm/mle-diag-gmm.cc, for the floors and their names.
    """

    weights_: np.ndarray
    means_: np.ndarray
    vars_: np.ndarray

    def __init__(
        self,
        num_gauss: int = 2048,
        num_iters: int = 20,
        min_gaussian_weight: float = 1e-4,
        min_gaussian_occupancy: float = 10.0,
        min_variance: float = 0.001,
        seed: int = 0,
    ) -> None:
        self.num_gauss = num_gauss
        self.num_iters = num_iters
        self.min_gaussian_weight = min_gaussian_weight
        self.min_gaussian_occupancy = min_gaussian_occupancy
        self.min_variance = min_variance
        self.seed = seed

    @classmethod
    def of(
        cls, weights: np.ndarray, means: np.ndarray, variances: np.ndarray
    ) -> DiagGmm:
        """Wrap existing (G,) weights, (G, D) means and (G, D) variances."""
        gmm = cls(num_gauss=len(weights))
        gmm.weights_ = np.array(weights, dtype=np.float64)
        gmm.means_ = np.array(means, dtype=np.float64)
        gmm.vars_ = np.array(variances, dtype=np.float64)
        return gmm

    def projection(self) -> np.ndarray:
        """(2D + 1, G) float64 P, such that [x, x^2, 1] @ P are the log-likelihoods."""
        precision = 1 / self.vars_
        scaled = self.means_ * precision
        constant = np.log(2 * np.pi * self.vars_) + self.means_ * scaled
        offset = np.log(self.weights_) - 0.5 * constant.sum(axis=1)
        return np.concatenate([scaled, -0.5 * precision, offset[:, None]], axis=1).T

    def loglikes(self, frames: Tensor) -> Tensor:
        """(T, D) frames -> (T, G) log of weight times density."""
        return torch.cat([loglikes.clone() for _, loglikes in self._chunks(frames)])

    def densities(self, frames: Tensor) -> Tensor:
        """(T, D) frames -> (T,) log-likelihood of each under the whole mixture."""
        return torch.cat(
            [_log_sum(loglikes)[0] for _, loglikes in self._chunks(frames)]
        )

    def select(self, frames: Tensor, num_gselect: int) -> Tensor:
        """(T, D) frames -> (T, num_gselect) most likely Gaussians, rising."""
        chunks = self._chunks(frames)
        return torch.cat([top_gaussians(x, num_gselect) for _, x in chunks])

    @np.errstate(over="ignore", invalid="ignore")  # `GmmStats.all_reduce` tells
    def accumulate(self, frames: Tensor, selection: Tensor | None = None) -> GmmStats:
        """Collect the statistics of an EM iteration.

        Args:
            frames: (T, D) float32 (or float64, for reference).
            selection: (T, K) Gaussians that may have posteriors, None for all.

        Returns:
            statistics to be added to those of other frames.
        """
        dim = frames.shape[1]
        total = torch.zeros(
            len(self.weights_), 2 * dim + 1, dtype=torch.float64, device=frames.device
        )
        loglike = total.new_zeros(())
        start = 0
        for expanded, loglikes in self._chunks(frames):
            if selection is not None:
                chosen = selection[start : start + len(loglikes)]
                start += len(loglikes)
                kept = loglikes.gather(1, chosen)
                loglikes.fill_(-torch.inf).scatter_(1, chosen, kept)
            density, norm = _log_sum(loglikes)  # leaves the posteriors times `norm`
            loglike += density.sum(dtype=torch.float64)
            add_matmul(total, loglikes.mT, expanded / norm)
        return GmmStats(total[:, -1], total[:, :dim], total[:, dim:-1], loglike)

    def update(self, stats: GmmStats) -> np.ndarray:
        """Maximize the likelihood given the statistics.

        Returns:
            (G,) bool, which Gaussians had too little data and stayed as they were,
            but for their weight.
        """
        self.weights_, fed = stats.weights(
            self.min_gaussian_weight, self.min_gaussian_occupancy
        )
        n = stats.n.cpu().numpy()[fed]
        mean = stats.f.cpu().numpy()[fed] / n[:, None]
        var = stats.s.cpu().numpy()[fed] / n[:, None] - mean**2
        self.means_[fed] = mean
        self.vars_[fed] = np.maximum(var, self.min_variance)
        return ~fed

    def fit(self, frames: Tensor) -> DiagGmm:
        """Fit frames in memory, starting at some of them.

        Half of the Gaussians start at random frames; in the first half of the
        iterations the heaviest are split until there are all of them.  Starting
        with all at once gives the same likelihood but Gaussians of very different
        weights, and worse i-vectors (egs/speechocean762/v1/RESULTS.md).

        Args:
            frames: (T, D), the same on every rank; each rank works on its share.

        Raises:
            FitError: there are fewer than ten frames per Gaussian, or all are the same.

        Source: Kaldi, src/gmmbin/gmm-global-init-from-feats.cc.
        """
        if len(frames) < FRAMES_PER_GAUSSIAN * self.num_gauss:
            raise FitError(
                f"GMM: {self.num_gauss} Gaussians need at least "
                f"{FRAMES_PER_GAUSSIAN * self.num_gauss} frames, got {len(frames)}",
                hint=f"at most --num-gauss {len(frames) // FRAMES_PER_GAUSSIAN}",
            )
        rng = np.random.default_rng(self.seed)
        target = self.num_gauss if self.num_iters < 2 else (self.num_gauss + 1) // 2
        rise = -(-(self.num_gauss - target) // max(1, self.num_iters // 2))
        start = rng.choice(len(frames), target, replace=False)
        var = frames.var(dim=0).double().cpu().numpy()
        if not var.any():
            raise FitError("GMM: all frames are the same", hint="look at the features")
        low = np.flatnonzero(var < CONSTANT * self.min_variance)
        if len(low):
            logger.warning(
                "GMM: %d of %d dimensions of the frames hardly vary: dimension %d, "
                "with a variance of %.3g, ...",
                len(low),
                len(var),
                low[0],
                var[low[0]],
            )
        self.weights_ = np.full(target, 1 / target)
        self.means_ = frames[torch.from_numpy(start)].double().cpu().numpy()
        self.vars_ = np.tile(np.maximum(var, self.min_variance), (target, 1))
        mine = frames.tensor_split(num_ranks())[rank()]
        for i in range(self.num_iters):
            stats = self.accumulate(mine).all_reduce()
            starved = self.update(stats)
            target = min(target + rise, self.num_gauss)
            if i + 1 < self.num_iters:
                self._split_heaviest(target, starved, rng)
            logger.info(
                "ubm: start: iter %d/%d: loglike/frame = %.4f, Gaussians = %d, "
                "starved = %d",
                i + 1,
                self.num_iters,
                stats.loglike_per_frame,
                len(starved),
                starved.sum(),
            )
        return self

    def _split_heaviest(
        self, target: int, starved: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Drop starved Gaussians; halve the heaviest until there are enough."""
        kept = ~starved
        kept[self.weights_.argmax()] = True
        w, m, v = self.weights_[kept], self.means_[kept], self.vars_[kept]
        while len(w) < target:
            heaviest = np.argsort(-w, kind="stable")[: target - len(w)]
            apart = 0.1 * np.sqrt(v[heaviest])
            apart *= rng.standard_normal(apart.shape)
            w[heaviest] /= 2
            m[heaviest] -= apart
            w = np.append(w, w[heaviest])
            m = np.append(m, m[heaviest] + 2 * apart, axis=0)
            v = np.append(v, v[heaviest], axis=0)
        self.weights_, self.means_, self.vars_ = w / w.sum(), m, v

    def _chunks(self, frames: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (C, 2D + 1) [x, x^2, 1] and (C, G) log-likelihoods, chunk by chunk.

        Both lie in buffers that the next chunk overwrites.
        """
        dim = frames.shape[1]
        projection = torch.from_numpy(self.projection()).to(frames)
        chunks = frames.split(CHUNK[frames.device.type])
        expanded = frames.new_ones(len(chunks[0]), 2 * dim + 1)
        loglikes = frames.new_empty(len(chunks[0]), len(self.weights_))
        for x in chunks:
            x1 = expanded[: len(x)]
            x1[:, :dim] = x
            torch.square(x, out=x1[:, dim : 2 * dim])
            yield x1, matmul(x1, projection, out=loglikes[: len(x)])


def _log_sum(loglikes: Tensor) -> tuple[Tensor, Tensor]:
    """Sum likelihoods over the Gaussians of every frame.

    Args:
        loglikes: (C, G); become likelihoods, relative to the largest of their frame.

    Returns:
        (C,) log of the sum, and (C, 1) the sum of the relative likelihoods.
    """
    peak = loglikes.amax(dim=1, keepdim=True)
    norm = _exp(loglikes.sub_(peak)).sum(dim=1, keepdim=True)
    return (norm.log() + peak).squeeze(1), norm


def _exp(x: Tensor) -> Tensor:
    """Exponentiate in place; torch takes 8 times numpy's time where it underflows."""
    if x.device.type == "cpu":
        np.exp(x.numpy(), out=x.numpy())
        return x
    return x.exp_()
