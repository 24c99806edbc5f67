"""Points of a DET curve: true operating points, near to all that are left out."""

import time

import numpy as np
import pytest

from asdkit.metrics.det import det_curve
from asdkit.metrics.det_points import det_points, probit


def draw(rng, num_targets=400, num_nontargets=3000, digits=3):
    target = rng.normal(2, 1, num_targets).round(digits)
    return target, rng.normal(0, 1, num_nontargets).round(digits)


@pytest.mark.parametrize("digits", [1, 3])
def test_all_points_are_on_the_curve_and_all_of_the_curve_is_near(rng, digits):
    target, nontarget = draw(rng, digits=digits)
    points = det_points(target, nontarget, tolerance=0.02)
    for t, miss, alarm in zip(*points, strict=True):  # the definition
        assert miss == np.mean(target <= t)
        assert alarm == pytest.approx(np.mean(nontarget > t), abs=1e-12)
    _, miss, alarm = det_curve(target, nontarget)
    line = np.stack([probit(points.false_alarm), probit(points.miss)], axis=1)
    for point in np.stack([probit(alarm), probit(miss)], axis=1):
        assert distance(point, line) < 0.02
    assert len(points.miss) < len(miss) / 2 or digits == 1


def distance(point, line):
    """The distance of a point from a line of segments."""
    a, b = line[:-1], line[1:]
    d = b - a
    along = ((point - a) * d).sum(1) / np.maximum((d * d).sum(1), 1e-30)
    nearest = a + np.clip(along, 0, 1)[:, None] * d
    return np.hypot(*(point - nearest).T).min()


def test_the_least_cost_of_any_prior_is_among_them(rng):
    target, nontarget = draw(rng)
    points = det_points(target, nontarget)
    _, miss, alarm = det_curve(target, nontarget)
    for prior in (0.01, 0.1, 0.5, 0.9):
        least = np.min(prior * miss + (1 - prior) * alarm)
        found = np.min(prior * points.miss + (1 - prior) * points.false_alarm)
        assert found == pytest.approx(least, rel=0.01)


def test_a_million_trials_take_a_second_and_leave_hundreds(rng):
    target, nontarget = draw(rng, 100_000, 900_000, digits=6)
    begin = time.process_time()
    points = det_points(target, nontarget)
    assert time.process_time() - begin < 3
    assert len(points.miss) < 700


def test_perfect_scores_have_a_curve():
    points = det_points(np.array([1.0]), np.array([0.0]))
    assert (0, 0) in zip(points.miss, points.false_alarm, strict=True)


def test_an_empty_class_is_refused():
    with pytest.raises(ValueError, match="target"):
        det_points(np.array([]), np.array([1.0]))
