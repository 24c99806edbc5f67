"""Bootstrap confidence intervals of metrics, resampling speakers.

Trials of one speaker are correlated, so speakers are drawn, not trials: with ten
speakers a thousand trials are worth little more than ten.  All systems are measured on
the same draws, which makes the interval of their difference much narrower than the two
intervals by themselves suggest.

A trial that has two speakers counts as often as the product of both draws, so that a
nontarget trial varies with its test speaker too.

Source: B. Efron and R. Tibshirani, "An introduction to the bootstrap", 1993, chapters
8 and 13 (percentile intervals, clusters); T. Snijders and S. Borgatti, "Non-parametric
standard errors and tests for network statistics", Connections 1999, for pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import FitError
from asdkit.metrics.weighted import Statistic, WeightedTrials

MOST_EMPTY = 0.1  # of the replicates may lack a class; the others are then not biased


class Interval(NamedTuple):
    """A percentile interval.

    Attributes:
        low: lower end.
        high: upper end.
    """

    low: float
    high: float


class Speakers(NamedTuple):
    """Speakers of the trials of one class.

    Attributes:
        first: (N,) number of the speaker, from 0.
        second: (N,) number of the other speaker, e.g. of the test utterance; the same
            number where it is the same person.  None if there is one only.
    """

    first: np.ndarray
    second: np.ndarray | None = None

    def weigh(self, draws: np.ndarray) -> np.ndarray:
        """(K,) how often every speaker was drawn -> (N,) how often every trial."""
        weights = draws[self.first]
        if self.second is None:
            return weights
        return np.where(
            self.first == self.second, weights, weights * draws[self.second]
        )


def speakers_of(
    classes: Sequence[np.ndarray],
    first: Sequence[str],
    second: Sequence[str] | None = None,
) -> list[Speakers]:
    """Number the speakers of N trials, class by class.

    Args:
        classes: (N,) bool for every class, its trials.
        first: N names of speakers.
        second: N names of the other speakers; None if there is one only.
    """
    given = [np.asarray(names) for names in (first, second) if names is not None]
    numbers = np.unique(np.concatenate(given), return_inverse=True)[1]
    columns = numbers.reshape(len(given), -1)  # (1 or 2, N)
    return [Speakers(*(column[rows] for column in columns)) for rows in classes]


def replicate(
    systems: Sequence[Sequence[np.ndarray]],
    speakers: Sequence[Speakers],
    statistics: Mapping[str, Statistic],
    num_replicates: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """Measure systems on resampled speakers.

    Args:
        systems: for every system, (N_k,) scores of class k for every k; all systems
            scored the same trials in the same order.
        speakers: of the trials of class k, for every k.
        statistics: name -> metric of `asdkit.metrics.weighted`.
        num_replicates: number of draws.
        seed: of the draws.

    Returns:
        (R, S, Q) replicates, systems, statistics; a replicate without a speaker of a
        class is left out.

    Raises:
        FitError: there is one speaker only, or more than a tenth of the replicates
            lack a class.
        ValueError: a class is empty, or a score is NaN.
    """
    numbers = [n for s in speakers for n in (s.first, s.second) if n is not None]
    num_speakers = 1 + max(int(n.max()) for n in numbers)
    if num_speakers < 2:
        raise FitError("bootstrap: expected two speakers or more to draw from, got one")
    rng = np.random.default_rng(seed)
    ranked = [WeightedTrials(classes) for classes in systems]
    values = []
    for _ in range(num_replicates):
        drawn = rng.integers(num_speakers, size=num_speakers)
        draws = np.bincount(drawn, minlength=num_speakers).astype(np.float32)
        weights = [s.weigh(draws) for s in speakers]
        if all(w.any() for w in weights):
            values.append([_measure(one, weights, statistics) for one in ranked])
    if len(values) < (1 - MOST_EMPTY) * num_replicates:
        raise FitError(
            f"bootstrap: {num_replicates - len(values)} of {num_replicates} draws from "
            f"{num_speakers} speakers have no trial of a class",
            hint="too few speakers have trials of both classes for an interval",
        )
    return np.array(values)


def interval(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """(R,) replicates -> the central interval.

    Args:
        values: (R,) of a metric, or of a difference of two systems.
        confidence: the share inside, in (0, 1).
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _measure(
    trials: WeightedTrials,
    weights: Sequence[np.ndarray],
    statistics: Mapping[str, Statistic],
) -> list[float]:
    """Compute all statistics of one system in one replicate."""
    trials.weigh(weights)
    return [statistic(trials) for statistic in statistics.values()]
