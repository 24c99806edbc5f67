"""Segments: runs of frames of one class, and their times."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Segment(NamedTuple):
    """Successive frames of one class.

    Attributes:
        start: first frame.
        stop: one more than the last.
        label: the class.
    """

    start: int
    stop: int
    label: int


def segments_of(classes: np.ndarray) -> list[Segment]:
    """List the segments of (T,) classes, in time.

    Example:
        >>> segments_of(np.array([0, 1, 1]))
        [Segment(start=0, stop=1, label=0), Segment(start=1, stop=3, label=1)]
    """
    changes = np.flatnonzero(np.diff(classes)) + 1
    edges = [0, *changes.tolist(), len(classes)]
    return [
        Segment(start, stop, int(classes[start]))
        for start, stop in pairwise(edges)
        if start < stop
    ]


@dataclass(frozen=True)
class FrameTimes:
    """Times of frames: a boundary lies midway between the middles of two frames.

    Args:
        shift_sec: seconds from one frame to the next.
        first_sec: start of the first frame's share of the time; half of the window's
            excess over the shift, where windows lie within the audio.
    """

    shift_sec: float = 0.01
    first_sec: float = 0.0075

    def seconds(
        self, segment: Segment, num_frames: int, duration: float
    ) -> tuple[float, float]:
        """Return begin and end; what lies before and behind all frames is theirs.

        Args:
            segment: of an utterance.
            num_frames: of the utterance.
            duration: of the utterance in seconds.
        """
        start = self.first_sec + segment.start * self.shift_sec
        stop = self.first_sec + segment.stop * self.shift_sec
        return (
            start if segment.start else 0.0,
            min(stop, duration) if segment.stop < num_frames else duration,
        )

    def middles(self, num_frames: int) -> np.ndarray:
        """Return the middle of each frame: (T,) seconds."""
        return self.first_sec + (np.arange(num_frames) + 0.5) * self.shift_sec

    def edges(self, num_frames: int, duration: float) -> np.ndarray:
        """Return the edges of all frames: (T + 1,) seconds, as in `seconds`."""
        edges = self.first_sec + np.arange(num_frames + 1) * self.shift_sec
        edges[0], edges[-1] = 0.0, duration
        return np.minimum(edges, duration)
