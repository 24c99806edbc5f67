import numpy as np
import pytest
from scipy.stats import norm

from asdkit.base.errors import FitError
from asdkit.metrics.tdcf import (
    ASVSPOOF5_RATES,
    AsvRates,
    TandemWeights,
    asv_rates,
    min_tdcf_2019,
    min_tdcf_2021,
    tandem_weights,
)


def quantiles(num, mean, std):
    """Scores without chance, as the golden numbers were made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


BONAFIDE, SPOOF = quantiles(2000, 2, 1), quantiles(5000, -1, 1.5)
ASV = quantiles(1500, 3, 1), quantiles(4000, -1, 1), quantiles(5000, 1.5, 1.2)


def tdcf_at(threshold, bonafide, spoof, rates, is_legacy):
    """The definitions, written out, with their own costs and priors."""
    p_target, p_nontarget, p_spoof = 0.95 * 0.99, 0.95 * 0.01, 0.05
    miss, false_alarm = np.mean(bonafide <= threshold), np.mean(spoof > threshold)
    if is_legacy:
        c1 = p_target * (1 - rates.miss) - p_nontarget * 10 * rates.false_alarm
        c2 = 10 * p_spoof * (1 - (1 - rates.spoof_false_alarm))
        return (c1 * miss + c2 * false_alarm) / min(c1, c2)
    c0 = p_target * rates.miss + p_nontarget * 10 * rates.false_alarm
    c1 = p_target - c0
    c2 = p_spoof * 10 * rates.spoof_false_alarm
    return (c0 + c1 * miss + c2 * false_alarm) / (c0 + min(c1, c2))


def test_golden_tandem():
    rates = asv_rates(*ASV)
    assert rates.false_alarm == pytest.approx(0.023000, abs=5e-7)
    assert rates.miss == pytest.approx(0.022667, abs=5e-7)
    assert rates.spoof_false_alarm == pytest.approx(0.662200, abs=5e-7)
    weights = tandem_weights(rates)
    assert weights == pytest.approx((0.023503, 0.916997, 0.331100), abs=5e-7)
    assert weights.floor == pytest.approx(0.066280, abs=5e-7)
    found = min_tdcf_2021(BONAFIDE, SPOOF, weights)
    assert found == pytest.approx(0.355728, abs=5e-7)
    found = min_tdcf_2019(BONAFIDE, SPOOF, weights)
    assert found == pytest.approx(0.309995, abs=5e-7)


def test_golden_published_rates():
    weights = tandem_weights(ASVSPOOF5_RATES)
    assert weights == pytest.approx((0.019470, 0.921030, 0.230354), abs=5e-7)
    assert weights.floor == pytest.approx(0.0779, abs=5e-5)


@pytest.mark.parametrize(
    ("metric", "is_legacy"), [(min_tdcf_2019, True), (min_tdcf_2021, False)]
)
def test_it_is_the_least_over_all_thresholds(rng, metric, is_legacy):
    for _ in range(50):
        n, m = rng.integers(1, 40, 2)
        bonafide, spoof = rng.integers(3, 12, n) / 2, rng.integers(0, 9, m) / 2
        rates = AsvRates(*rng.uniform(0.01, 0.5, 3))
        thresholds = [-np.inf, *bonafide, *spoof]
        every = [tdcf_at(t, bonafide, spoof, rates, is_legacy) for t in thresholds]
        found = metric(bonafide, spoof, tandem_weights(rates))
        assert found == pytest.approx(min(every), rel=1e-12, abs=1e-15)


def test_a_perfect_countermeasure_leaves_the_floor():
    weights = tandem_weights(AsvRates(0.02, 0.02, 0.5))
    perfect = np.array([1.0, 2.0]), np.array([0.0])
    assert min_tdcf_2021(*perfect, weights) == pytest.approx(weights.floor)
    assert min_tdcf_2019(*perfect, weights) == 0
    useless = np.zeros(2), np.zeros(3)
    assert min_tdcf_2021(*useless, weights) == pytest.approx(1)
    assert min_tdcf_2019(*useless, weights) == pytest.approx(1)


def test_where_the_asv_system_stops_all_spoofs_there_is_nothing_to_gain():
    weights = TandemWeights(0.02, 0.9, 0.0)
    assert np.isnan(min_tdcf_2019(BONAFIDE, SPOOF, weights))
    assert min_tdcf_2021(BONAFIDE, SPOOF, weights) == 1


def test_a_flipped_asv_system_is_refused():
    target, nontarget, spoof = ASV
    with pytest.raises(FitError, match="worse than none") as caught:
        tandem_weights(asv_rates(-target, -nontarget, -spoof))
    assert "sign" in caught.value.hint
