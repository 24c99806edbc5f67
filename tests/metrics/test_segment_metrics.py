"""Localization metrics against their definitions, written out frame by frame."""

import itertools

import numpy as np
import pytest

from asdkit.metrics.segment_metrics import (
    Found,
    count_found,
    frame_eer,
    range_eer,
    time_in,
)


def draw_parts(rng, number, end=10.0):
    """Intervals that do not overlap, in eighths of a second, so that sums are exact."""
    edges = np.sort(rng.choice(int(8 * end) + 1, 2 * number, replace=False)) / 8
    return [tuple(pair) for pair in edges.reshape(-1, 2)]


def test_no_matching_finds_more_segments(rng):
    """The largest set of pairs, each segment in one at most, over all assignments."""
    for _ in range(200):
        true, found = draw_parts(rng, 3), draw_parts(rng, 4)
        right = {
            (a, b)
            for a, b in itertools.product(true, found)
            if min(a[1], b[1]) - max(a[0], b[0])
            > 0.5 * (max(a[1], b[1]) - min(a[0], b[0]))
        }
        most = max(
            sum(pair in right for pair in zip(true, chosen, strict=True))
            for chosen in itertools.permutations(found, 3)
        )
        assert count_found(true, found) == Found(3, 4, most)


def test_precision_recall_and_f1_by_hand():
    count = count_found([(0, 1), (2, 3)], [(0.1, 1.1), (5, 6), (7, 8)])
    count += count_found([(0, 1)], [])
    assert count == Found(3, 3, 1)
    assert (count.precision, count.recall, count.f1) == (1 / 3, 1 / 3, 1 / 3)


def test_nothing_to_find_and_nothing_found_is_perfect():
    count = count_found([], [])
    assert (count.precision, count.recall, count.f1) == (1, 1, 1)


def test_time_in_parts_is_that_of_tiny_steps(rng):
    edges = np.sort(rng.uniform(0, 10, 30))
    parts = draw_parts(rng, 4)
    steps = np.arange(0.0005, 10, 0.001)
    inside = np.zeros(len(steps), bool)
    for begin, end in parts:
        inside |= (steps >= begin) & (steps < end)
    expected = [
        0.001 * np.sum(inside[(steps >= a) & (steps < b)])
        for a, b in itertools.pairwise(edges)
    ]
    np.testing.assert_allclose(
        time_in(edges[:-1], edges[1:], parts), expected, atol=0.005
    )


def test_range_eer_is_the_least_gap_over_all_thresholds(rng):
    """The definition: durations missed and falsely found, threshold by threshold."""
    for _ in range(20):
        scores = rng.integers(8, size=40).astype(float)
        bonafide, spoof = rng.uniform(0, 1, (2, 40))
        rates = []
        for threshold in [-1.0, *np.unique(scores)]:
            said_spoof = scores <= threshold
            false_alarm = bonafide[said_spoof].sum() / bonafide.sum()
            missed = spoof[~said_spoof].sum() / spoof.sum()
            rates.append((abs(false_alarm - missed), (false_alarm + missed) / 2))
        expected = min(rates)[1]
        assert range_eer(scores, bonafide, spoof) == pytest.approx(expected)


def test_range_eer_of_whole_frames_is_the_frame_eer(rng):
    scores = rng.standard_normal(300)
    is_bonafide = rng.random(300) < 0.7
    seconds = 0.01 * is_bonafide, 0.01 * ~is_bonafide
    assert range_eer(scores, *seconds) == pytest.approx(frame_eer(scores, is_bonafide))


def test_range_eer_does_not_depend_on_how_time_is_cut(rng):
    scores = rng.standard_normal(50)
    bonafide, spoof = rng.uniform(0, 1, (2, 50))
    halves = [np.repeat(x, 2) / 2 for x in (bonafide, spoof)]
    assert range_eer(np.repeat(scores, 2), *halves) == pytest.approx(
        range_eer(scores, bonafide, spoof)
    )


def test_time_of_one_class_only_has_no_eer():
    with pytest.raises(ValueError, match="sum to 0"):
        range_eer(np.arange(3.0), np.ones(3), np.zeros(3))
