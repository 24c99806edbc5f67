"""A threshold follows from the prior and the costs."""

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.metrics.decision_costs import DecisionCosts


@pytest.mark.parametrize(
    "costs", [DecisionCosts(), DecisionCosts(0.01, 10, 1), DecisionCosts(0.9, 1, 5)]
)
def test_at_the_threshold_both_decisions_cost_the_same(costs):
    odds = np.exp(costs.threshold) * costs.p_target / (1 - costs.p_target)
    posterior = odds / (1 + odds)
    assert costs.c_miss * posterior == pytest.approx(costs.c_fa * (1 - posterior))


WRONG = [
    *[(0, 1, 1), (1, 1, 1), (0.5, 0, 1), (0.5, 1, -1), (np.nan, 1, 1)],
    *[(0.5, np.inf, 1), (0.5, 1, np.nan)],
]


@pytest.mark.parametrize("wrong", WRONG)
def test_costs_that_cannot_be_are_refused(wrong):
    with pytest.raises(
        AsdkitError, match="expected 0 < p_target < 1 and costs above 0"
    ):
        DecisionCosts(*wrong)
