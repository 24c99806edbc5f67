import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import logit

from asdkit.backends.calibration import Calibration, _Objective
from asdkit.base.errors import FitError
from asdkit.metrics.cllr import cllr, min_cllr


def draw_llrs(rng, num_trials=20_000, share=0.2, mean=3.0):
    """Draw what are exactly llrs: N(+-m, 2m); return them and the keys."""
    is_target = rng.random(num_trials) < share
    noise = np.sqrt(2 * mean) * rng.normal(size=num_trials)
    return np.where(is_target, mean, -mean) + noise, is_target


def cllr_of(llr, is_target):
    return cllr(llr[is_target], llr[~is_target])


@pytest.mark.parametrize("p_target", [0.5, 0.05])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (0.01, 0.4), (50, -1000)])
def test_fit_recovers_the_scale_and_shift_of_llrs(rng, p_target, scale, shift):
    llr, is_target = draw_llrs(rng, 100_000)
    model = Calibration(p_target).fit((scale * llr + shift)[:, None], is_target)
    np.testing.assert_allclose(model.weights_ * scale, 1, atol=0.03)
    np.testing.assert_allclose(model.offset_ + model.weights_ * shift, 0, atol=0.1)


def test_the_share_of_targets_makes_no_difference(rng):
    llr, is_target = draw_llrs(rng, 2000)
    again = np.concatenate([np.arange(2000), *[np.flatnonzero(~is_target)] * 9])
    one = Calibration().fit(llr[:, None], is_target)
    ten = Calibration().fit(llr[again, None], is_target[again])
    np.testing.assert_allclose(one.weights_, ten.weights_, rtol=1e-5)
    np.testing.assert_allclose(one.offset_, ten.offset_, atol=1e-5)


def test_nothing_else_has_a_lower_cllr(rng):
    """Cllr's own definition, minimized without derivatives, must not do better."""
    llr, is_target = draw_llrs(rng, 1000)
    x = 0.3 * llr + 2
    model = Calibration().fit(x[:, None], is_target)
    ours = cllr_of(model.score(x[:, None]), is_target)
    found = minimize(
        lambda w: cllr_of(w[0] * x + w[1], is_target),
        [1, 0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 2000},
    )
    assert ours <= found.fun + 1e-12
    np.testing.assert_allclose([*model.weights_, model.offset_], found.x, atol=1e-4)
    assert ours <= cllr_of(x, is_target)


def test_a_scale_and_shift_leave_min_cllr_as_it_is(rng):
    llr, is_target = draw_llrs(rng, 2000)
    model = Calibration().fit((5 * llr + 1)[:, None], is_target)
    after = model.score((5 * llr + 1)[:, None])
    expected = min_cllr(llr[is_target], llr[~is_target])
    ours = min_cllr(after[is_target], after[~is_target])
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_derivatives_are_those_of_the_cost(rng, ridge):
    columns = np.hstack([rng.normal(size=(50, 3)), np.ones((50, 1))])
    objective = _Objective(columns, rng.random(50) < 0.3, 0.1, ridge)
    w = rng.normal(size=4)
    slope = approx_fprime(w, objective.value, 1e-7)
    np.testing.assert_allclose(objective.gradient(w), slope, atol=1e-6)
    curvature = approx_fprime(w, objective.gradient, 1e-7)
    np.testing.assert_allclose(objective.hessian(w), curvature, atol=1e-6)


def test_fusion_adds_the_llrs_of_independent_systems(rng):
    first, is_target = draw_llrs(rng, 100_000, mean=1.0)
    second = np.where(is_target, 2.0, -2.0) + 2 * rng.normal(size=len(first))
    model = Calibration().fit(np.stack([first, 7 * second + 3], axis=1), is_target)
    np.testing.assert_allclose(model.weights_, [1, 1 / 7], rtol=0.03)
    np.testing.assert_allclose(model.offset_, -3 / 7, atol=0.03)
    fused = model.score(np.stack([first, 7 * second + 3], axis=1))
    assert cllr_of(fused, is_target) < cllr_of(second, is_target)


def test_the_same_system_twice_gives_what_it_gives_once(rng):
    llr, is_target = draw_llrs(rng, 2000)
    once = Calibration().fit(llr[:, None], is_target).score(llr[:, None])
    both = np.stack([llr, llr], axis=1)
    model = Calibration().fit(both, is_target)
    np.testing.assert_allclose(once, model.score(both), atol=1e-5)
    np.testing.assert_allclose(model.weights_[0], model.weights_[1], rtol=1e-6)


@pytest.mark.parametrize("p_target", [0.5, 0.01])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_the_minimum_is_that_of_a_general_minimizer(rng, p_target, ridge):
    llr, is_target = draw_llrs(rng, 2000)
    x = np.stack([llr, llr + rng.normal(size=len(llr)), rng.normal(size=len(llr))], 1)
    model = Calibration(p_target, ridge).fit(x, is_target)

    def cost(w):
        z = np.where(is_target, 1, -1) * (x @ w[:3] + w[3] + logit(p_target))
        loss = np.logaddexp(0, -z)
        means = loss[is_target].mean(), loss[~is_target].mean()
        penalty = ridge / 2 * np.sum((w[:3] * x.std(axis=0)) ** 2)
        return p_target * means[0] + (1 - p_target) * means[1] + penalty

    found = minimize(cost, np.zeros(4), method="BFGS", options={"gtol": 1e-7}).x
    np.testing.assert_allclose([*model.weights_, model.offset_], found, atol=1e-4)


def test_a_quality_measure_that_shifts_scores_helps(rng):
    llr, is_target = draw_llrs(rng)
    quality = rng.normal(size=(len(llr), 2))
    x = np.hstack([(llr + 4 * quality[:, 0])[:, None], quality])
    plain = Calibration().fit(x[:, :1], is_target)
    aware = Calibration(measures=["duration"]).fit(x, is_target)
    assert aware.num_systems == plain.num_systems == 1
    before = cllr_of(plain.score(x[:, :1]), is_target)
    assert cllr_of(aware.score(x), is_target) < 0.8 * before
    np.testing.assert_allclose(aware.weights_, [1, -4, 0], atol=0.2)


def test_a_ridge_keeps_separable_classes_finite():
    x, is_target = np.array([[0.0], [1], [2], [3]]), np.array([0, 0, 1, 1], dtype=bool)
    llr = Calibration(ridge=1e-4).fit(x, is_target).score(x)
    assert np.all(np.diff(llr) > 0)
    assert np.all(np.abs(llr) < 50)


@pytest.mark.parametrize("x", [[0, 1, 2, 3], [0, 1, 1, 3]])
def test_separable_classes_are_refused(x):
    x, is_target = np.array(x, dtype=float)[:, None], np.array([0, 0, 1, 1], dtype=bool)
    with pytest.raises(FitError, match="all 2 target trials score higher") as caught:
        Calibration().fit(x, is_target)
    assert "--ridge" in caught.value.hint


def test_scores_upside_down_give_a_warning(rng, caplog):
    llr, is_target = draw_llrs(rng, 1000)
    Calibration().fit(-llr[:, None], is_target)
    assert "a higher score of a system lowers the llr" in caplog.text


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    x = np.array([[0.0], [2], [bad], [3]])
    with pytest.raises(FitError, match="NaN or infinite"):
        Calibration().fit(x, np.array([False, True, False, True]))


@pytest.mark.parametrize("key", [True, False])
def test_one_class_is_too_little(key):
    with pytest.raises(FitError, match="expected target and nontarget trials, got"):
        Calibration().fit(np.arange(3.0)[:, None], np.full(3, key))


def test_a_column_without_variance_is_named(rng):
    x = np.stack([rng.normal(size=9), np.full(9, 0.3)], axis=1)
    with pytest.raises(FitError, match="column 2 of 2"):
        Calibration().fit(x, np.arange(9) % 2 == 0)


@pytest.mark.parametrize("options", [{"p_target": 1.0}, {"ridge": -1.0}])
def test_impossible_options_are_said(options):
    with pytest.raises(FitError, match="expected 0 < p_target < 1 and ridge >= 0"):
        Calibration(**options).fit(np.zeros((2, 1)), np.array([True, False]))


def test_a_system_that_is_given_twice_is_noticed(rng, caplog):
    is_target = np.arange(400) < 100
    x = rng.normal(size=(400, 2)) + is_target[:, None]
    Calibration().fit(x, is_target)
    assert "given twice" not in caplog.text
    model = Calibration().fit(np.column_stack([x, 2 * x[:, 0] + 1]), is_target)
    assert "one of the 3 columns" in caplog.text
    np.testing.assert_allclose(  # the llrs do not suffer
        model.score(np.column_stack([x, 2 * x[:, 0] + 1])),
        Calibration().fit(x, is_target).score(x),
        atol=1e-5,
    )
