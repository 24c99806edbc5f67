"""Cllr: the cost of scores taken as log-likelihood ratios.

In bits per trial, averaged over all operating points: 0 is perfect, 1 is the cost of
uninformative scores, and scores above 1 mislead.

Source: N. Brummer and J. du Preez, "Application-independent evaluation of speaker
detection", Computer Speech and Language 2006.
"""

from __future__ import annotations

import numpy as np

from asdkit.metrics.det import ascending, corners


def cllr(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the cost of log likelihood ratios.

    Args:
        target: (N,) natural-log likelihood ratios of target trials.
        nontarget: (M,) those of nontarget trials.

    Returns:
        bits, at least 0; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Example:
        >>> cllr(np.zeros(3), np.zeros(5))
        1.0
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    nats = _softplus(-target).mean() + _softplus(nontarget).mean()
    return float(nats / (2 * np.log(2)))


def min_cllr(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the cost that remains after optimal calibration.

    The best monotone map from scores to log likelihood ratios is that of isotonic
    regression (pool adjacent violators), whose blocks are the segments of the ROC's
    convex hull.  ``cllr - min_cllr`` is the loss that calibration could repair.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.

    Returns:
        bits in [0, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Source: T. Fawcett and A. Niculescu-Mizil, "PAV and the ROC convex hull", Machine
    Learning 2007.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    # Outside of the first and the last corner is one class only, whose llrs are
    # infinitely good.
    at = corners(target, nontarget)
    hull = lower_hull(-at.num_false_alarms, at.num_misses)
    num_targets = np.diff(at.num_misses[hull])
    num_nontargets = -np.diff(at.num_false_alarms[hull])
    # So they are in blocks with one class only, which cost nothing either.
    mixed = (num_targets > 0) & (num_nontargets > 0)
    p_target = num_targets[mixed] / len(target)
    p_nontarget = num_nontargets[mixed] / len(nontarget)
    llr = np.log(p_target / p_nontarget)
    nats = p_target @ _softplus(-llr) + p_nontarget @ _softplus(llr)
    return float(nats / (2 * np.log(2)))


def lower_hull(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Find the lower convex hull of points, all its segments at a time (quickhull).

    Args:
        x: (P,) integers, rising.
        y: (P,) integers, not falling.

    Returns:
        (H,) rows of points on the hull, rising, both ends and all corners among them.
    """
    hull, inside = np.array([0, len(x) - 1]), np.arange(1, len(x) - 1)
    inside_x, inside_y = x[inside], y[inside]
    while len(inside):
        num = np.diff(np.searchsorted(inside, hull))  # points between its corners
        dx, dy = np.diff(x[hull]), np.diff(y[hull])
        height = inside_y * np.repeat(dx, num) - inside_x * np.repeat(dy, num)
        of_segment = y[hull[:-1]] * dx - x[hull[:-1]] * dy
        filled = num > 0
        lowest = np.minimum.reduceat(height, (np.cumsum(num) - num)[filled])
        is_below = height < np.repeat(of_segment, num)
        is_lowest = is_below & (height == np.repeat(lowest, num[filled]))
        hull = np.sort(np.concatenate([hull, inside[is_lowest]]))
        left = is_below & ~is_lowest
        inside, inside_x, inside_y = inside[left], inside_x[left], inside_y[left]
    return hull


def _softplus(x: np.ndarray) -> np.ndarray:
    """Compute log(1 + exp(x)) in float64 without overflow."""
    x = np.asarray(x, dtype=np.float64)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
