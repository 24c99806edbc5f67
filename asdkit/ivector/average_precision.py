"""Precision of an average utterance's i-vector, direction by direction."""

from __future__ import annotations

import numpy as np
import torch

from asdkit.base.ranges import Count
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.posterior import whiten_columns


def average_precision(
    extractor: IvectorExtractor, num_frames: Count = 300
) -> np.ndarray:
    """Make the posterior precision of an utterance of average content.

    Args:
        extractor: a trained one.
        num_frames: length of the utterance, which is spread over the Gaussians as the
            UBM's weights say.

    Returns:
        (R, R) float64: the unit matrix, the prior's, plus the sum over Gaussians g of
        n_g T_g' S_g^-1 T_g.
    """
    _, half = whiten_columns(extractor.m_, extractor.covars_, torch.device("cpu"))
    n = num_frames * torch.from_numpy(np.asarray(extractor.weights_, np.float64))
    weighted = (half * n.sqrt()[:, None, None]).flatten(0, 1)  # (G D, R)
    precision = torch.eye(half.shape[2], dtype=torch.float64) + weighted.mT @ weighted
    return precision.numpy()
