"""Few points of a DET curve that look like all of them.

A curve of 10^6 trials has as many points, a screen some hundreds.  What is kept are
operating points of the system, never averages: every corner of the ROC's convex hull,
where a cost can be least, and as many others as it takes to stay within a tolerance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from asdkit.metrics.cllr import lower_hull
from asdkit.metrics.det import det_curve

LEAST = 1e-6  # rates below and above 1 - this are drawn as if they were these


class DetPoints(NamedTuple):
    """Operating points, by rising threshold.

    Attributes:
        thresholds: (P,) highest rejected score; minus infinity rejects none.
        miss: (P,) miss rates, rising.
        false_alarm: (P,) false alarm rates, falling.
    """

    thresholds: np.ndarray
    miss: np.ndarray
    false_alarm: np.ndarray


def probit(rates: np.ndarray) -> np.ndarray:
    """(P,) rates -> (P,) the scale of DET plots, quantiles of a normal distribution.

    Source: A. Martin et al., "The DET curve in assessment of detection task
    performance", Eurospeech 1997.
    """
    return np.asarray(ndtri(np.clip(rates, LEAST, 1 - LEAST)))


def det_points(
    target: np.ndarray, nontarget: np.ndarray, tolerance: float = 0.01
) -> DetPoints:
    """Choose points of the DET curve.

    Args:
        target: (N,) scores of target trials.
        nontarget: (M,) scores of nontarget trials.
        tolerance: largest distance of a point that is left out from the line between
            those that are kept, on the probit scale; 0.01 is half a pixel of a plot
            of 300 pixels.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    thresholds, miss, false_alarm = det_curve(target, nontarget)
    x, y = probit(false_alarm), probit(miss)
    kept = _first_of_cells(x, y, tolerance / 4)
    kept = kept[_simplified(x[kept], y[kept], tolerance / 2)]
    of_hull = lower_hull(
        -np.round(false_alarm * len(nontarget)).astype(np.int64),
        np.round(miss * len(target)).astype(np.int64),
    )
    # Corners nearer to each other than a pixel look like one.
    of_hull = of_hull[_first_of_cells(x[of_hull], y[of_hull], tolerance)]
    rows = np.union1d(kept, of_hull)
    return DetPoints(thresholds[rows], miss[rows], false_alarm[rows])


def _first_of_cells(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
    """Find the first of the points that follow each other in a cell of a grid."""
    cells = np.round(np.stack([x, y]) / size)  # (2, P)
    differs = np.any(cells[:, 1:] != cells[:, :-1], axis=0)
    is_first = np.concatenate([[True], differs])
    is_first[-1] = True
    return np.flatnonzero(is_first)


def _simplified(x: np.ndarray, y: np.ndarray, tolerance: float) -> np.ndarray:
    """Find the points that a line needs to be as near to all (P,) points.

    Source: D. Douglas and T. Peucker, "Algorithms for the reduction of the number of
    points required to represent a digitized line", Cartographica 1973.
    """
    kept = np.zeros(len(x), dtype=bool)
    kept[[0, -1]] = True
    stack = [(0, len(x) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        dx, dy = x[last] - x[first], y[last] - y[first]
        inner = slice(first + 1, last)
        length = np.hypot(dx, dy) or 1.0
        away = np.abs(dx * (y[inner] - y[first]) - dy * (x[inner] - x[first])) / length
        farthest = int(np.argmax(away))
        if away[farthest] > tolerance:
            middle = first + 1 + farthest
            kept[middle] = True
            stack += [(first, middle), (middle, last)]
    return np.flatnonzero(kept)
