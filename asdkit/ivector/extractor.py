"""The i-vector extractor: the total-variability model and its EM."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch

from asdkit.base.distributed import broadcast
from asdkit.base.errors import FitError
from asdkit.base.measured import note_steps, note_value
from asdkit.base.ranges import Count, Natural, Positive, PositiveShare, Range
from asdkit.ivector.em import (
    Batch,
    EmStats,
    Totals,
    loglike_at_zero,
    minimize_divergence,
    update_covars,
    update_projections,
)
from asdkit.ivector.init import principal_columns, random_columns
from asdkit.ivector.posterior import IvectorPosterior

if TYPE_CHECKING:
    from asdkit.gmm.full import FullGmm

logger = logging.getLogger(__name__)

INITIAL_OFFSET = 100.0  # Kaldi's; minimum divergence finds a better one
ROUNDING = 1e-6  # share of the objective that float32 may lose


class IvectorExtractor:
    """Represent an utterance by a point in the total-variability space.

    In utterance u the mean of Gaussian i is ``M_i w_u`` with ``w_u ~ N(offset e_0,
    I)`` and the covariance S_i: no separate mean, the first column of M_i carries
    it.  The i-vector is the posterior mean of ``w_u - offset e_0`` given the
    utterance's Baum-Welch statistics.

    Args:
        ivector_dim: i-vector dimension.
        num_iters: number of EM iterations.
        init: starting point of EM: principal components (pca), which saves several
            iterations, or random, as in Kaldi.
        precision: precision of products and sums over many utterances; the objective
            and the M-step always use float64.
        gaussian_min_count: number of frames below which a Gaussian is not updated.
        variance_floor_factor: floor of the residual variance in any direction, as a
            share of the average over the Gaussians.
        seed: random seed for the starting point.

    Attributes:
        m_: (G, D, R) M_i, in the chosen precision.
        covars_: (G, D, D) S_i.
        weights_: (G,) the UBM's; they only choose the axes of w.
        offset_: () mean of the first element of w.
        counts_: (G,) frames that EM sees.
        loglikes_: (I,) log-likelihood per frame before each iteration's update.

    Source: N. Dehak et al., "Front-end factor analysis for speaker verification",
    IEEE Trans. ASLP 19(4), 2011, equation (2); Kaldi,
    src/ivector/ivector-extractor.cc.
    """

    m_: np.ndarray
    covars_: np.ndarray
    weights_: np.ndarray
    offset_: np.ndarray
    counts_: np.ndarray
    loglikes_: np.ndarray

    def __init__(
        self,
        ivector_dim: Annotated[int, Range(least=2)] = 400,
        num_iters: Count = 5,
        init: Literal["pca", "random"] = "pca",
        precision: Literal["float32", "float64"] = "float32",
        gaussian_min_count: Positive = 100.0,
        variance_floor_factor: PositiveShare = 0.1,
        seed: Natural = 0,
    ) -> None:
        self.ivector_dim = ivector_dim
        self.num_iters = num_iters
        self.init = init
        self.precision = precision
        self.gaussian_min_count = gaussian_min_count
        self.variance_floor_factor = variance_floor_factor
        self.seed = seed

    def fit(
        self, ubm: FullGmm, batches: Iterable[Batch], totals: Totals
    ) -> IvectorExtractor:
        """Estimate the model by EM.

        Args:
            ubm: whose posteriors the statistics come from.
            batches: statistics of this rank's utterances, (N, G) and (N, G, D) at a
                time, for repeated passes.
            totals: statistics of all utterances of all ranks.

        Raises:
            FitError: there are fewer utterances than dimensions.
        """
        self.initialize(ubm, batches, totals)
        for _ in self.iterate(batches, totals):
            pass
        return self

    def initialize(
        self, ubm: FullGmm, batches: Iterable[Batch], totals: Totals
    ) -> None:
        """Initialize the model for EM; arguments as for `fit`."""
        for number, what in (
            (totals.num_utts, "utterances"),
            (ubm.means_.size, "elements of all means together"),
        ):
            if number < self.ivector_dim:
                raise FitError(
                    f"ivector-extractor: expected at least as many {what} as i-vector"
                    f" dimensions, {self.ivector_dim}, got {number}",
                    hint=f"--ivector-dim {max(2, number // 2)}, or more data",
                )
        rng = np.random.default_rng(self.seed)
        dim = self.ivector_dim - 1
        shape = (*ubm.means_.shape, self.ivector_dim)
        self.m_ = np.empty(shape, dtype=self.precision)
        self.m_[:, :, 0] = ubm.means_ / INITIAL_OFFSET
        if self.init == "random":
            self.m_[:, :, 1:] = random_columns(ubm, dim, rng)
        else:
            self.m_[:, :, 1:] = principal_columns(
                ubm, dim, batches, totals, rng, self._dtype
            )
        self.covars_ = ubm.covars_.copy()
        self.weights_ = ubm.weights_.copy()
        self.offset_ = np.array(INITIAL_OFFSET)
        self.loglikes_ = np.zeros(0)
        self.counts_ = totals.n.cpu().numpy()
        self._agree()

    def iterate(self, batches: Iterable[Batch], totals: Totals) -> Iterator[int]:
        """Run the remaining EM iterations; yield after each how many are done.

        Arguments as for `fit`; the model is an initialized one, or one that the same
        iterations left behind.

        Raises:
            FitError: the likelihood is not finite, no Gaussian has enough frames, or
                a matrix is singular.
        """
        note_value("parameters", self.m_.size + self.covars_.size, "parameters")
        for done in range(len(self.loglikes_), self.num_iters):
            try:
                stats = self.accumulate(batches, totals.n.device).all_reduce()
                loglike = self._loglike(stats, totals)
                self._report(done, loglike)
                self.update(stats, totals)
            except (np.linalg.LinAlgError, torch.linalg.LinAlgError) as error:
                raise FitError(
                    f"ivector-extractor: iter {done + 1}: {error}",
                    hint="fewer dimensions, fewer Gaussians, or more data",
                ) from None
            self._agree()
            self.loglikes_ = np.append(self.loglikes_, loglike)
            note_steps([{"loglike/frame": x} for x in self.loglikes_.tolist()])
            yield done + 1

    def accumulate(
        self, batches: Iterable[Batch], device: torch.device | str = "cpu"
    ) -> EmStats:
        """Run the E-step over utterances, (N, G) and (N, G, D) at a time."""
        posterior = self.posterior(device)
        stats = EmStats.zeros(self.m_.shape, self._dtype, device)
        for n, f in batches:
            stats.add(posterior, n, f)
        return stats

    def update(self, stats: EmStats, totals: Totals) -> None:
        """Run the M-step, then minimum divergence.

        Args:
            stats: of all utterances of all ranks, under this very model.
            totals: of the same utterances.
        """
        offset, min_count = float(self.offset_), self.gaussian_min_count
        if not (totals.n >= min_count).any():
            raise FitError(
                f"ivector-extractor: no Gaussian has {min_count:g} frames, the best"
                f" has {float(totals.n.max()):.0f}",
                hint="more data, or fewer Gaussians",
            )
        update = update_projections(
            self.m_, self.covars_, offset, stats, totals, min_count
        )
        num_floored = update_covars(
            self.covars_,
            update.scatter,
            totals.n,
            min_count,
            self.variance_floor_factor,
        )
        new_offset = minimize_divergence(
            self.m_, self.covars_, self.weights_, offset, stats, totals.num_utts
        )
        self.offset_ = np.array(new_offset)
        logger.info(
            "ivector-extractor: %d of %d Gaussians updated, %d covariances floored, "
            "R_i floored in %d (%d eigenvalues), %d M_i kept, offset = %.4g",
            int((totals.n >= min_count).sum()),
            len(totals.n),
            num_floored,
            int((update.num_floored > 0).sum()),
            int(update.num_floored.sum()),
            int(update.is_kept.sum()),
            new_offset,
        )

    def posterior(self, device: torch.device | str = "cpu") -> IvectorPosterior:
        """Prepare to compute i-vectors: ``posterior(device).mean(n, f)``."""
        return IvectorPosterior(
            self.m_, self.covars_, float(self.offset_), self._dtype, device
        )

    def continues(self, totals: Totals) -> bool:
        """Tell whether `iterate` knows these statistics and has iterations left."""
        counts = totals.n.cpu().numpy()
        if len(self.loglikes_) > self.num_iters or self.counts_.shape != counts.shape:
            return False
        return np.allclose(self.counts_, counts)

    @property
    def _dtype(self) -> torch.dtype:
        return {"float32": torch.float32, "float64": torch.float64}[self.precision]

    def _loglike(self, stats: EmStats, totals: Totals) -> float:
        """Compute the log-likelihood per frame of the model that gave ``stats``."""
        at_zero = loglike_at_zero(self.m_, self.covars_, float(self.offset_), totals)
        return (at_zero + float(stats.loglike)) / float(totals.n.sum())

    def _report(self, done: int, loglike: float) -> None:
        """Log the objective; warn if it fell by more than rounding explains."""
        progress = f"iter {done + 1}/{self.num_iters}"
        logger.info("ivector-extractor: %s: loglike/frame = %.4f", progress, loglike)
        if not np.isfinite(loglike):
            raise FitError(
                f"ivector-extractor: {progress}: loglike/frame is {loglike}",
                hint="look for huge values in the features; float32 cannot square them",
            )
        before = self.loglikes_[-1] if done else -np.inf
        if loglike < before - ROUNDING * abs(loglike):
            logger.warning(
                "ivector-extractor: %s: loglike/frame fell from %.6f to %.6f",
                progress,
                before,
                loglike,
            )

    def _agree(self) -> None:
        """Copy rank 0's model, as other processors may have rounded differently."""
        for array in (self.m_, self.covars_, self.offset_):
            broadcast(torch.from_numpy(array))
