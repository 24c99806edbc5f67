"""Counts give the metrics that all scores in memory give."""

import numpy as np
import pytest

from asdkit.metrics.counted import CountedRoc
from asdkit.metrics.dcf import min_dcf
from asdkit.metrics.eer import eer, kaldi_eer


def count(target, nontarget, num_blocks=3):
    roc = CountedRoc(target)
    for block in np.array_split(nontarget, num_blocks):
        roc.add(block.copy())
    return roc


def inside(roc, nontarget):
    """Choose the scores of the EER's interval, as a second pass does."""
    interval = roc.eer_interval()
    if interval is None:
        return None
    return nontarget[(interval.low < nontarget) & (nontarget < interval.high)]


@pytest.mark.parametrize("num_values", [2, 5, 40, 10**9])
def test_metrics_are_those_of_all_scores(rng, num_values):
    """Few values make ties, within a class and between the two."""
    between = 0
    for _ in range(200):
        num_targets, num_nontargets = rng.integers(1, 30, 2)
        shift = rng.integers(-1, 4) * num_values // 4
        target = rng.integers(0, num_values, num_targets) + float(shift)
        nontarget = rng.integers(0, num_values, num_nontargets).astype(float)
        roc = count(target, nontarget)
        assert (roc.num_targets, roc.num_nontargets) == (num_targets, num_nontargets)
        chosen = inside(roc, nontarget)
        between += chosen is not None
        assert roc.eer(chosen) == eer(target, nontarget)
        assert roc.kaldi_eer() == kaldi_eer(target, nontarget)
        for p in (0.5, 0.01):
            assert roc.min_dcf(p) == pytest.approx(min_dcf(target, nontarget, p), 1e-12)
    assert num_values < 10**9 or 10 < between < 200


@pytest.mark.parametrize(
    ("target", "nontarget"),
    [([1.0], [0.0]), ([0.0], [1.0]), ([0.0], [0.0]), ([np.inf, 1], [-np.inf, 0, 0])],
)
def test_extremes(target, nontarget):
    target, nontarget = np.array(target), np.array(nontarget)
    roc = count(target, nontarget, 1)
    assert roc.eer(inside(roc, nontarget)) == eer(target, nontarget)
    assert roc.kaldi_eer() == kaldi_eer(target, nontarget)


def test_what_is_missing_is_told():
    with pytest.raises(ValueError, match="expected"):
        CountedRoc(np.empty(0))
    roc = CountedRoc(np.array([1.0, 5.0]))
    with pytest.raises(ValueError, match="got none"):
        roc.eer()
    roc.add(np.array([2.0, 3.0, 4.0, 0.0]))
    with pytest.raises(ValueError, match="all scores of the interval"):
        roc.eer(np.array([3.0]))
    with pytest.raises(ValueError, match="NaN"):
        roc.add(np.array([1.0, np.nan]))
