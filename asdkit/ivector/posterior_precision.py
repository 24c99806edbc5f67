"""The posterior precision of the i-vector of an average utterance."""

from __future__ import annotations

import numpy as np
import torch

from asdkit.base.ranges import Count
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.posterior import whiten_columns


def average_posterior_precision(
    extractor: IvectorExtractor, num_frames: Count = 300
) -> np.ndarray:
    """Compute the posterior precision L of an utterance of average content.

    Args:
        extractor: a trained one.
        num_frames: length of the utterance in frames, which share out over the
            Gaussians in proportion to the UBM's weights: n_i = num_frames weight_i.

    Returns:
        (R, R) float64, L = I + sum_i n_i M_i' S_i^-1 M_i.

    Source: as `asdkit.ivector.posterior.IvectorPosterior`.
    """
    _, half = whiten_columns(extractor.m_, extractor.covars_, torch.device("cpu"))
    n = num_frames * torch.from_numpy(np.asarray(extractor.weights_, np.float64))
    weighted = (half * n.sqrt()[:, None, None]).flatten(0, 1)  # (G D, R)
    precision = torch.eye(half.shape[2], dtype=torch.float64) + weighted.mT @ weighted
    return precision.numpy()
