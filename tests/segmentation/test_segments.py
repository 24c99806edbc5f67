from itertools import pairwise

import numpy as np
import pytest

from asdkit.segmentation.segments import FrameTimes, Segment, segments_of


def test_segments_are_the_runs_and_tile_the_frames(rng):
    classes = np.repeat(rng.integers(3, size=20), rng.integers(1, 9, size=20))
    found = segments_of(classes)
    again = np.concatenate([np.full(x.stop - x.start, x.label) for x in found])
    np.testing.assert_array_equal(again, classes)
    assert all(a.label != b.label for a, b in pairwise(found))
    assert segments_of(np.zeros(0, int)) == []


def test_boundaries_lie_midway_between_the_middles_of_frames():
    """Windows of 25 ms every 10 ms: frames 3 and 4 have theirs at 42.5 and 52.5 ms."""
    times = FrameTimes(0.01, 0.0075)
    assert times.seconds(Segment(4, 8, 1), 20, 0.215) == pytest.approx((0.0475, 0.0875))
    np.testing.assert_allclose(times.middles(5)[3:], [0.0425, 0.0525])


def test_the_ends_of_a_recording_belong_to_its_first_and_last_frames():
    times = FrameTimes(0.01, 0.0075)
    assert times.seconds(Segment(0, 20, 1), 20, 0.215) == (0.0, 0.215)
