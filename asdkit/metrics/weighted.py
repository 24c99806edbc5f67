"""Metrics of weighted trials, for resampling.

A replicate of a bootstrap is a weight per trial: how often it was drawn.  The trials
are sorted once; a replicate then costs cumulative sums, whatever it draws.  With
weights of one every number here is that of the function of the same name in
`asdkit.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from asdkit.metrics.det import ascending, distinct
from asdkit.metrics.detection_costs import A_DCF, DetectionCosts, normalize
from asdkit.metrics.eer import crossing
from asdkit.metrics.tdcf import TandemWeights


class WeightedTrials:
    """Trials of two or three classes, sorted, with a weight each.

    Args:
        classes: (N_k,) scores of class k, for every k: targets first, then nontargets,
            then spoofs; or bona fide, then spoof.

    Attributes:
        scores: (N_k,) of every class, rising.
        rejected: (P,) for every class, the share of its weight at or below each of the
            P thresholds: minus infinity, then every distinct score.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """

    def __init__(self, classes: Sequence[np.ndarray]) -> None:
        self._orders = [np.argsort(scores, kind="stable") for scores in classes]
        self.scores = [
            ascending(np.asarray(scores)[order], f"class {k}")
            for k, (scores, order) in enumerate(zip(classes, self._orders, strict=True))
        ]
        thresholds = distinct(ascending(np.concatenate(self.scores), "pooled"))
        self._counts = [
            np.concatenate([[0], np.searchsorted(scores, thresholds, side="right")])
            for scores in self.scores
        ]
        self.weigh([np.ones(len(scores)) for scores in self.scores])

    def weigh(self, weights: Sequence[np.ndarray]) -> None:
        """Set the weight of every trial.

        Args:
            weights: (N_k,) for every class, in the order in which its scores came.

        Raises:
            ValueError: nothing is left of a class.
        """
        self._sums = []
        for weight, order in zip(weights, self._orders, strict=True):
            total = np.concatenate([[0], np.cumsum(weight[order], dtype=np.float64)])
            if total[-1] == 0:
                raise ValueError("the weights of a class sum to 0")
            self._sums.append(total / total[-1])
        self.rejected = [
            share[count] for share, count in zip(self._sums, self._counts, strict=True)
        ]

    def below(self, k: int, threshold: float) -> float:
        """Return the share of class k that is less than a threshold."""
        return float(self._sums[k][np.searchsorted(self.scores[k], threshold)])

    @cached_property
    def llr_costs(self) -> tuple[np.ndarray, np.ndarray]:
        """(N_0,) and (N_1,) costs in nats of scores that are llrs, whatever weights."""
        target, nontarget = self.scores[:2]
        return np.logaddexp(0, -target), np.logaddexp(0, nontarget)

    def mean(self, k: int, values: np.ndarray) -> float:
        """Average (N_k,) values that belong to the sorted scores of class k."""
        return float(np.diff(self._sums[k]) @ values)


Statistic = Callable[[WeightedTrials], float]


def eer(trials: WeightedTrials) -> float:
    """Return the EER of class 0 against class 1."""
    return _eer(*trials.rejected[:2])


def voxsrc_eer(trials: WeightedTrials) -> float:
    """Return the EER of class 0 against class 1 on a line between thresholds."""
    miss, rejected = trials.rejected[:2]
    return crossing(miss, 1 - rejected)


def miss_at(trials: WeightedTrials, false_alarm_rate: float) -> float:
    """Return the least miss rate of class 0 with so few false alarms of class 1."""
    missed, rejected = trials.rejected[:2]
    # Rounding must not make one weight of many too few.
    at = int(np.searchsorted(rejected, 1 - false_alarm_rate - 1e-12))
    return float(missed[at])


def spf_eer(trials: WeightedTrials) -> float:
    """Return the EER of class 0 against class 2."""
    return _eer(trials.rejected[0], trials.rejected[2])


def sasv_eer(trials: WeightedTrials) -> float:
    """Return the EER of class 0 against classes 1 and 2, by their numbers of trials.

    A replicate keeps the shares of both classes that the trials have.
    """
    _, nontarget, spoof = map(len, trials.scores)
    miss, rejected, stopped = trials.rejected
    pooled = (nontarget * rejected + spoof * stopped) / (nontarget + spoof)
    return _eer(miss, pooled)


def min_dcf(
    trials: WeightedTrials, p_target: float, c_miss: float = 1.0, c_fa: float = 1.0
) -> float:
    """Return the lowest detection cost; arguments as in `asdkit.metrics.dcf`."""
    miss, false_alarm = c_miss * p_target, c_fa * (1 - p_target)
    return _least(trials, miss, false_alarm) / min(miss, false_alarm)


def act_dcf(
    trials: WeightedTrials, p_target: float, c_miss: float = 1.0, c_fa: float = 1.0
) -> float:
    """Return the cost at Bayes' threshold; arguments as in `asdkit.metrics.dcf`."""
    miss, false_alarm = c_miss * p_target, c_fa * (1 - p_target)
    threshold = float(np.log(false_alarm / miss))
    cost = miss * trials.below(0, threshold)
    cost += false_alarm * (1 - trials.below(1, threshold))
    return cost / min(miss, false_alarm)


def cllr(trials: WeightedTrials) -> float:
    """Return the cost of log likelihood ratios in bits."""
    of_target, of_nontarget = trials.llr_costs
    nats = trials.mean(0, of_target) + trials.mean(1, of_nontarget)
    return nats / (2 * np.log(2))


def min_tdcf_2021(trials: WeightedTrials, weights: TandemWeights) -> float:
    """Return the t-DCF in the 2021 form; the ASV system is not resampled."""
    c0, c1, c2 = weights
    return normalize(c0 + _least(trials, c1, c2), c0 + min(c1, c2))


def min_tdcf_2019(trials: WeightedTrials, weights: TandemWeights) -> float:
    """Return the t-DCF in the legacy form; the ASV system is not resampled."""
    _, c1, c2 = weights
    return normalize(_least(trials, c1, c2), min(c1, c2))


def a_dcf(trials: WeightedTrials, costs: DetectionCosts = A_DCF) -> float:
    """Return the lowest architecture-agnostic detection cost of three classes."""
    miss, rejected, stopped = trials.rejected
    cost = costs.miss * miss
    cost += costs.false_alarm * (1 - rejected) + costs.spoof * (1 - stopped)
    return float(cost.min()) / min(costs.miss, costs.false_alarm + costs.spoof)


def _eer(miss: np.ndarray, rejected: np.ndarray) -> float:
    """Average the error rates at the threshold where they are nearest."""
    difference = np.abs(miss + rejected - 1)
    # The first of all that are least; which one must not be left to rounding.
    at = int(np.argmax(difference <= difference.min() + 1e-12))
    return float(miss[at] + 1 - rejected[at]) / 2


def _least(trials: WeightedTrials, miss: float, false_alarm: float) -> float:
    """Return the least weighted sum of the error rates of classes 0 and 1."""
    missed, rejected = trials.rejected[:2]
    return float(np.min(miss * missed + false_alarm * (1 - rejected)))
