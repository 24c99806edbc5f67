"""Prior and costs of a decision, and the threshold that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Positive, Probability


@dataclass(frozen=True)
class DecisionCosts:
    """The prior and the costs that a threshold follows from.

    Args:
        p_target: prior probability that the claim is true: that two recordings are of
            one speaker, or that one is bona fide.
        c_miss: cost of rejecting a true claim.
        c_fa: cost of accepting a false one.

    Source: the NIST evaluation plans; N. Brummer, "Measuring, refining and calibrating
    speaker and language information extracted from speech", 2010.

    Example:
        >>> DecisionCosts().threshold
        0.0
        >>> round(DecisionCosts(p_target=0.01, c_miss=10).threshold, 3)
        2.293
    """

    p_target: Probability = 0.5
    c_miss: Positive = 1.0
    c_fa: Positive = 1.0

    def __post_init__(self) -> None:
        costs = self.c_miss, self.c_fa
        if not (0 < self.p_target < 1 and all(0 < x < math.inf for x in costs)):
            expected = "expected 0 < p_target < 1 and costs above 0, all finite"
            raise AsdkitError(f"{expected}, got {self}")

    @property
    def threshold(self) -> float:
        """The log-likelihood ratio above which accepting costs less (Bayes)."""
        odds = self.p_target / (1 - self.p_target)
        return math.log(self.c_fa) - math.log(self.c_miss) - math.log(odds)

    def __str__(self) -> str:
        return f"prior {self.p_target:g}, costs {self.c_miss:g} and {self.c_fa:g}"
