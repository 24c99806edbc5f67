"""Metrics of spoof localization: by frame, by duration, by segment.

Scores are higher for bona fide frames, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asdkit.metrics import weighted
from asdkit.metrics.eer import eer

Interval = tuple[float, float]  # begin and end


class Found(NamedTuple):
    """Number of segments found.

    Attributes:
        num_true: number of reference segments.
        num_found: number of found segments.
        num_right: pairs of a reference and a found segment that share more than half of
            their union.
    """

    num_true: int
    num_found: int
    num_right: int

    def __add__(self, other: tuple[int, ...]) -> Found:  # type: ignore[override]
        return Found(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def precision(self) -> float:
        """Share of found segments that are correct; 1 if none was found."""
        return self.num_right / self.num_found if self.num_found else 1.0

    @property
    def recall(self) -> float:
        """Share of reference segments that were found; 1 if there are none."""
        return self.num_right / self.num_true if self.num_true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.num_true + self.num_found
        return 2 * self.num_right / total if total else 1.0


def count_found(true: Sequence[Interval], found: Sequence[Interval]) -> Found:
    """Match segments of one recording.

    More than half of the union can be shared with one segment only, so there is one
    way to match.

    Args:
        true: reference segments without overlap.
        found: found segments without overlap.
    """
    right = sum(_overlap(a, b) > _union(a, b) / 2 for a in true for b in found)
    return Found(len(true), len(found), int(right))


def frame_eer(scores: np.ndarray, is_bonafide: np.ndarray) -> float:
    """Return the equal error rate of frames, all of which count the same.

    Args:
        scores: (F,) of the frames of all utterances.
        is_bonafide: (F,) bool.

    Raises:
        ValueError: all frames are of one class, or a score is NaN.
    """
    return eer(scores[is_bonafide], scores[~is_bonafide])


def range_eer(
    scores: np.ndarray, bonafide_sec: np.ndarray, spoof_sec: np.ndarray
) -> float:
    """Return the equal error rate of durations, whatever the frames' boundaries are.

    At a threshold, the share of bona fide time in what is said to be spoofed, and of
    spoofed time in what is not.  A frame on a boundary counts for both classes by what
    it has of each; so scores of different resolution compare.

    Args:
        scores: (F,) of the frames of all utterances, of any duration each.
        bonafide_sec: (F,) bona fide time in each.
        spoof_sec: (F,) spoofed time in each.

    Returns:
        a fraction in [0, 1]; smaller is better, 0.5 is chance.

    Raises:
        ValueError: all time is of one class, or a score is NaN.

    Source: L. Zhang, X. Wang, E. Cooper, N. Evans, J. Yamagishi, "Range-based equal
    error rate for spoof localization", Interspeech 2023.
    """
    trials = weighted.WeightedTrials([scores, scores])
    trials.weigh([bonafide_sec, spoof_sec])
    return weighted.eer(trials)


def time_in(
    starts: np.ndarray, stops: np.ndarray, parts: Sequence[Interval]
) -> np.ndarray:
    """Return how much of each frame lies in some parts of its recording.

    Args:
        starts: (T,) beginning of every frame.
        stops: (T,) end of every frame.
        parts: intervals without overlap.

    Returns:
        (T,) durations.
    """
    inside = np.zeros(len(starts))
    for begin, end in parts:
        shared = np.minimum(stops, end) - np.maximum(starts, begin)
        inside += np.maximum(shared, 0)
    return inside


def _overlap(a: Interval, b: Interval) -> float:
    """Return the duration that two segments share."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def _union(a: Interval, b: Interval) -> float:
    """Return the duration that either of two segments has."""
    return a[1] - a[0] + b[1] - b[0] - _overlap(a, b)
