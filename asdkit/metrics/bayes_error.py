"""Normalized Bayes error rates: what decisions cost at every prior.

Scores that are log-likelihood ratios are compared with minus the prior log odds.  The
error rate of these decisions, divided by that of the better trivial system, is drawn
over the prior log odds; below it is that of the best threshold.  What lies between both
is lost by calibration, and above 1 deciding without scores were better.

Source: N. Brummer and E. de Villiers, "The BOSARIS toolkit user guide", 2011, section
on normalized Bayes error-rate plots; N. Brummer and J. du Preez, "Application-
independent evaluation of speaker detection", Computer Speech and Language 2006, for APE
plots, of which these are the normalized form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asdkit.metrics.det import ascending, corners


class BayesErrors(NamedTuple):
    """Error rates over prior log odds.

    Attributes:
        actual: (P,) of decisions at Bayes' threshold, 1 is the trivial system's.
        least: (P,) of the best threshold, at most 1.
    """

    actual: np.ndarray
    least: np.ndarray


def bayes_errors(
    target: np.ndarray, nontarget: np.ndarray, log_odds: np.ndarray
) -> BayesErrors:
    """Measure normalized Bayes error rates.

    Args:
        target: (N,) natural-log likelihood ratios of target trials.
        nontarget: (M,) those of nontarget trials.
        log_odds: (P,) natural-log odds of the prior of targets.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Example:
        >>> bayes_errors(np.array([1.0]), np.array([-1.0]), np.array([0.0, 2.0])).actual
        array([0., 1.])
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    log_odds = np.asarray(log_odds, dtype=np.float64)
    prior = 1 / (1 + np.exp(-log_odds))
    trivial = np.minimum(prior, 1 - prior)
    # A score at the threshold is accepted, as in act_dcf.
    miss = np.searchsorted(target, -log_odds) / len(target)
    false_alarm = 1 - np.searchsorted(nontarget, -log_odds) / len(nontarget)
    actual = (prior * miss + (1 - prior) * false_alarm) / trivial
    at = corners(target, nontarget)
    misses = np.concatenate([at.num_misses / len(target), [1.0, 0.0]])
    alarms = np.concatenate([at.num_false_alarms / len(nontarget), [0.0, 1.0]])
    least = [np.min(p * misses + (1 - p) * alarms) for p in prior]
    return BayesErrors(actual, np.array(least) / trivial)
