"""The equal error rate, as ASVspoof, Kaldi and VoxSRC define it.

With finitely many trials the two error rates are hardly ever equal, and definitions
differ in how they fill the gap; the results differ by about one trial of the smaller
class.  State the definition with the number.
"""

from __future__ import annotations

import bisect
from typing import Literal

import numpy as np

from asdkit.metrics.det import (
    OperatingPoint,
    ascending,
    count_rejected,
    det_curve,
    operating_point,
)


def eer(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the equal error rate: the mean of both rates where they are nearest.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.

    Returns:
        a fraction in [0, 1]; smaller is better, 0.5 is chance.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Source: the ASVspoof challenges' compute_eer; here with ties exact.

    Example:
        >>> eer(np.array([1.0, 2.0, 3.0, 4.0]), np.array([-1.0, 0.0, 0.5, 2.5]))
        0.25
    """
    point = eer_point(target, nontarget)
    return (point.miss_rate + point.false_alarm_rate) / 2


def eer_point(target: np.ndarray, nontarget: np.ndarray) -> OperatingPoint:
    """Find the threshold where both error rates are nearest to each other.

    Their difference rises with the threshold, so bisection finds the last threshold
    with fewer misses than false alarms and the first without; the lower one wins if
    both are equally near.  Arguments and errors as in `eer`.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    num_targets, num_nontargets = len(target), len(nontarget)

    def difference(num_misses: int, num_rejected: int) -> int:
        """Subtract the false alarm rate from the miss rate, times N M: exactly."""
        false_alarms = num_nontargets - num_rejected
        return num_misses * num_nontargets - false_alarms * num_targets

    def counts(threshold: float, side: Literal["left", "right"]) -> tuple[int, int]:
        misses, rejected = count_rejected(target, nontarget, threshold, side)
        return int(misses), int(rejected)

    def first_crossing(scores: np.ndarray) -> float:
        """Find the lowest of these thresholds with no fewer misses."""
        position = bisect.bisect_left(
            scores, 0, key=lambda score: difference(*counts(score, "right"))
        )
        return scores[position] if position < len(scores) else np.inf

    # At the highest score all are rejected, so that one of the two is finite.
    crossing = min(first_crossing(target), first_crossing(nontarget))
    before, after = counts(crossing, "left"), counts(crossing, "right")
    nearest = min(before, after, key=lambda both: abs(difference(*both)))
    return operating_point(target, nontarget, *nearest)


def kaldi_eer(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the equal error rate that Kaldi's ``compute-eer`` prints.

    The miss rate at the lowest target score that is higher than the nontarget score
    as far from the top, in fractions, as itself is from the bottom.  Arguments and
    errors as in `eer`.

    Source: Kaldi, src/ivectorbin/compute-eer.cc.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    num_targets, num_nontargets = len(target), len(nontarget)
    position = np.arange(num_targets)
    from_top = (num_nontargets * position / num_targets).astype(np.int64)
    found = nontarget[num_nontargets - 1 - from_top] < target
    found[-1] = True  # Kaldi looks no further
    return int(np.argmax(found)) / num_targets


def voxsrc_eer(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the equal error rate on a line between the points of the ROC.

    What VoxSRC, SpeechBrain's and WeSpeaker's recipes report: both rates are equal
    where the line from one threshold to the next crosses their diagonal.  Arguments
    and errors as in `eer`.

    Source: VoxSRC's compute_EER.py: `brentq` finds where 1 - x is the interpolated
    `roc_curve` of scikit-learn; here without a search.

    Example:
        >>> voxsrc_eer(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.5]))
        0.3333333333333333
    """
    _, miss, false_alarm = det_curve(target, nontarget)
    return crossing(miss, false_alarm)


def crossing(miss: np.ndarray, false_alarm: np.ndarray) -> float:
    """Return where two error rates are equal, on lines between their points.

    Args:
        miss: (P,) miss rates, rising from 0 to 1.
        false_alarm: (P,) false alarm rates at the same thresholds, falling from 1 to 0.
    """
    after = int(np.argmax(miss >= false_alarm))  # not the first: it misses none
    ahead, behind = (miss - false_alarm)[[after - 1, after]]
    part = ahead / (ahead - behind)
    return float(miss[after - 1] + part * (miss[after] - miss[after - 1]))
