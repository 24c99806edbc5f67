"""Intervals of the numbers of a report, over other speakers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from asdkit.base.errors import FitError
from asdkit.metrics.bootstrap import Interval, interval, replicate
from asdkit.metrics.comparison import Comparison, compare, require_draws
from asdkit.metrics.weighted import Statistic, miss_at
from asdkit.report.evaluations import Evaluated

logger = logging.getLogger(__name__)
LEVEL = 0.05
BAND = ndtr(np.linspace(-3.1, 0.6, 24))  # false alarm rates of the DET bands
FEWEST, WORK = 200, 3e8  # draws; trials x systems x draws that take half a minute


class Spread(NamedTuple):
    """Intervals of all systems of an evaluation, on the same draws of speakers.

    Attributes:
        num_draws: of speakers.
        intervals: for every system, metric's title -> 95 % interval.
        bands: for every system, (F,) lower and (F,) upper miss rates at `BAND`.
        comparisons: of every other system with the best, in the first metric.
    """

    num_draws: int
    intervals: list[dict[str, Interval]]
    bands: list[tuple[np.ndarray, np.ndarray]]
    comparisons: list[Comparison]


def num_draws(num_trials: int, num_systems: int, most: int) -> int:
    """Choose how often to draw, so that a report takes no more than half a minute."""
    affordable = int(WORK / max(1, num_trials * num_systems))
    return min(most, max(FEWEST, affordable))


def measure_spread(found: Evaluated, most_draws: int, seed: int = 0) -> Spread | str:
    """Bootstrap the speakers of an evaluation.

    Args:
        found: systems, the best first.
        most_draws: how often to draw; fewer where there are very many trials.
        seed: of the draws.

    Returns:
        the spread, or a sentence that says why there is none; empty if none was
        asked for.
    """
    if most_draws == 0:
        return ""
    if found.speakers is None:
        return "The key does not name speakers, so there are no intervals."
    draws = num_draws(len(found.test), len(found.systems), most_draws)
    statistics: dict[str, Statistic] = {
        metric.title: metric.statistic
        for metric in found.metrics
        if metric.statistic is not None
    }
    num_metrics = len(statistics)
    for rate in BAND.tolist():
        statistics[f"miss at {rate}"] = partial(miss_at, false_alarm_rate=rate)
    scores = [found.split(system.scores) for system in found.systems]
    try:
        drawn = replicate(scores, found.speakers, statistics, draws, seed)
    except FitError as error:
        logger.warning("report: no intervals: %s", error)
        return f"There are no intervals: {error}."
    titles = list(statistics)[:num_metrics]
    intervals = [
        {title: interval(drawn[:, s, q]) for q, title in enumerate(titles)}
        for s in range(len(found.systems))
    ]
    tails = LEVEL / 2, 1 - LEVEL / 2
    bands = np.quantile(drawn[:, :, num_metrics:], tails, axis=0)  # (2, S, F)
    return Spread(
        draws,
        intervals,
        list(zip(bands[0], bands[1], strict=True)),
        _compare(found, drawn, titles),
    )


def _compare(
    found: Evaluated, drawn: np.ndarray, titles: Sequence[str]
) -> list[Comparison]:
    """Compare every system with the best, which is the first."""
    metric = found.metrics[0].title
    pairs = [(s, 0) for s in range(1, len(found.systems))]
    if metric not in titles or not pairs:
        return []
    estimates = np.array([[system.values[metric]] for system in found.systems])
    at = titles.index(metric)
    try:
        require_draws(len(drawn), len(pairs), LEVEL)
    except FitError as error:
        logger.warning("report: no comparison: %s", error)
        return []
    return compare(estimates, drawn[:, :, at : at + 1], pairs, LEVEL)
