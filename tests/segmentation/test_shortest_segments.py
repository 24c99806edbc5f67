"""The best path against all paths there are, and against k2 where it is installed."""

from itertools import product

import numpy as np
import pytest

from asdkit.segmentation.segments import segments_of
from asdkit.segmentation.shortest_segments import decide_classes


def score_of(classes, odds, min_frames, change_cost):
    """By the definition; minus infinity where a segment is too short."""
    segments = segments_of(np.array(classes))
    for segment in segments[1:-1]:
        if segment.stop - segment.start < min_frames[segment.label]:
            return -np.inf
    return odds @ np.array(classes) - change_cost * (len(segments) - 1)


@pytest.mark.parametrize("min_frames", [(1, 1), (1, 3), (3, 1), (2, 3), (5, 5)])
@pytest.mark.parametrize("change_cost", [0.0, 1.0, 3.0])
def test_no_path_is_better(min_frames, change_cost, rng):
    for num_frames in (1, 2, 5, 9):
        for _ in range(4):
            odds = 2 * rng.standard_normal(num_frames)
            given = odds, min_frames, change_cost
            found = score_of(decide_classes(*given), *given)
            every = (score_of(x, *given) for x in product((0, 1), repeat=num_frames))
            assert found == pytest.approx(max(every))


@pytest.mark.k2
def test_it_decides_as_the_acceptor_does(rng):
    from asdkit.segmentation.binary import BinarySegmenter

    odds = np.repeat(rng.normal(0, 1, 60), 5) + rng.normal(0, 2, 300)
    expected = BinarySegmenter((7, 12), 2.5).decide([odds.astype(np.float32)])[0]
    assert decide_classes(odds, (7, 12), 2.5).tolist() == expected.astype(int).tolist()


def test_a_minute_of_frames_takes_no_time(rng):
    odds = np.repeat(rng.normal(0, 1, 100), 60) + rng.normal(0, 1, 6000)
    classes = decide_classes(odds, (10, 10), 3.0)
    lengths = [x.stop - x.start for x in segments_of(classes)]
    assert min(lengths[1:-1]) >= 10
    assert decide_classes(np.zeros(0), (1, 1), 0.0).shape == (0,)
