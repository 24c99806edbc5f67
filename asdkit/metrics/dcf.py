"""Detection cost functions: the expected cost of errors at a given prior.

Source: NIST's 2016 Speaker Recognition Evaluation Plan, section 3, (2) to (4);
ASVspoof 5 evaluation plan.
"""

from __future__ import annotations

import numpy as np

from asdkit.metrics.det import (
    OperatingPoint,
    ascending,
    corners,
    count_rejected,
    operating_point,
)


def min_dcf(
    target: np.ndarray,
    nontarget: np.ndarray,
    p_target: float = 0.01,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
) -> float:
    """Return the lowest detection cost over all thresholds.

    ASVspoof 5 takes bona fide speech for targets: p_target 0.95, c_fa 10.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.
        p_target: prior probability of a target, in (0, 1).
        c_miss: cost of rejecting a target.
        c_fa: cost of accepting a nontarget.

    Returns:
        the cost divided by that of the better of accepting all and rejecting all,
        in [0, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Example:
        >>> min_dcf(np.array([1.0, 2.0]), np.array([0.0, 1.5]), p_target=0.5)
        0.5
    """
    point = min_dcf_point(target, nontarget, p_target, c_miss, c_fa)
    miss_weight, fa_weight = dcf_weights(p_target, c_miss, c_fa)
    return miss_weight * point.miss_rate + fa_weight * point.false_alarm_rate


def min_dcf_point(
    target: np.ndarray,
    nontarget: np.ndarray,
    p_target: float = 0.01,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
) -> OperatingPoint:
    """Find the threshold of the lowest detection cost, the lowest if several have it.

    Arguments and errors as in `min_dcf`.
    """
    return cheapest_point(target, nontarget, *dcf_weights(p_target, c_miss, c_fa))


def cheapest_point(
    target: np.ndarray, nontarget: np.ndarray, miss_weight: float, fa_weight: float
) -> OperatingPoint:
    """Find the threshold where the weighted sum of both error rates is lowest.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.
        miss_weight: cost of rejecting all targets, at least 0.
        fa_weight: cost of accepting all nontargets, at least 0.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    at = corners(target, nontarget)
    cost = at.num_misses * (miss_weight / len(target))
    cost += at.num_false_alarms * (fa_weight / len(nontarget))
    # The first of all that are least; which one must not be left to rounding.
    best = int(np.argmax(cost <= cost.min() * (1 + 1e-12)))
    num_rejected = len(nontarget) - int(at.num_false_alarms[best])
    return operating_point(target, nontarget, int(at.num_misses[best]), num_rejected)


def act_dcf(
    target: np.ndarray,
    nontarget: np.ndarray,
    p_target: float = 0.01,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
) -> float:
    """Return the detection cost at Bayes' threshold, where scores must be llrs.

    Accepted is what reaches log(c_fa (1 - p_target) / (c_miss p_target)).

    Args:
        target: (N,) natural-log likelihood ratios of target trials.
        nontarget: (M,) those of nontarget trials.
        p_target: prior probability of a target, in (0, 1).
        c_miss: cost of rejecting a target.
        c_fa: cost of accepting a nontarget.

    Returns:
        the cost, normalized as in `min_dcf`, of which it is at least as much; may
        exceed 1, where making no use of the scores would be better.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    miss_weight, fa_weight = dcf_weights(p_target, c_miss, c_fa)
    threshold = float(np.log(fa_weight / miss_weight))
    misses, rejected = count_rejected(target, nontarget, threshold, "left")
    miss_rate = misses / len(target)
    false_alarm_rate = (len(nontarget) - rejected) / len(nontarget)
    return float(miss_weight * miss_rate + fa_weight * false_alarm_rate)


def dcf_weights(p_target: float, c_miss: float, c_fa: float) -> tuple[float, float]:
    """Weigh the two error rates so that the better blind decision costs 1."""
    if not 0 < p_target < 1 or c_miss <= 0 or c_fa <= 0:
        raise ValueError(
            f"expected 0 < p_target < 1 and costs > 0, got {p_target}, {c_miss}, {c_fa}"
        )
    miss, false_alarm = c_miss * p_target, c_fa * (1 - p_target)
    blind = min(miss, false_alarm)  # (3), (4)
    return miss / blind, false_alarm / blind
