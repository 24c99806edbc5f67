"""Comparison of systems over speakers and training seeds.

A metric varies with the speakers of the test set and with the seed of the training.
Both are drawn anew in every replicate: the same speakers for all systems, which makes
the comparison a paired one, and the seeds of each system by themselves.  What one seed
would have given with another is not known; a system of one seed is taken as it is.

Seeds and speakers are crossed: what one seed does to some speakers' trials is seen both
among seeds and among speakers.  Drawing plainly from both counts it up to three times
(Owen), and finds nothing where there is something.  So a replicate is the mean of all
seeds on the drawn speakers, plus how far the mean of drawn seeds is from that of all,
where

- of n seeds n - 1 are drawn with replacement, since n would make the variance of their
  mean too small by (n - 1) / n;
- their deviations are shrunk to the variance that speakers do not explain already;
- they are divided by the root of a mean of n - 1 squared normal numbers, since the
  spread of a few seeds is hardly known: tails become those of Student's t.

Of 200 simulated corpora of 30 speakers with equal systems of 2, 3 or 5 seeds, whose
effect was small or large beside that of the trials, 2 to 4 % had p < 0.05.  Without the
third step it was 20 % where two seeds differed much; plain draws gave from 0 to 13 %.

Trials with two speakers are weighed by the product of both draws.  That overstates the
variance of what belongs to a pair alone, by up to three (Owen), so that such intervals
are rather too wide than too narrow.

Source: B. Efron and R. Tibshirani, "An introduction to the bootstrap", 1993, chapters
8, 13 and 15; M. Bisani and H. Ney, "Bootstrap estimates for confidence intervals in ASR
performance evaluation", ICASSP 2004, for differences of systems on the same draws; N.
Poh and S. Bengio, "Performance generalization in biometric authentication using joint
user-specific and sample bootstraps", IEEE Trans. PAMI 2007, for draws of speakers; P.
McCarthy and C. Snowden, "The bootstrap and finite population sampling", 1985, for
n - 1; A. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007; S. Holm,
"A simple sequentially rejective multiple test procedure", Scand. J. Statistics 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import FitError
from asdkit.metrics.bootstrap import Interval, interval

BETTER, WORSE, UNKNOWN = "better", "worse", "cannot be told"


class Comparison(NamedTuple):
    """One system against another, in one metric where less is better.

    Attributes:
        system: number of the system.
        against: number of the system that it is compared with.
        metric: number of the metric.
        difference: metric of the system minus that of the other.
        difference_interval: of the difference.
        change: difference / metric of the other; NaN where that is 0.
        change_interval: of the change; NaN where a replicate of the other has 0.
        p: two-sided, of this comparison alone.
        adjusted_p: after Holm's correction for all comparisons.
        verdict: "better", "worse" or "cannot be told".
    """

    system: int
    against: int
    metric: int
    difference: float
    difference_interval: Interval
    change: float
    change_interval: Interval
    p: float
    adjusted_p: float
    verdict: str


def draw_seeds(
    replicates: np.ndarray,
    values: np.ndarray,
    num_seeds: Sequence[int],
    seed: int = 0,
) -> np.ndarray:
    """Average every system's metrics over resampled seeds.

    Args:
        replicates: (R, F, Q) replicates, files, metrics, from
            `asdkit.metrics.bootstrap.replicate`; a file is what one seed gave.
        values: (F, Q) the metrics of the files on all trials.
        num_seeds: of each of the S systems, whose files follow one another; they sum
            to F.
        seed: of the draws.

    Returns:
        (R, S, Q) replicates, systems, metrics; of a system of one seed as they were.

    Raises:
        ValueError: the numbers of seeds do not sum to F.

    Source: the module's docstring.
    """
    num_replicates, num_files, _ = replicates.shape
    if sum(num_seeds) != num_files:
        raise ValueError(f"{num_files} files but {sum(num_seeds)} seeds")
    # Another stream than that of the speakers, which `replicate` draws with this seed.
    rng = np.random.default_rng([seed, 1])
    ends = np.cumsum(num_seeds).tolist()
    averaged = []
    for n, end in zip(num_seeds, ends, strict=True):
        files, value = replicates[:, end - n : end], values[end - n : end]
        mean = files.mean(axis=1)  # (R, Q)
        if n > 1:
            chosen = rng.multinomial(n - 1, np.full(n, 1 / n), size=num_replicates)
            tails = np.sqrt((n - 1) / rng.chisquare(n - 1, size=num_replicates))
            deviations = _share_of_seeds(files, value) * (value - value.mean(axis=0))
            mean = mean + (tails / (n - 1))[:, None] * (chosen @ deviations)
        averaged.append(mean)
    return np.stack(averaged, axis=1)


def _share_of_seeds(files: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Estimate how much of the deviations among seeds other trials would keep.

    Args:
        files: (R, n, Q) replicates of n seeds.
        value: (n, Q) the same on all trials.

    Returns:
        (Q,) factors in [0, 1], the root of the share of the variance.
    """
    among_seeds = value.var(axis=0, ddof=1)  # of seeds and of their trials
    of_trials = (files - value).var(axis=1, ddof=1).mean(axis=0)
    rest = np.maximum(0, among_seeds - of_trials)
    return np.sqrt(rest / np.where(among_seeds > 0, among_seeds, 1))


def two_sided_p(differences: np.ndarray) -> float:
    """Return the p value of a difference that would be 0.

    It is the smallest level at which the central percentile interval leaves out 0, so
    that interval and p value agree; the replicates themselves count as one more, which
    keeps it above 0.

    Args:
        differences: (R,) replicates of a difference.

    Returns:
        in [2 / (R + 1), 1].

    Source: Efron and Tibshirani, section 15.4; A. Davison and D. Hinkley, "Bootstrap
    methods and their application", 1997, (4.11), for the one more.

    Example:
        >>> two_sided_p(np.array([-1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
        0.5
    """
    fewest = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return min(1.0, 2 * float(fewest + 1) / (len(differences) + 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p values for how many there are.

    Rejecting what is at most a level keeps the chance of a single wrong rejection among
    all of them below that level, however they depend on each other.

    Args:
        p: (M,) p values.

    Returns:
        (M,) in the same order; none is smaller than before.

    Source: S. Holm 1979.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order]))
    return adjusted


def require_draws(num_replicates: int, num_tests: int, level: float = 0.05) -> None:
    """Refuse so few replicates that no test could end in a verdict.

    Args:
        num_replicates: R.
        num_tests: M that p values are corrected for.
        level: of the tests.

    Raises:
        FitError: the least p value, 2 / (R + 1), times M is above the level.
    """
    if 2 * num_tests > level * (num_replicates + 1):
        enough = int(np.ceil(20 * num_tests / level))
        raise FitError(
            f"compare: {num_replicates} draws cannot give p <= {level:g} after "
            f"correction for {num_tests} comparisons",
            hint=f"draw more, e.g. --bootstrap {enough}, or compare fewer systems",
        )


def compare(
    estimates: np.ndarray,
    replicates: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    level: float = 0.05,
) -> list[Comparison]:
    """Compare pairs of systems in all metrics.

    Args:
        estimates: (S, Q) metrics of the systems, means over their seeds; less is
            better.
        replicates: (R, S, Q) the same on every draw, from `draw_seeds`.
        pairs: (system, against) numbers of systems.
        level: of the tests; intervals have the confidence 1 - level.

    Returns:
        for every pair, every metric.
    """
    tests = [(one, other, q) for one, other in pairs for q in range(estimates.shape[1])]
    drawn = [replicates[:, one, q] - replicates[:, other, q] for one, other, q in tests]
    p = np.array([two_sided_p(differences) for differences in drawn])
    rows = zip(tests, drawn, p.tolist(), holm(p).tolist(), strict=True)
    found = []
    for (one, other, q), differences, alone, adjusted in rows:
        difference = float(estimates[one, q] - estimates[other, q])
        change, changes = _changes(
            difference, float(estimates[other, q]), differences, replicates[:, other, q]
        )
        found.append(
            Comparison(
                system=one,
                against=other,
                metric=q,
                difference=difference,
                difference_interval=interval(differences, 1 - level),
                change=change,
                change_interval=interval(changes, 1 - level),
                p=alone,
                adjusted_p=adjusted,
                verdict=_verdict(difference, adjusted, level),
            )
        )
    return found


def _changes(
    difference: float, base: float, differences: np.ndarray, bases: np.ndarray
) -> tuple[float, np.ndarray]:
    """Divide a difference and its replicates by the other's; NaN if one of them is 0.

    A replicate without an error has no ratio; to leave it out would flatter somebody.
    """
    if base == 0 or not np.all(bases > 0):
        change = difference / base if base else np.nan
        return change, np.full(len(bases), np.nan)
    return difference / base, differences / bases


def _verdict(difference: float, adjusted_p: float, level: float) -> str:
    """Say what may be said."""
    if adjusted_p > level or difference == 0:
        return UNKNOWN
    return BETTER if difference < 0 else WORSE
