"""Costs and priors of target, nontarget and spoof trials."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class DetectionCosts:
    """Prior probabilities and costs of errors; the defaults are ASVspoof 2019 to 5's.

    Args:
        p_target: prior of the claimed speaker's own speech.
        p_nontarget: prior of another speaker's speech.
        p_spoof: prior of spoofed speech.
        c_miss: cost of rejecting a target.
        c_fa: cost of accepting a nontarget.
        c_fa_spoof: cost of accepting a spoof.
    """

    p_target: float = 0.95 * 0.99
    p_nontarget: float = 0.95 * 0.01
    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa: float = 10.0
    c_fa_spoof: float = 10.0

    def __post_init__(self) -> None:
        priors = self.p_target, self.p_nontarget, self.p_spoof
        if min(priors) < 0 or not math.isclose(sum(priors), 1, abs_tol=1e-9):
            raise ValueError(f"expected three priors that sum to 1, got {priors}")
        costs = self.c_miss, self.c_fa, self.c_fa_spoof
        if min(costs) < 0:
            raise ValueError(f"expected costs of at least 0, got {costs}")

    @property
    def miss(self) -> float:
        """Expected cost of rejecting all targets."""
        return self.p_target * self.c_miss

    @property
    def false_alarm(self) -> float:
        """Expected cost of accepting all nontargets."""
        return self.p_nontarget * self.c_fa

    @property
    def spoof(self) -> float:
        """Expected cost of accepting all spoofs."""
        return self.p_spoof * self.c_fa_spoof


def normalize(cost: float, worst: float) -> float:
    """Divide by the cost of ignoring the scores; NaN if even that is 0."""
    return cost / worst if worst > 0 else math.nan


ASVSPOOF = DetectionCosts()
A_DCF = DetectionCosts(0.9, 0.05, 0.05, 1.0, 10.0, 20.0)
