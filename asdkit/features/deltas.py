"""Time derivatives of features, by regression over a few frames."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def add_deltas(
    feats: np.ndarray, delta_window: int = 2, delta_order: int = 2
) -> np.ndarray:
    """Append derivatives to every frame.

    Args:
        feats: (T, D).
        delta_window: frames on each side of a first-order derivative.
        delta_order: the highest order; 0 changes nothing.

    Returns:
        (T, D * (delta_order + 1)) float32: features, deltas, deltas of these, ...
        Before the first frame and after the last, these stand still.

    Source: Kaldi, src/feat/feature-functions.cc, DeltaFeatures, whose option names
    and defaults these are.
    """
    feats = np.asarray(feats, dtype=np.float32)
    parts = [feats]
    if delta_order:
        from scipy.ndimage import correlate1d
    for order in range(1, delta_order + 1):
        weights = delta_weights(delta_window, order)
        parts.append(correlate1d(feats, weights, axis=0, mode="nearest"))
    return np.concatenate(parts, axis=1)


@lru_cache
def delta_weights(delta_window: int, order: int) -> np.ndarray:
    """Return the weights of the frames around, (W,) of 2 order delta_window + 1."""
    offsets = np.arange(-delta_window, delta_window + 1)
    slope = offsets / np.sum(offsets**2)
    weights = np.ones(1)
    for _ in range(order):
        weights = np.convolve(weights, slope)
    return weights
