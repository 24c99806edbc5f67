import numpy as np
import pytest
from scipy.stats import norm

from asdkit.metrics import teer as module
from asdkit.metrics.teer import concurrent_point, concurrent_teer


def quantiles(num, mean, std):
    """Scores without chance, as the golden number was made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


def brute_force(bonafide, spoof, target, nontarget, asv_spoof):
    """The definition, all thresholds of one system against all of the other."""
    best = np.inf, np.nan, np.nan, np.nan
    cm = np.array([-np.inf, *sorted({*bonafide, *spoof})])
    miss_cm = np.array([np.mean(bonafide <= t) for t in cm])
    fa_cm = np.array([np.mean(spoof > t) for t in cm])
    for asv in [-np.inf, *sorted({*target, *nontarget, *asv_spoof})]:
        miss = np.mean(target <= asv)
        fa_non, fa_spf = np.mean(nontarget > asv), np.mean(asv_spoof > asv)
        if miss >= 0.5 * fa_non + 0.5 * fa_spf:
            continue
        both_miss = miss_cm + (1 - miss_cm) * miss
        both_fa = 0.5 * (1 - miss_cm) * fa_non + 0.5 * fa_cm * fa_spf
        k = np.argmin(np.abs(both_miss - both_fa))
        if fa_spf == 0 or miss_cm[k] == 1:
            continue
        gap = abs(fa_non / fa_spf - fa_cm[k] / (1 - miss_cm[k]))
        if gap < best[0]:
            best = gap, fa_spf * fa_cm[k], cm[k], asv
    return best[1:]


def test_golden_number():
    cm = quantiles(5500, 2, 1), quantiles(5000, -1, 1.5)
    asv = quantiles(1500, 3, 1), quantiles(4000, -1, 1), quantiles(5000, 1.5, 1.2)
    assert concurrent_teer(*cm, *asv) == pytest.approx(0.10624740, abs=5e-9)


@pytest.mark.parametrize("run", [1, 2, 7, 1 << 16])
def test_it_is_its_definition_with_any_ties_and_runs(rng, monkeypatch, run):
    monkeypatch.setattr(module, "RUN", run)
    for _ in range(100):
        values = rng.integers(2, 40)
        lifts = rng.integers(0, 10), 0, rng.integers(0, 15), 0, rng.integers(0, 10)
        classes = [rng.integers(0, values, rng.integers(1, 40)) + x for x in lifts]
        found = concurrent_point(*classes)
        np.testing.assert_allclose(found, brute_force(*classes), rtol=1e-12)


def test_perfect_systems_have_none():
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    assert concurrent_teer(high, low, high, low, high) == 0


def test_order_and_scale_do_not_matter(rng):
    classes = [rng.normal(m, 1, 200) for m in (2, 0, 3, 0, 2)]
    shuffled = [np.exp(rng.permutation(scores)) for scores in classes]
    assert concurrent_teer(*classes) == concurrent_teer(*shuffled)
