"""Cllr: how much information the scores, taken as log likelihood ratios, give.

In bits per trial, averaged over all operating points: 0 is perfect, 1 is what scores
that say nothing cost, more than 1 misleads.

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
    """Return the cost that is left when the scores are calibrated as well as can be.

    The best monotone map from scores to log likelihood ratios is that of isotonic
    regression (pool adjacent violators).  ``cllr - min_cllr`` is the loss that
    calibration could repair.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.

    Returns:
        bits in [0, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    from scipy.optimize import isotonic_regression

    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    at = corners(target, nontarget)
    # Between two corners targets come before nontargets, against the order that
    # isotonic regression wants, so it would pool them in any case.  Outside of the
    # first and the last corner is one class only, whose llrs are infinitely good.
    num_targets = np.diff(at.num_misses)
    num_nontargets = -np.diff(at.num_false_alarms)
    num_trials = num_targets + num_nontargets
    share = isotonic_regression(num_targets / num_trials, weights=num_trials).x
    with np.errstate(divide="ignore"):
        prior_log_odds = np.log(len(target) / len(nontarget))
        llr = np.log(share) - np.log1p(-share) - prior_log_odds
    # Blocks with one class only have infinite llrs and cost nothing; 0 * inf is NaN.
    mixed = np.isfinite(llr)
    nats = num_targets[mixed] @ _softplus(-llr[mixed]) / len(target)
    nats += num_nontargets[mixed] @ _softplus(llr[mixed]) / len(nontarget)
    return float(nats / (2 * np.log(2)))


def _softplus(x: np.ndarray) -> np.ndarray:
    """Compute log(1 + exp(x)) in float64 without overflow."""
    x = np.asarray(x, dtype=np.float64)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
