"""Unsupervised adaptation of a PLDA model to a new domain."""

from __future__ import annotations

import copy
import logging

import numpy as np

from asdkit.backends.plda import Plda, diagonalize
from asdkit.base.errors import FitError
from asdkit.base.ranges import NonNegative

logger = logging.getLogger(__name__)


def adapt_plda(
    plda: Plda,
    x: np.ndarray,
    within_covar_scale: NonNegative = 0.3,
    between_covar_scale: NonNegative = 0.7,
    mean_diff_scale: NonNegative = 1.0,
) -> Plda:
    """Widen a model until it expects the variance seen in a new domain.

    The mean becomes that of the new domain.  In directions where the new total
    variance exceeds what the model expects, the excess is divided between the
    within- and the between-speaker covariance; where it falls short, all stays.

    Args:
        plda: the model; it is left as it is.
        x: (U, D) embeddings of the new domain.
        within_covar_scale: share of the excess variance to add to the within-speaker
            covariance.
        between_covar_scale: share of the excess variance to add to the between-speaker
            covariance.
        mean_diff_scale: weight of the squared shift of the mean in the variance of the
            new domain.

    Returns:
        the adapted model.

    Raises:
        FitError: there are fewer than two embeddings.

    Source: Kaldi, PldaUnsupervisedAdaptor in src/ivector/plda.cc.
    """
    if len(x) < 2:
        raise FitError(
            f"plda: cannot adapt to {len(x)} embeddings; at least two are needed"
        )
    x = np.asarray(x, dtype=np.float64)
    mean = x.mean(axis=0)
    shift = mean - plda.mean_
    total = (x - mean).T @ (x - mean) / len(x)
    total += mean_diff_scale * np.outer(shift, shift)

    # Where the model's total covariance is the unit matrix, W + B = I.
    whiten = plda.transform_ / np.sqrt(1 + plda.psi_)[:, None]
    variances, axes = np.linalg.eigh(whiten @ total @ whiten.T)
    excess = np.maximum(variances - 1, 0)
    logger.info(
        "plda: adapted to %d embeddings: total variance exceeds the model's in %d of "
        "%d directions, at most by a factor of %.4g",
        len(x),
        np.count_nonzero(excess),
        len(excess),
        variances[-1],
    )
    to_axes = axes.T @ whiten  # from embeddings to the axes of the new variance
    w = axes.T / (1 + plda.psi_) @ axes + np.diag(within_covar_scale * excess)
    b = axes.T * (plda.psi_ / (1 + plda.psi_)) @ axes
    b += np.diag(between_covar_scale * excess)

    rotation, psi = diagonalize(b, w)
    adapted = copy.copy(plda)
    adapted.mean_, adapted.transform_, adapted.psi_ = mean, rotation @ to_axes, psi
    return adapted
