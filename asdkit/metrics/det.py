"""Error rates at all thresholds, the basis of all other metrics.

A trial is accepted if its score is **greater than the threshold**, and every
threshold is a score, or minus infinity, which accepts all.  Equal scores are
accepted or rejected together, whatever their class, so no order of the trials can
change a metric.

Each class is sorted by itself and looked up in the other: numpy sorts plain floats
with SIMD instructions, but not with an argsort, which makes this some twenty times
faster than a ROC curve over all trials.  Arrays that are sorted already are not
sorted again.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np


class OperatingPoint(NamedTuple):
    """One threshold and its two error rates.

    Attributes:
        threshold: highest rejected score; minus infinity rejects none.
        miss_rate: fraction of target trials that are rejected.
        false_alarm_rate: fraction of nontarget trials that are accepted.
    """

    threshold: float
    miss_rate: float
    false_alarm_rate: float


class Corners(NamedTuple):
    """The corners of the ROC that face its ideal point, by rising threshold.

    Only there can a cost be least that grows with both kinds of error: between two
    corners one kind rises and the other stays.

    Attributes:
        num_misses: (P,) int64 rejected targets, rising.
        num_false_alarms: (P,) int64 accepted nontargets, falling.
    """

    num_misses: np.ndarray
    num_false_alarms: np.ndarray


def ascending(scores: np.ndarray, name: str) -> np.ndarray:
    """Sort scores unless they are sorted.

    Args:
        scores: (N,) floats.
        name: the class, for messages.

    Returns:
        (N,) rising.

    Raises:
        ValueError: there are none, or one is NaN.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"expected (N,) {name} scores, got shape {scores.shape}")
    if not np.all(scores[:-1] <= scores[1:]):
        scores = np.sort(scores)
    if np.isnan(scores[-1]):
        raise ValueError(f"a {name} score is NaN")
    return scores


def count_rejected(
    target: np.ndarray,
    nontarget: np.ndarray,
    threshold: np.ndarray | float,
    side: Literal["left", "right"] = "right",
) -> tuple[np.ndarray, np.ndarray]:
    """Count the scores of each class that thresholds reject.

    Args:
        target: (N,) scores of target trials, rising.
        nontarget: (M,) scores of nontarget trials, rising.
        threshold: (P,) or one number.
        side: "right" rejects what equals a threshold, "left" accepts it.

    Returns:
        (P,) misses and (P,) correctly rejected nontargets, or a number of each.
    """
    misses = np.searchsorted(target, threshold, side=side)
    return misses, np.searchsorted(nontarget, threshold, side=side)


def operating_point(
    target: np.ndarray, nontarget: np.ndarray, num_misses: int, num_rejected: int
) -> OperatingPoint:
    """Describe the threshold that rejects so many of the lowest of each class.

    Args:
        target: (N,) scores of target trials, rising.
        nontarget: (M,) scores of nontarget trials, rising.
        num_misses: number of rejected targets.
        num_rejected: number of rejected nontargets.
    """
    rejected = [*target[:num_misses][-1:], *nontarget[:num_rejected][-1:]]
    return OperatingPoint(
        float(max(rejected, default=-np.inf)),
        num_misses / len(target),
        (len(nontarget) - num_rejected) / len(nontarget),
    )


def corners(target: np.ndarray, nontarget: np.ndarray) -> Corners:
    """Find the corners of the ROC by looking up the smaller class in the larger.

    Args:
        target: (N,) scores of target trials, rising.
        nontarget: (M,) scores of nontarget trials, rising.
    """
    if len(target) <= len(nontarget):
        # Just below every target: a miss less costs the nontargets above it.
        misses, rejected = count_rejected(target, nontarget, distinct(target), "left")
        misses = np.append(misses, len(target))
        rejected = np.append(rejected, len(nontarget))
    else:
        # At every nontarget: a false alarm less costs the targets below it.
        misses, rejected = count_rejected(target, nontarget, distinct(nontarget))
        misses = np.insert(misses, 0, 0)
        rejected = np.insert(rejected, 0, 0)
    return Corners(misses, len(nontarget) - rejected)


def det_curve(
    target: np.ndarray, nontarget: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both error rates at every distinct threshold, for plots.

    Args:
        target: (N,) scores of target trials.
        nontarget: (M,) scores of nontarget trials.

    Returns:
        (P,) thresholds rising from minus infinity, (P,) miss rates rising from 0 to
        1, (P,) false alarm rates falling from 1 to 0.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Example:
        >>> det_curve(np.array([1.0, 2.0]), np.array([0.0, 1.0]))[1:]
        (array([0. , 0. , 0.5, 1. ]), array([1. , 0.5, 0. , 0. ]))
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    thresholds = np.unique(np.concatenate([[-np.inf], target, nontarget]))
    misses, rejected = count_rejected(target, nontarget, thresholds)
    return thresholds, misses / len(target), 1 - rejected / len(nontarget)


def distinct(scores: np.ndarray) -> np.ndarray:
    """(N,) rising scores -> those that differ from the one before."""
    return scores[np.concatenate([[True], scores[1:] != scores[:-1]])]
