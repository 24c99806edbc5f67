"""Linear discriminant analysis: keep the directions in which speakers differ."""

from __future__ import annotations

import logging

import numpy as np

from asdkit.backends.covariances import floor_variances, live_axes
from asdkit.backends.speaker_stats import SpeakerStats, speaker_stats
from asdkit.base.errors import FitError
from asdkit.base.ranges import Count, PositiveShare, Share

logger = logging.getLogger(__name__)


class Lda:
    """Project embeddings onto the directions that separate speakers.

    The directions in which the variance between speakers is largest relative to that
    within are kept, scaled to a covariance that is the unit matrix.

    Args:
        lda_dim: dimension after the projection, less than the number of speakers.
        total_covariance_factor: covariance to whiten: 0 within speakers, 1 total, in
            between a mixture of the two.
        covariance_floor: smallest eigenvalue of the within-speaker covariance, and
            smallest variance of a direction to keep, each relative to the largest.

    Attributes:
        transform_: (lda_dim, D) the projection, its rows by falling variance.
        offset_: (lda_dim,) added after it, so that the training mean becomes 0.

    Source: Kaldi, src/ivectorbin/ivector-compute-lda.cc.
    """

    transform_: np.ndarray
    offset_: np.ndarray

    def __init__(
        self,
        lda_dim: Count = 200,
        total_covariance_factor: Share = 0.0,
        covariance_floor: PositiveShare = 1e-6,
    ) -> None:
        self.lda_dim = lda_dim
        self.total_covariance_factor = total_covariance_factor
        self.covariance_floor = covariance_floor

    @property
    def input_dim(self) -> int:
        """D, the dimension of the embeddings."""
        return self.transform_.shape[1]

    def fit(self, x: np.ndarray, spk: np.ndarray) -> Lda:
        """Estimate the projection.

        Args:
            x: (U, D) embeddings, one row per utterance.
            spk: (U,) speaker label of every row, of any sortable type.

        Raises:
            FitError: too few dimensions, speakers or utterances for the
                projection, no speaker has a second utterance, or all of every
                speaker are the same.
        """
        stats = speaker_stats(x, spk, "lda")
        self._check(stats.n.sum(), *stats.means.shape)
        axes = live_axes(stats.total, self.covariance_floor, "lda")
        if axes is not None:
            if axes.shape[1] < self.lda_dim:
                raise FitError(
                    f"lda: the {axes.shape[1]} directions in which embeddings vary "
                    f"cannot give {self.lda_dim} dimensions",
                    hint=f"--lda-dim {axes.shape[1]} or less",
                )
            stats = stats.project(axes)
        self._fit(stats)
        if axes is not None:
            self.transform_ = self.transform_ @ axes.T
        return self

    def _fit(self, stats: SpeakerStats) -> None:
        """Estimate the projection from statistics of full rank."""
        n, means, scatter = stats
        num_utts = n.sum()
        mean = n @ means / num_utts
        means = means - mean
        within = scatter / num_utts
        between = (n[:, None] * means).T @ means / num_utts
        whiten = self._whiten(within + self.total_covariance_factor * between)
        variances, axes = np.linalg.eigh(whiten @ between @ whiten.T)
        keep = axes[:, ::-1][:, : self.lda_dim]  # (D, lda_dim) largest first
        self.transform_ = keep.T @ whiten
        self.offset_ = -self.transform_ @ mean
        kept = variances[::-1][: self.lda_dim]
        logger.info("lda: between-speaker variances %.4g to %.4g", kept[0], kept[-1])
        if num_alike := int(np.sum(kept <= self.covariance_floor * kept[0])):
            logger.warning(
                "lda: speakers do not differ in %d of %d directions that are kept",
                num_alike,
                len(kept),
            )

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(U, D) embeddings -> (U, lda_dim)."""
        return x @ self.transform_.T + self.offset_

    def _check(self, num_utts: int, num_spks: int, dim: int) -> None:
        """Describe what there is too little of."""
        if self.lda_dim > dim:
            raise FitError(
                f"lda: {dim}-dimensional embeddings cannot give {self.lda_dim} "
                "dimensions",
                hint=f"--lda-dim {dim} or less",
            )
        if self.lda_dim >= num_spks:
            raise FitError(
                f"lda: {num_spks} speakers differ in at most {num_spks - 1} "
                f"dimensions, not in {self.lda_dim}",
                hint=f"--lda-dim {max(1, num_spks - 1)} or less, or more speakers",
            )
        if num_utts - num_spks < dim:
            raise FitError(
                f"lda: {num_utts} utterances of {num_spks} speakers leave the "
                f"within-speaker covariance of {dim} dimensions singular",
                hint=f"train on {num_spks + dim} utterances or more",
            )

    def _whiten(self, covariance: np.ndarray) -> np.ndarray:
        """Find (D, D) p with p @ covariance @ p.T the unit matrix."""
        variances, axes, _ = floor_variances(covariance, self.covariance_floor, "lda")
        return axes.T / np.sqrt(variances)[:, None]
