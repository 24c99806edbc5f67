"""Metrics of more nontarget trials than fit into memory, exact, none of them kept.

With the target scores in memory, all that a threshold needs of the nontarget scores is
how many lie below each target score and how many do not lie above it.  Blocks of
scores add to these counts and are forgotten.  Detection costs and Kaldi's EER follow
from the counts; the EER of `asdkit.metrics.eer` may lie at a threshold between two
target scores, and then needs the few nontarget scores between these.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asdkit.metrics.dcf import dcf_weights
from asdkit.metrics.det import ascending


class Interval(NamedTuple):
    """An open interval between two target scores that are neighbors."""

    low: float
    high: float


class CountedRoc:
    """Count nontarget scores around every target score.

    Args:
        target: (N,) scores of target trials; higher means target.

    Attributes:
        num_nontargets: M, how many were added.

    Raises:
        ValueError: there is no score, or one is NaN.
    """

    def __init__(self, target: np.ndarray) -> None:
        target = ascending(target, "target")
        self.num_targets = len(target)
        self.num_nontargets = 0
        # K distinct scores; targets up to each are missed there.
        self._scores, counts = np.unique(target, return_counts=True)
        self._misses = np.cumsum(counts)
        self._below = np.zeros(len(counts), np.int64)
        self._up_to = np.zeros(len(counts), np.int64)

    def add(self, nontarget: np.ndarray) -> None:
        """Count some of the scores; (P,), overwritten by a sorted copy of themselves.

        Raises:
            ValueError: one is NaN.
        """
        if not len(nontarget):
            return
        nontarget.sort()
        if np.isnan(nontarget[-1]):
            raise ValueError("a nontarget score is NaN")
        self.num_nontargets += len(nontarget)
        self._below += np.searchsorted(nontarget, self._scores, "left")
        self._up_to += np.searchsorted(nontarget, self._scores, "right")

    def min_dcf(self, p_target: float = 0.01) -> float:
        """Return what `asdkit.metrics.dcf.min_dcf` does, with costs of 1."""
        miss_weight, fa_weight = dcf_weights(p_target, 1.0, 1.0)
        misses = np.append(0, self._misses)  # just below every target, and at the top
        accepted = np.append(self.num_nontargets - self._below, 0)
        cost = misses * (miss_weight / self.num_targets)
        return float((cost + accepted * (fa_weight / self.num_nontargets)).min())

    def kaldi_eer(self) -> float:
        """Return what `asdkit.metrics.eer.kaldi_eer` does."""
        position = np.arange(self.num_targets)
        from_top = self.num_nontargets * position // self.num_targets
        below = np.repeat(self._below, np.diff(self._misses, prepend=0))
        found = below >= self.num_nontargets - from_top
        found[-1] = True
        return int(np.argmax(found)) / self.num_targets

    def eer_interval(self) -> Interval | None:
        """Find the targets between which the EER lies; None if it lies at a target."""
        k, is_between = self._crossing()
        if not is_between or not k:  # below all targets it is 0
            return None
        return Interval(float(self._scores[k - 1]), float(self._scores[k]))

    def eer(self, between: np.ndarray | None = None) -> float:
        """Return what `asdkit.metrics.eer.eer` does.

        Args:
            between: (P,) all nontarget scores inside `eer_interval`, in any order.
        """
        k, is_between = self._crossing()
        if is_between and not k:
            return 0.0
        misses = int(self._misses[k - 1]) if k else 0
        if not is_between:
            states = [(misses, self._below[k]), (self._misses[k], self._up_to[k])]
        else:
            start = int(self._up_to[k - 1])
            if between is None or len(between) != self._below[k] - start:
                raise ValueError("expected all scores of the interval")
            # Rejected before and at each distinct score, the first that crosses of all.
            counts = np.unique(between, return_counts=True)[1].cumsum()
            ends = start + np.append(0, counts)
            crosses = self._difference(np.array(misses), ends) >= 0
            at = int(np.argmax(crosses))
            states = [(misses, ends[at - 1]), (misses, ends[at])]
        nearest = min(states, key=lambda x: abs(self._difference(*x)))
        accepted = self.num_nontargets - nearest[1]
        rates = nearest[0] / self.num_targets, accepted / self.num_nontargets
        return float(sum(rates) / 2)

    def _crossing(self) -> tuple[int, bool]:
        """Find where misses first reach false alarms.

        Returns:
            the place of a target score, and whether they do so below it, above the
            target before.
        """
        if not self.num_nontargets:
            raise ValueError("expected nontarget scores, got none")
        before = np.append(0, self._misses[:-1])
        below = self._difference(before, self._below) >= 0
        at = self._difference(self._misses, self._up_to) >= 0
        k = int(np.argmax(below | at))
        return k, bool(below[k])

    def _difference(self, misses: np.ndarray, rejected: np.ndarray) -> np.ndarray:
        """Subtract false alarm rates from miss rates, times N M: exactly."""
        accepted = self.num_nontargets - rejected
        return misses * self.num_nontargets - accepted * self.num_targets
