"""Score normalization against a cohort (S-norm, AS-norm).

The score s of an enrolled model e and a test utterance t becomes

    s' = 0.5 [(s - mu_e) / sd_e + (s - mu_t) / sd_t]                            (1)

where mu and sd are the mean and the population standard deviation (divided by the
number, not by one less, as the field's tools do) of what e, or t, scores against
the ``num_top`` members of a cohort of other speakers that score highest (AS-norm) or
against all of them (S-norm).  They are computed once per embedding, not per trial.

Source: P. Matejka et al., "Analysis of score normalization in multilingual speaker
recognition", Interspeech 2017, for AS-norm with a cohort chosen for each side;
S. Shum et al., Odyssey 2010, and P. Kenny, Odyssey 2010, for S-norm.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import FitError
from asdkit.base.ranges import Natural

logger = logging.getLogger(__name__)

TILE = 2_000_000  # scores at a time: 8 MB
ROUNDING = 1e-6  # relative; a spread below this is float32's, not the cohort's


class CohortStats(NamedTuple):
    """Statistics of embeddings' scores against their cohorts.

    Attributes:
        mean: (U,) float64.
        std: (U,) float64 population standard deviation; 0 where all scores are equal.
    """

    mean: np.ndarray
    std: np.ndarray


def speaker_means(x: np.ndarray, spk: np.ndarray) -> np.ndarray:
    """Average embeddings by speaker, for a cohort of speakers instead of utterances.

    Args:
        x: (U, D) embeddings, before any step of the back-end.
        spk: (U,) speaker label of every row, of any sortable type.

    Returns:
        (K, D) means in the order of the sorted labels.
    """
    _, index, n = np.unique(spk, return_inverse=True, return_counts=True)
    by_speaker = np.argsort(index, kind="stable")
    return np.add.reduceat(x[by_speaker], np.cumsum(n) - n, axis=0) / n[:, None]


def cohort_stats(
    backend: Pipeline,
    x: np.ndarray,
    n: np.ndarray,
    cohort: np.ndarray,
    num_top: Natural = 300,
) -> CohortStats:
    """Compute the cohort statistics of either side of trials.

    Every member of the cohort counts as one utterance, and so does a test utterance
    (n = 1).  All back-ends compare two single utterances the same way round and the
    other, so enrolled and test embeddings need no different treatment.

    The scores are float32 and exist tile by tile, so that 100,000 embeddings against
    6,000 take no more memory than their factors.

    Args:
        backend: a trained back-end.
        x: (U, D) embeddings, or means of several of one model.
        n: (U,) numbers of averaged utterances.
        cohort: (K, D) embeddings of other speakers, e.g. of the training data.
        num_top: number of highest cohort scores to use (AS-norm); 0: all of them
            (S-norm).

    Raises:
        FitError: the cohort has fewer than two members, or num_top is 1.
    """
    if len(cohort) < 2 or num_top == 1:
        raise FitError(
            f"score normalization: expected two cohort members or more, got "
            f"{min(len(cohort), num_top or len(cohort))}",
            hint="one score has no standard deviation",
        )
    if num_top > len(cohort):
        logger.warning(
            "score normalization: the cohort has %d members, fewer than the %d to "
            "use: all of them are used (S-norm)",
            len(cohort),
            num_top,
        )
    a, b = backend.steps[-1].factors(backend.transform(x), n, backend.transform(cohort))
    return _top_stats(a.astype(np.float32), b.astype(np.float32), num_top or len(b))


def normalize_scores(
    values: np.ndarray, enroll: CohortStats, test: CohortStats
) -> np.ndarray:
    """Apply (1).

    Args:
        values: (N,) scores.
        enroll: (N,) statistics of each trial's enrolled model.
        test: (N,) statistics of each trial's test utterance.

    Returns:
        (N,) scores in standard deviations above the cohort; larger means target.

    Example:
        >>> one = np.ones(1)
        >>> normalize_scores(3 * one, CohortStats(one, one), CohortStats(one, 2 * one))
        array([1.5])
    """
    z = (values - enroll.mean) / enroll.std
    t = (values - test.mean) / test.std
    return 0.5 * (z + t)  # (1)


def _top_stats(a: np.ndarray, b: np.ndarray, num_top: int) -> CohortStats:
    """Describe the highest elements of every row of (U, E) a @ (K, E) b.T."""
    mean, std = np.empty(len(a)), np.empty(len(a))
    height = max(1, TILE // len(b))
    tile = np.empty((min(height, len(a)), len(b)), dtype=a.dtype)
    for start in range(0, len(a), height):
        now = slice(start, start + height)
        scores = np.matmul(a[now], b.T, out=tile[: len(a[now])])
        if num_top < len(b):
            scores.partition(len(b) - num_top, axis=1)
            scores = scores[:, -num_top:]
        mean[now] = scores.mean(axis=1, dtype=np.float64)
        std[now] = scores.std(axis=1, dtype=np.float64)
    std[std <= ROUNDING * np.abs(mean)] = 0
    return CohortStats(mean, std)
