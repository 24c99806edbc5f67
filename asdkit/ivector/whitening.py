"""Axes of i-vectors scaled by how surely an utterance determines them."""

from __future__ import annotations

import numpy as np
import torch

from asdkit.base.ranges import Count, Share
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.posterior import whiten_columns


def whitening(
    extractor: IvectorExtractor, whiten: Share = 0.0, num_frames: Count = 300
) -> np.ndarray:
    """Make the matrix that whitens i-vectors by an average posterior covariance.

    An i-vector is a posterior mean, whose covariance is L^-1; that of a direction in
    which speech says little is near the prior's, and there an i-vector of new speech is
    mostly noise.  A cosine counts all directions alike.  ``L^(share / 2)`` makes the
    noise the same in all of them (1), or goes a part of the way.  LDA and PLDA do not
    change; see egs/speechocean762/v1/RESULTS.md for what a cosine gains.

    Args:
        extractor: a trained one.
        whiten: share of the whitening by the posterior covariance, in [0, 1]; 0: none.
            A cosine gains most with about a half; LDA and PLDA stay the same.
        num_frames: length of the utterance whose covariance it is, spread over the
            Gaussians as the UBM's weights say.

    Returns:
        (R, R) float64, to be multiplied with i-vectors from the left; it keeps the
        power of vectors whose elements are equally large and independent.
    """
    _, half = whiten_columns(extractor.m_, extractor.covars_, torch.device("cpu"))
    n = num_frames * torch.from_numpy(np.asarray(extractor.weights_, np.float64))
    weighted = (half * n.sqrt()[:, None, None]).flatten(0, 1)  # (G D, R)
    precision = torch.eye(half.shape[2], dtype=torch.float64) + weighted.mT @ weighted
    values, axes = torch.linalg.eigh(precision)
    scales = values**whiten
    scales /= scales.mean()
    return ((axes * scales.sqrt()) @ axes.mT).numpy()
