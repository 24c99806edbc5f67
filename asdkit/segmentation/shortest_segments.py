"""Best path between two classes whose segments have minimum durations, without k2.

The decision of `asdkit.segmentation.binary.BinarySegmenter`, for one recording and with
numpy alone, so that a trained model can be used where neither k2 nor torch is.
"""

from __future__ import annotations

import numpy as np


def decide_classes(
    odds: np.ndarray, min_frames: tuple[int, int], change_cost: float
) -> np.ndarray:
    """Find the classes of all frames together that are most likely.

    A path has the sum of the log odds of its frames of class 1, minus ``change_cost``
    for every change of class.  Segments are at least as long as is asked for, except
    the first and the last one.

    Args:
        odds: (T,) log odds of class 1.
        min_frames: shortest segments of class 0 and class 1 in frames, from 1.
        change_cost: in nats, 0 or more.

    Returns:
        (T,) of 0 and 1.

    Example:
        >>> odds = np.array([-3.0, -3.0, 5.0, -3.0, -3.0])
        >>> decide_classes(odds, (1, 1), 2.0)
        array([0, 0, 1, 0, 0])
        >>> decide_classes(odds, (1, 4), 2.0)
        array([0, 0, 0, 0, 0])
    """
    num_frames = len(odds)
    if not num_frames:
        return np.zeros(0, dtype=int)
    total = np.concatenate([[0.0], np.cumsum(odds, dtype=np.float64)])
    sums = [0.0] * (num_frames + 1), total.tolist()  # of frames before t, per class
    # Best score of a path whose last segment, of a class, ends before frame t, and the
    # beginning of that segment.
    score = [[0.0] * (num_frames + 1) for _ in range(2)]
    start = [[0] * (num_frames + 1) for _ in range(2)]
    # The best beginning so far of a segment that may end, and the score of what is
    # before it; one that begins with the recording may be short.
    best = [(0.0, 0), (0.0, 0)]
    for t in range(1, num_frames + 1):
        for label in (0, 1):
            newest = t - min_frames[label]
            begins = (
                range(1, t) if t == num_frames else range(max(1, newest), newest + 1)
            )
            for begin in begins:
                before = score[1 - label][begin] - change_cost - sums[label][begin]
                best[label] = max(best[label], (before, begin))
            before, begin = best[label]
            score[label][t], start[label][t] = before + sums[label][t], begin
    classes = np.zeros(num_frames, dtype=int)
    label, t = int(score[1][-1] > score[0][-1]), num_frames
    while t:
        begin = start[label][t]
        classes[begin:t] = label
        label, t = 1 - label, begin
    return classes
