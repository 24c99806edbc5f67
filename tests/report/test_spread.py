"""Intervals and bands, on the same draws for all systems."""

import numpy as np

from asdkit.metrics.comparison import WORSE
from asdkit.report.spread import BAND, FEWEST, Spread, measure_spread, num_draws


def test_bands_and_intervals_hold_what_they_are_of(found):
    spread = measure_spread(found, 100)
    assert isinstance(spread, Spread)
    for system, intervals, (low, high) in zip(
        found.systems, spread.intervals, spread.bands, strict=True
    ):
        eer = system.values["EER %"]
        assert intervals["EER %"].low <= eer <= intervals["EER %"].high
        target, nontarget = found.two(system.scores)
        for rate, least, most in zip(BAND, low, high, strict=True):
            at = np.quantile(nontarget, 1 - rate, method="higher")
            assert least - 0.05 <= np.mean(target <= at) <= most + 0.05
    (other,) = spread.comparisons
    assert (other.system, other.against, other.verdict) == (1, 0, WORSE)


def test_there_are_fewer_draws_where_there_are_many_trials():
    assert num_draws(10_000, 2, 1000) == 1000
    assert num_draws(1_000_000, 20, 1000) == FEWEST
    assert num_draws(1_000_000, 20, 10) == 10


def test_what_keeps_intervals_from_being_made_is_said(found):
    assert measure_spread(found, 0) == ""
    found.speakers = None
    assert "does not name speakers" in measure_spread(found, 100)
