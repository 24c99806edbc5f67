import numpy as np
import pytest
from scipy.stats import norm

from asdkit.metrics.detection_costs import A_DCF, ASVSPOOF, DetectionCosts
from asdkit.metrics.sasv import a_dcf, a_dcf_point, sasv_eers


def quantiles(num, mean, std):
    """Scores without chance, as the golden numbers were made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


CLASSES = quantiles(1500, 3, 1), quantiles(4000, -1, 1), quantiles(5000, 1.5, 1.2)


def cost_at(threshold, target, nontarget, spoof, costs):
    """The definition: what is not greater than the threshold is rejected."""
    cost = costs.p_target * costs.c_miss * np.mean(target <= threshold)
    cost += costs.p_nontarget * costs.c_fa * np.mean(nontarget > threshold)
    cost += costs.p_spoof * costs.c_fa_spoof * np.mean(spoof > threshold)
    accept = costs.p_nontarget * costs.c_fa + costs.p_spoof * costs.c_fa_spoof
    return cost / min(costs.p_target * costs.c_miss, accept)


def test_golden_numbers():
    assert a_dcf(*CLASSES) == pytest.approx(0.522056, abs=5e-7)
    threshold = a_dcf_point(*CLASSES).threshold
    assert threshold == pytest.approx(2.240099, abs=5e-7)
    assert a_dcf(*CLASSES, ASVSPOOF) == pytest.approx(0.517487, abs=5e-7)
    threshold = a_dcf_point(*CLASSES, ASVSPOOF).threshold
    assert threshold == pytest.approx(1.712566, abs=5e-7)
    expected = 0.17666667, 0.02270833, 0.24746667
    assert sasv_eers(*CLASSES) == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize(
    "costs", [A_DCF, ASVSPOOF, DetectionCosts(0.2, 0.5, 0.3, 5, 1, 2)]
)
def test_a_dcf_is_the_least_over_all_thresholds(rng, costs):
    for _ in range(100):
        sizes = rng.integers(1, 30, 3)
        classes = [
            rng.integers(low, low + 9, n) / 2
            for low, n in zip((4, 0, 3), sizes, strict=True)
        ]
        thresholds = [-np.inf, *np.unique(np.concatenate(classes))]
        every = [cost_at(t, *classes, costs) for t in thresholds]
        found = a_dcf(*classes, costs)
        assert found == pytest.approx(min(every), rel=1e-12, abs=1e-14)
        point = a_dcf_point(*classes, costs)
        assert cost_at(point.threshold, *classes, costs) == pytest.approx(found)
        first = next(
            t
            for t, cost in zip(thresholds, every, strict=True)
            if cost <= min(every) + 1e-11
        )
        assert point.threshold == first
        rates = [np.mean(c > point.threshold) for c in classes]
        assert point[1:] == pytest.approx((1 - rates[0], *rates[1:]))


def test_useless_and_perfect_scores():
    assert a_dcf(np.ones(2), np.ones(3), np.ones(4)) == 1
    assert a_dcf(np.ones(2), np.zeros(3), np.zeros(4)) == 0


def test_a_class_without_scores_is_refused():
    with pytest.raises(ValueError, match="spoof scores"):
        a_dcf(np.ones(2), np.ones(3), np.empty(0))
