import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from asdkit.metrics.cllr import cllr, min_cllr


def quantiles(num, mean, std):
    """Scores without chance, as the golden numbers were made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


def cllr_written_out(target, nontarget):
    target_cost = np.mean([np.log2(1 + np.exp(-s)) for s in target])
    return (target_cost + np.mean([np.log2(1 + np.exp(s)) for s in nontarget])) / 2


def calibrate(target, nontarget):
    """Pool adjacent violators, written out; equal scores are one block."""
    blocks = []
    for score in sorted({*target, *nontarget}):
        blocks.append([np.sum(target == score), np.sum(nontarget == score)])
        while len(blocks) > 1 and (
            blocks[-2][0] / sum(blocks[-2]) >= blocks[-1][0] / sum(blocks[-1])
        ):
            n, m = blocks.pop()
            blocks[-1] = [blocks[-1][0] + n, blocks[-1][1] + m]
    n, m = np.array(blocks).T
    with np.errstate(divide="ignore"):
        llr = np.log(n / m) - np.log(len(target) / len(nontarget))
    return np.repeat(llr, n), np.repeat(llr, m)


def draws(rng):
    for _ in range(100):
        n, m = rng.integers(1, 60, 2)
        values = rng.integers(2, 40)
        shift = rng.integers(0, 9)
        yield rng.integers(0, values, n) + shift, rng.integers(0, values, m)


def test_golden_countermeasure_scores():
    bonafide, spoof = quantiles(2000, 2, 1), quantiles(5000, -1, 1.5)
    assert cllr(bonafide, spoof) == pytest.approx(0.501032, abs=5e-7)
    assert min_cllr(bonafide, spoof) == pytest.approx(0.387757, abs=5e-7)


def test_cllr_is_its_definition(rng):
    target, nontarget = rng.normal(1, 2, 100), rng.normal(-1, 2, 300)
    expected = cllr_written_out(target, nontarget)
    assert cllr(target, nontarget) == pytest.approx(expected, rel=1e-12)


def test_min_cllr_is_the_cost_of_scores_calibrated_by_hand(rng):
    for target, nontarget in draws(rng):
        expected = cllr_written_out(*calibrate(target, nontarget))
        assert min_cllr(target, nontarget) == pytest.approx(expected, abs=1e-12)


def test_min_cllr_is_the_least_of_monotone_maps(rng):
    target, nontarget = rng.normal(1, 1, 100), rng.normal(0, 1, 100)
    least = min_cllr(target, nontarget)
    for scale in (0.5, 1, 2):
        for shift in (-1, 0, 1):
            assert cllr(scale * target + shift, scale * nontarget + shift) > least
    assert min_cllr(np.exp(target), np.exp(nontarget)) == pytest.approx(least)


@pytest.mark.parametrize("decimals", [0, 1, 16])
def test_min_cllr_is_that_of_isotonic_regression(rng, decimals):
    """scipy pools one trial after another; ties count as one."""
    for _ in range(200):
        num_targets, num_nontargets = rng.integers(1, 40, 2)
        target = rng.normal(rng.uniform(-1, 4), 1, num_targets).round(decimals)
        nontarget = rng.normal(0, 1, num_nontargets).round(decimals)
        levels = np.unique(np.concatenate([target, nontarget]))
        t, u = (
            (scores == levels[:, None]).sum(axis=1) for scores in (target, nontarget)
        )
        share = isotonic_regression(t / (t + u), weights=t + u).x
        with np.errstate(divide="ignore"):
            llr = np.log(share / (1 - share)) - np.log(num_targets / num_nontargets)
        at_target, at_nontarget = np.repeat(llr, t), np.repeat(llr, u)
        expected = cllr(at_target, at_nontarget)
        assert min_cllr(target, nontarget) == pytest.approx(expected, abs=1e-12)


def test_scores_without_information_cost_one_bit():
    assert min_cllr(np.ones(3), np.ones(8)) == pytest.approx(1)
    assert min_cllr(np.zeros(3), np.ones(8)) == pytest.approx(1)


def test_perfect_order_costs_nothing_whatever_the_scale():
    assert min_cllr(np.array([5.0, 6.0]), np.array([1.0, 2.0])) == 0


def test_large_and_infinite_llrs_do_not_overflow():
    assert cllr(np.array([1e4]), np.array([-1e4])) == 0
    assert cllr(np.array([-1e4]), np.array([-1e4])) == pytest.approx(5e3 / np.log(2))
    assert cllr(np.array([np.inf]), np.array([-np.inf])) == 0
    assert cllr(np.array([-np.inf]), np.array([-1.0])) == np.inf
