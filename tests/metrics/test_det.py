import numpy as np
import pytest

from asdkit.metrics.det import (
    ascending,
    corners,
    count_rejected,
    det_curve,
    operating_point,
)


def draw(rng, num_targets, num_nontargets, num_values):
    """Scores with many ties within and between the classes."""
    target = rng.integers(0, num_values, num_targets) / 4 + 0.5
    return target, rng.integers(0, num_values, num_nontargets) / 4


@pytest.mark.parametrize(("n", "m", "values"), [(5, 40, 9), (40, 5, 9), (30, 30, 3)])
def test_det_curve_counts_errors_at_every_threshold(rng, n, m, values):
    target, nontarget = draw(rng, n, m, values)
    thresholds, miss, false_alarm = det_curve(target, nontarget)
    assert list(thresholds) == [-np.inf, *sorted({*target, *nontarget})]
    expected = [np.mean(target <= t) for t in thresholds]
    np.testing.assert_allclose(miss, expected, rtol=1e-15)
    expected = [np.mean(nontarget > t) for t in thresholds]
    np.testing.assert_allclose(false_alarm, expected, atol=1e-15)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (7, 60), (60, 7), (50, 50)])
def test_no_threshold_is_better_than_every_corner(rng, n, m):
    target, nontarget = map(np.sort, draw(rng, n, m, 12))
    at = corners(target, nontarget)
    assert np.all(np.diff(at.num_misses) >= 0)
    assert np.all(np.diff(at.num_false_alarms) <= 0)
    found = set(zip(at.num_misses.tolist(), at.num_false_alarms.tolist(), strict=True))
    for threshold in [-np.inf, *target, *nontarget]:
        misses = np.sum(target <= threshold)
        false_alarms = np.sum(nontarget > threshold)
        assert any(a <= misses and b <= false_alarms for a, b in found)


@pytest.mark.parametrize(("n", "m"), [(30, 50), (50, 30)])
def test_corners_are_errors_of_real_thresholds(rng, n, m):
    target, nontarget = map(np.sort, draw(rng, n, m, 15))
    thresholds = [-np.inf, *target, *nontarget]
    real = {(np.sum(target <= t), np.sum(nontarget > t)) for t in thresholds}
    assert set(zip(*corners(target, nontarget), strict=True)) <= real


def test_equal_scores_are_rejected_together():
    target, nontarget = np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0])
    assert count_rejected(target, nontarget, 1.0) == (2, 2)
    assert count_rejected(target, nontarget, 1.0, "left") == (0, 1)


def test_a_point_is_named_by_its_highest_rejected_score():
    target, nontarget = np.array([1.0, 3.0]), np.array([0.0, 2.0])
    assert operating_point(target, nontarget, 1, 1) == (1.0, 0.5, 0.5)
    assert operating_point(target, nontarget, 0, 0) == (-np.inf, 0.0, 1.0)


def test_sorted_scores_are_not_copied(rng):
    scores = np.sort(rng.normal(size=10))
    assert ascending(scores, "target") is scores
    np.testing.assert_array_equal(ascending(scores[::-1], "target"), scores)


@pytest.mark.parametrize("scores", [[np.nan], [1.0, np.nan, 0.0], [1, 2, np.nan]])
def test_nan_is_refused(scores):
    with pytest.raises(ValueError, match="a target score is NaN"):
        ascending(np.array(scores), "target")


@pytest.mark.parametrize("scores", [np.empty(0), np.zeros((2, 3))])
def test_what_is_no_list_of_scores_is_refused(scores):
    with pytest.raises(ValueError, match=r"expected \(N,\) nontarget scores"):
        ascending(scores, "nontarget")
