import numpy as np
import pytest

from asdkit.base.errors import FitError
from asdkit.countermeasures.tandem import TandemFusion
from asdkit.io.store import load_model, save_model
from asdkit.metrics.detection_costs import ASVSPOOF
from asdkit.metrics.sasv import a_dcf, sasv_eers

NUMBERS = 4000, 8000, 3000


def draw(rng, scale=1.0, shift=0.0):
    """Llrs of two systems that know nothing of the other's task, then scaled."""
    key = np.repeat(["target", "nontarget", "spoof"], NUMBERS)
    asv = rng.normal(size=len(key)) * 2 + np.repeat([2, -2, 2], NUMBERS)
    cm = rng.normal(size=len(key)) * 2 + np.repeat([2, 2, -2], NUMBERS)
    return scale * asv + shift, scale * cm + shift, key


def split(scores, key):
    return [scores[key == name] for name in ("target", "nontarget", "spoof")]


def test_calibration_recovers_the_llrs_it_was_drawn_from(rng):
    asv, cm, key = draw(rng, scale=3.0, shift=1.5)
    fusion = TandemFusion().fit(asv, cm, key)
    for found in (fusion.asv_, fusion.cm_):
        np.testing.assert_allclose(found, [1 / 3, -0.5], atol=0.05)


def test_the_forms_are_what_they_say(rng):
    asv, cm, key = draw(rng)
    a, c = rng.normal(size=(2, 50)) * 3
    for form in ("linear", "nonlinear"):
        fusion = TandemFusion(form).fit(asv, cm, key)
        llr_asv, llr_cm = (
            weight * x + offset
            for (weight, offset), x in ((fusion.asv_, a), (fusion.cm_, c))
        )
        rho = fusion.rho_
        mixture = (1 - rho) * np.exp(-llr_asv) + rho * np.exp(-llr_cm)
        expected = llr_asv + llr_cm if form == "linear" else -np.log(mixture)
        np.testing.assert_allclose(fusion.score(a, c), expected)


def test_fusion_is_better_than_either_and_nonlinear_is_best(rng):
    dev, test = draw(rng), draw(rng)
    cost, rate = {}, {}
    for name in ("linear", "nonlinear"):
        fused = TandemFusion(name).fit(*dev).score(*test[:2])
        cost[name] = a_dcf(*split(fused, test[2]), ASVSPOOF)
        rate[name] = sasv_eers(*split(fused, test[2])).sasv
    alone = [sasv_eers(*split(scores, test[2])).sasv for scores in test[:2]]
    assert rate["linear"] < min(alone)
    assert rate["nonlinear"] < rate["linear"]
    assert cost["nonlinear"] < cost["linear"]


def test_no_other_rho_of_the_grid_is_better_on_the_development_trials(rng):
    dev = draw(rng)
    fusion = TandemFusion(num_rhos=17).fit(*dev)
    least = a_dcf(*split(fusion.score(*dev[:2]), dev[2]), ASVSPOOF)
    for log_odds in np.linspace(-8, 8, 17):
        fusion.rho_ = 1 / (1 + np.exp(-log_odds))
        cost = a_dcf(*split(fusion.score(*dev[:2]), dev[2]), ASVSPOOF)
        assert cost >= least - 1e-12


def test_extreme_scores_do_not_overflow(rng):
    fusion = TandemFusion().fit(*draw(rng))
    with np.errstate(over="raise", invalid="raise"):
        fused = fusion.score(np.array([1e6, -1e6]), np.array([-1e6, 1e6]))
    assert np.all(np.isfinite(fused))
    assert np.all(fused < -1e5)


def test_systems_without_an_error_can_be_fused():
    key = np.repeat(["target", "nontarget", "spoof"], 3)
    asv = np.array([3.0, 4, 5, -3, -4, -5, 3, 4, 5])
    cm = np.array([3.0, 4, 5, 3, 4, 5, -3, -4, -5])
    fused = TandemFusion().fit(asv, cm, key).score(asv, cm)
    assert sasv_eers(*split(fused, key)).sasv == 0


def test_a_saved_fusion_scores_the_same(rng, tmp_path):
    asv, cm, key = draw(rng)
    fusion = TandemFusion("linear").fit(asv, cm, key)
    save_model(tmp_path / "fusion.npz", fusion)
    back = load_model(tmp_path / "fusion.npz", TandemFusion)
    assert back.form == "linear"
    np.testing.assert_array_equal(back.score(asv, cm), fusion.score(asv, cm))


@pytest.mark.parametrize("missing", ["target", "nontarget", "spoof"])
def test_a_missing_class_is_named(rng, missing):
    asv, cm, key = draw(rng)
    rows = key != missing
    with pytest.raises(FitError, match=f"there is no {missing}"):
        TandemFusion().fit(asv[rows], cm[rows], key[rows])
