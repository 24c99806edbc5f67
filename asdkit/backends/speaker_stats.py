"""Summary statistics of embeddings with speaker labels."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import FitError

logger = logging.getLogger(__name__)
ROUNDING = 1e-12  # share of the variance that is none


class SpeakerStats(NamedTuple):
    """Sufficient statistics of Gaussian models with a variable per speaker.

    Attributes:
        n: (K,) int64 utterances of every speaker.
        means: (K, D) mean embedding of every speaker.
        scatter: (D, D) of all embeddings around the means of their speakers.
    """

    n: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(D, D) covariance of all embeddings around their mean."""
        mean = self.n @ self.means / self.n.sum()
        between = (self.n[:, None] * (self.means - mean)).T @ (self.means - mean)
        return (self.scatter + between) / self.n.sum()

    def project(self, axes: np.ndarray) -> SpeakerStats:
        """Statistics of the embeddings along (D, E) axes."""
        return SpeakerStats(self.n, self.means @ axes, axes.T @ self.scatter @ axes)


def warn_of_repeats(x: np.ndarray, spk: np.ndarray) -> None:
    """Warn if embeddings are bit for bit the same.

    Of one speaker, they make the variance within speakers too small; of two, one label
    at least is wrong.

    Args:
        x: (U, D) embeddings, one row per utterance.
        spk: (U,) speaker label of every row, of any sortable type.
    """
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.uint64)  # (U, D)
    weights = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], np.uint64)
    codes = bits @ (2 * weights + 1)  # (U,) modulo 2**64: equal rows, equal codes
    labels = np.unique(spk, return_inverse=True)[1]
    order = np.lexsort((labels, codes))
    is_repeated = codes[order][1:] == codes[order][:-1]
    is_same_speaker = labels[order][1:] == labels[order][:-1]
    for num, whose, what in (
        (np.sum(is_repeated & is_same_speaker), "the same", "counted twice"),
        (np.sum(is_repeated & ~is_same_speaker), "another", "wrong labels"),
    ):
        if num:
            logger.warning(
                "back-end: %d of %d embeddings equal one of %s speaker: %s",
                num,
                len(x),
                whose,
                what,
            )


def speaker_stats(x: np.ndarray, spk: np.ndarray, name: str) -> SpeakerStats:
    """Sum up embeddings by speaker.

    Speakers with one utterance are welcome: they tell nothing of the variance
    within a speaker, but of that between speakers.

    Args:
        x: (U, D) embeddings, one row per utterance.
        spk: (U,) speaker label of every row, of any sortable type.
        name: name of what is trained, for messages.

    Raises:
        ValueError: the shapes do not fit.
        FitError: no speaker has a second utterance, there is only one speaker, all
            embeddings are the same, or all of every speaker, or a value is not finite.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or np.shape(spk) != (len(x),):
        shapes = f"{x.shape} and {np.shape(spk)}"
        raise ValueError(f"expected (U, D) embeddings and (U,) labels, got {shapes}")
    if not np.all(np.isfinite(x)):
        raise FitError(f"{name}: an embedding holds NaN or infinity")
    _, index, n = np.unique(spk, return_inverse=True, return_counts=True)
    if len(x) == len(n):
        raise FitError(
            f"{name}: expected a speaker with two utterances or more, got {len(n)} "
            "speakers with one utterance each",
            hint="are the labels in utt2spk those of speakers?",
        )
    if len(n) == 1 or not np.ptp(x, axis=0).any():
        what = "all embeddings are the same" if len(n) > 1 else "there is one speaker"
        raise FitError(f"{name}: expected speakers that differ, but {what}")
    by_speaker = np.argsort(index, kind="stable")
    starts = np.cumsum(n) - n
    means = np.add.reduceat(x[by_speaker], starts, axis=0) / n[:, None]  # (K, D)
    residual = x - means[index]  # (U, D)
    stats = SpeakerStats(n, means, residual.T @ residual)
    if np.trace(stats.scatter) <= ROUNDING * len(x) * np.trace(stats.total):
        raise FitError(
            f"{name}: all embeddings of a speaker are the same, for each of {len(n)} "
            "speakers: there is no variance within speakers",
            hint="are utterances listed twice under different names?",
        )
    logger.info(
        "%s: %d utterances of %d speakers, %d of them with one utterance",
        name,
        len(x),
        len(n),
        np.sum(n == 1),
    )
    return stats
