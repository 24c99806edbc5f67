"""Rank-deficient covariances: drop or floor directions before dividing by them.

A direction in which training embeddings do not vary, be it a dead unit of a network or
a projection to fewer dimensions than there are numbers, has a variance of zero, or of
rounding.  Dividing by it would make the smallest difference outweigh all the rest.
"""

from __future__ import annotations

import logging

import numpy as np

logger = logging.getLogger(__name__)


def live_axes(total: np.ndarray, floor: float, name: str) -> np.ndarray | None:
    """Find the directions in which embeddings vary, and warn about the others.

    Args:
        total: (D, D) covariance of all embeddings.
        floor: smallest variance to keep, relative to the largest.
        name: name of what is trained, for messages.

    Returns:
        (D, E) orthonormal axes; None if they vary in all directions.
    """
    variances, axes = np.linalg.eigh(total)
    is_live = variances > floor * variances[-1]
    if is_live.all():
        return None
    logger.warning(
        "%s: embeddings vary in only %d of %d directions; the others are ignored",
        name,
        is_live.sum(),
        len(is_live),
    )
    return axes[:, is_live]


def floor_variances(
    covariance: np.ndarray, floor: float, name: str
) -> tuple[np.ndarray, np.ndarray, int]:
    """Raise eigenvalues of a covariance that are too small, with a warning.

    Args:
        covariance: (D, D), symmetric.
        floor: smallest eigenvalue, relative to the largest.
        name: name of the covariance, for messages.

    Returns:
        (D,) rising eigenvalues, (D, D) axes in columns, and how many were raised.

    Source: Kaldi, ComputeNormalizingTransform in ivector-compute-lda.cc.
    """
    variances, axes = np.linalg.eigh(covariance)
    least = floor * variances[-1]
    num_floored = int(np.sum(variances < least))
    if num_floored:
        logger.warning(
            "%s: floored %d of %d eigenvalues of the covariance at %.4g",
            name,
            num_floored,
            len(variances),
            least,
        )
    return np.maximum(variances, least), axes, num_floored
