"""Normalized Bayes error rates agree with their definition and with the DCFs."""

import numpy as np
import pytest

from asdkit.metrics.bayes_error import bayes_errors
from asdkit.metrics.dcf import act_dcf, min_dcf


def test_they_are_what_decisions_cost(rng):
    # With ties, but none of a score and a threshold, which rounding would decide.
    target = rng.normal(2, 2, 50).round(1) + 0.03
    nontarget = rng.normal(-2, 2, 300).round(1) + 0.03
    log_odds = np.linspace(-6, 6, 25)
    found = bayes_errors(target, nontarget, log_odds)
    thresholds = [-np.inf, *np.concatenate([target, nontarget])]
    for theta, actual, least in zip(log_odds, *found, strict=True):
        p = 1 / (1 + np.exp(-theta))

        def cost(is_accepted, p=p):
            miss, alarm = 1 - is_accepted(target).mean(), is_accepted(nontarget).mean()
            return (p * miss + (1 - p) * alarm) / min(p, 1 - p)

        assert actual == pytest.approx(cost(lambda x, t=-theta: x >= t))
        best = min(cost(lambda x, t=t: x > t) for t in thresholds)
        assert least == pytest.approx(best)
        assert actual == pytest.approx(act_dcf(target, nontarget, p))
        assert least == pytest.approx(min_dcf(target, nontarget, p))


def test_an_empty_class_is_refused():
    with pytest.raises(ValueError, match="nontarget"):
        bayes_errors(np.array([1.0]), np.array([]), np.array([0.0]))
