import numpy as np
import pytest
from scipy.stats import norm

from asdkit.metrics.dcf import act_dcf, min_dcf, min_dcf_point

ASVSPOOF5 = {"p_target": 0.95, "c_fa": 10.0}


def quantiles(num, mean, std):
    """Scores without chance, as the golden numbers were made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


def cost_at(threshold, target, nontarget, p_target, c_miss, c_fa):
    """The definition: what is not greater than the threshold is rejected."""
    miss = c_miss * p_target * np.mean(target <= threshold)
    false_alarm = c_fa * (1 - p_target) * np.mean(nontarget > threshold)
    return (miss + false_alarm) / min(c_miss * p_target, c_fa * (1 - p_target))


def test_golden_countermeasure_scores():
    bonafide, spoof = quantiles(2000, 2, 1), quantiles(5000, -1, 1.5)
    assert min_dcf(bonafide, spoof, **ASVSPOOF5) == pytest.approx(0.277200, abs=5e-7)
    point = min_dcf_point(bonafide, spoof, **ASVSPOOF5)
    assert point.threshold == pytest.approx(0.296513, abs=5e-7)
    assert act_dcf(bonafide, spoof, **ASVSPOOF5) == pytest.approx(0.413200, abs=5e-7)


@pytest.mark.parametrize(
    ("p_target", "cost"), [(0.01, 0.266250), (0.05, 0.159667), (0.001, 0.368000)]
)
def test_golden_speaker_scores(p_target, cost):
    target, nontarget = quantiles(1500, 3, 1), quantiles(4000, -1, 1)
    assert min_dcf(target, nontarget, p_target) == pytest.approx(cost, abs=5e-7)


@pytest.mark.parametrize("p_target", [0.001, 0.05, 0.5, 0.9])
@pytest.mark.parametrize("costs", [(1.0, 1.0), (1.0, 10.0), (7.0, 0.5)])
def test_min_dcf_is_the_least_over_all_thresholds(rng, p_target, costs):
    for _ in range(30):
        n, m = rng.integers(1, 40, 2)
        target = rng.integers(3, 12, n) / 2
        nontarget = rng.integers(0, 9, m) / 2
        thresholds = [-np.inf, *target, *nontarget]
        every = [cost_at(t, target, nontarget, p_target, *costs) for t in thresholds]
        found = min_dcf(target, nontarget, p_target, *costs)
        assert found == pytest.approx(min(every), rel=1e-12, abs=1e-15)
        point = min_dcf_point(target, nontarget, p_target, *costs)
        at_point = cost_at(point.threshold, target, nontarget, p_target, *costs)
        assert found == pytest.approx(at_point, rel=1e-12, abs=1e-15)
        first = min(
            t
            for t, cost in zip(thresholds, every, strict=True)
            if cost <= min(every) * (1 + 1e-12) + 1e-15
        )
        assert point.threshold == first


def test_act_dcf_is_the_cost_at_bayes_threshold(rng):
    target, nontarget = rng.normal(2, 2, 300), rng.normal(-2, 2, 700)
    threshold = np.log(10 * 0.8 / (3 * 0.2))
    just_below = np.nextafter(threshold, -np.inf)  # equality is accepted
    expected = cost_at(just_below, target, nontarget, 0.2, 3, 10)
    assert act_dcf(target, nontarget, 0.2, 3, 10) == pytest.approx(expected)
    assert expected >= min_dcf(target, nontarget, 0.2, 3, 10)


def test_a_score_at_bayes_threshold_is_accepted():
    assert act_dcf(np.zeros(2), np.zeros(2), p_target=0.5) == 1.0
    assert act_dcf(np.zeros(2), np.full(2, -1e-9), p_target=0.5) == 0.0


def test_useless_scores_cost_one(rng):
    scores = np.zeros(10)
    assert min_dcf(scores, scores) == 1
    assert min_dcf(scores, scores + 1) == 1


@pytest.mark.parametrize("metric", [min_dcf, act_dcf])
def test_impossible_priors_and_costs_are_refused(metric):
    for wrong in ({"p_target": 0.0}, {"p_target": 1.0}, {"c_miss": 0.0}, {"c_fa": -1}):
        with pytest.raises(ValueError, match="expected 0 < p_target < 1"):
            metric(np.ones(2), np.zeros(2), **wrong)
