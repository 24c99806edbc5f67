"""Calibration and fusion: scores to log-likelihood ratios.

Both are one model, logistic regression:

    llr = weights . x + offset                                                  (1)

where x holds the scores of one system (calibration) or of several (fusion), and any
quality measures.  Its objective weighs the two classes so that the share of targets
among the training trials does not matter:

    P mean_target softplus(-z) + (1 - P) mean_nontarget softplus(z)             (2)

in nats, with z = llr + logit P, the log odds where a target has the probability P
beforehand.  At P = 0.5 that is Cllr, times log 2.  It is convex.

Source: N. Brummer et al., "Fusion of heterogeneous speaker recognition systems in the
STBU submission for the NIST speaker recognition evaluation 2006", IEEE TASLP 2007.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from asdkit.backends.familiarity import range_of, strange_columns
from asdkit.base.errors import FitError
from asdkit.base.ranges import NonNegative, Probability

logger = logging.getLogger(__name__)
TOLERANCE = 1e-8  # of the gradient's length, in nats per unit of a scaled weight
MAX_STEPS = 100  # of Newton's method; a dozen do
DEPENDENT = 1e-10  # least eigenvalue of a correlation matrix that has full rank


class Calibration:
    """Map scores, with or without quality measures, to log-likelihood ratios.

    Args:
        p_target: prior probability of a target (P) to calibrate for, between 0 and 1.
        ridge: penalty on half the squared weights of scores scaled to unit variance;
            above 0, it keeps weights finite even if the training trials are separable.
        measures: names of the quality measures, two columns each, after the scores.

    Attributes:
        weights_: (F,) one per column.
        offset_: () a number.
        seen_: (4, F) the range of the training data; not in files of old.
    """

    weights_: np.ndarray
    offset_: np.ndarray

    def __init__(
        self,
        p_target: Probability = 0.5,
        ridge: NonNegative = 0.0,
        measures: Sequence[str] = (),
    ) -> None:
        self.p_target = p_target
        self.ridge = ridge
        self.measures = list(measures)

    @property
    def num_systems(self) -> int:
        """Number of systems whose scores the model takes."""
        return len(self.weights_) - 2 * len(self.measures)

    def fit(self, x: np.ndarray, is_target: np.ndarray) -> Calibration:
        """Minimize (2) by Newton's method.

        Args:
            x: (N, F) scores of every system, then the quality measures.
            is_target: (N,) bool, True for target trials.

        Raises:
            FitError: the prior is not inside (0, 1), the ridge is negative, there is
                one class only, a value is not finite, a column is the same for all
                trials, or a plane separates the classes.
        """
        if not 0 < self.p_target < 1 or self.ridge < 0:
            values = f"{self.p_target} and {self.ridge}"
            problem = f"expected 0 < p_target < 1 and ridge >= 0, got {values}"
            raise FitError(f"calibration: {problem}")
        x = np.asarray(x, dtype=np.float64)
        _check(x, is_target)
        mean, std = x.mean(axis=0), x.std(axis=0)
        columns = np.hstack([(x - mean) / std, np.ones((len(x), 1))])  # (N, F + 1)
        objective = _Objective(columns, is_target, self.p_target, self.ridge)
        found = _minimize(objective, np.zeros(columns.shape[1]))
        self.seen_ = range_of(x)
        self.weights_ = found[:-1] / std
        self.offset_ = np.array(found[-1] - self.weights_ @ mean)
        llr = self.score(x)
        if self.ridge == 0 and llr[is_target].min() >= llr[~is_target].max():
            raise FitError(
                f"calibration: all {is_target.sum()} target trials score higher than "
                f"all {(~is_target).sum()} nontarget trials, so the weights would "
                "grow without limit",
                hint="train on more trials, or on harder ones, or with --ridge 1e-4",
            )
        logger.info(
            "calibration: %d target, %d nontarget trials: cost = %.4f nats, weights = "
            "%s, offset = %.4g",
            is_target.sum(),
            (~is_target).sum(),
            objective.value(found),
            " ".join(f"{weight:.4g}" for weight in self.weights_),
            self.offset_,
        )
        if np.any(self.weights_[: self.num_systems] < 0):
            logger.warning("calibration: a higher score of a system lowers the llr")
        return self

    def strangers(
        self, x: np.ndarray, names: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Name the columns whose values are unlike those of the training data.

        Args:
            x: (N, F) as in `fit`.
            names: names of the columns, for messages.

        Returns:
            what cannot be of the same systems, and what is only far from the training;
            nothing where the model does not remember.
        """
        return strange_columns(x, getattr(self, "seen_", None), names)

    def score(self, x: np.ndarray) -> np.ndarray:
        """(N, F) as in `fit` -> (N,) natural-log likelihood ratios."""
        return x @ self.weights_ + self.offset_  # (1)


class _Objective:
    """The cost (2) with its derivatives, per weight of (N, F + 1) columns."""

    def __init__(
        self, columns: np.ndarray, is_target: np.ndarray, p_target: float, ridge: float
    ) -> None:
        sign = np.where(is_target, 1.0, -1.0)
        self.signed = columns * sign[:, None]  # (N, F + 1)
        self.prior = sign * np.log(p_target / (1 - p_target))  # (N,)
        num_targets = is_target.sum()
        target = p_target / num_targets
        nontarget = (1 - p_target) / (len(is_target) - num_targets)
        self.share = np.where(is_target, target, nontarget)  # (N,) sums to 1
        self.ridge = np.full(columns.shape[1], ridge)
        self.ridge[-1] = 0  # the offset is free

    def _log_odds(self, w: np.ndarray) -> np.ndarray:
        """(F + 1,) weights -> (N,) log odds of the right class."""
        return self.signed @ w + self.prior

    def value(self, w: np.ndarray) -> float:
        """(F + 1,) weights -> cost in nats."""
        from scipy.special import log_expit

        cost = -self.share @ log_expit(self._log_odds(w))
        return float(cost + 0.5 * self.ridge @ w**2)

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """(F + 1,) weights -> (F + 1,)."""
        from scipy.special import expit

        slope = -self.share * expit(-self._log_odds(w))
        return slope @ self.signed + self.ridge * w

    def hessian(self, w: np.ndarray) -> np.ndarray:
        """(F + 1,) weights -> (F + 1, F + 1)."""
        from scipy.special import expit

        right = expit(self._log_odds(w))
        curvature = self.share * right * (1 - right)
        return self.signed.T * curvature @ self.signed + np.diag(self.ridge)


def _minimize(objective: _Objective, w: np.ndarray) -> np.ndarray:
    """Find the weights of least cost by Newton's method, halving steps that overshoot.

    Where columns depend on each other, e.g. a system that is fused with itself, the
    shortest weights are found.  scipy's trust-exact looks for them forever there,
    before scipy 1.17 (github.com/scipy/scipy/issues/12513).
    """
    value = objective.value(w)
    for _ in range(MAX_STEPS):
        gradient = objective.gradient(w)
        if np.linalg.norm(gradient) < TOLERANCE:
            return w
        inverse = np.linalg.pinv(objective.hessian(w), rcond=1e-12, hermitian=True)
        step = -inverse @ gradient
        slope = gradient @ step
        while (new := objective.value(w + step)) > value + 1e-4 * slope:
            step, slope = step / 2, slope / 2
            if -slope < 1e-16 * value:  # as low as rounding allows
                return w
        w, value = w + step, new
    logger.warning("calibration: not at the minimum after %d steps", MAX_STEPS)
    return w


def _check(x: np.ndarray, is_target: np.ndarray) -> None:
    """Describe why training data will not do."""
    num_targets = int(is_target.sum())
    if num_targets in (0, len(x)):
        raise FitError(
            f"calibration: expected target and nontarget trials, got {num_targets} "
            f"target and {len(x) - num_targets} nontarget"
        )
    if not np.all(np.isfinite(x)):
        raise FitError("calibration: a score or measure is NaN or infinite")
    constant = np.flatnonzero(np.ptp(x, axis=0) == 0)
    if len(constant):
        raise FitError(
            f"calibration: column {constant[0] + 1} of {x.shape[1]} (scores, then two "
            "per measure) is the same for all trials, so it carries no information"
        )
    if x.shape[1] > 1:
        correlation = np.corrcoef(x.T)  # (F, F)
        if np.linalg.eigvalsh(correlation)[0] < DEPENDENT:
            logger.warning(
                "calibration: one of the %d columns (scores, then two per measure) "
                "follows from the others, so that their weights are arbitrary: is a "
                "system given twice?",
                x.shape[1],
            )
