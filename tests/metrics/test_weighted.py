from functools import partial

import numpy as np
import pytest

from asdkit.metrics import dcf, eer, sasv, tdcf, weighted
from asdkit.metrics.cllr import cllr
from asdkit.metrics.detection_costs import ASVSPOOF
from asdkit.metrics.tdcf import TandemWeights

WEIGHTS = TandemWeights(0.02, 0.9, 0.3)
BAYES = {"p_target": 0.95, "c_fa": 10.0}
PAIRS = {
    "eer": (weighted.eer, eer.eer),
    "voxsrc_eer": (weighted.voxsrc_eer, eer.voxsrc_eer),
    "min_dcf": (partial(weighted.min_dcf, **BAYES), partial(dcf.min_dcf, **BAYES)),
    "act_dcf": (partial(weighted.act_dcf, **BAYES), partial(dcf.act_dcf, **BAYES)),
    "cllr": (weighted.cllr, cllr),
    "min_tdcf_2019": (
        partial(weighted.min_tdcf_2019, weights=WEIGHTS),
        partial(tdcf.min_tdcf_2019, weights=WEIGHTS),
    ),
    "min_tdcf_2021": (
        partial(weighted.min_tdcf_2021, weights=WEIGHTS),
        partial(tdcf.min_tdcf_2021, weights=WEIGHTS),
    ),
}
TRIPLES = {
    "spf_eer": (weighted.spf_eer, lambda *c: sasv.sasv_eers(*c).spf),
    "a_dcf": (weighted.a_dcf, sasv.a_dcf),
    "a_dcf of ASVspoof": (
        partial(weighted.a_dcf, costs=ASVSPOOF),
        partial(sasv.a_dcf, costs=ASVSPOOF),
    ),
}


def draws(rng, num_classes):
    for _ in range(50):
        yield (
            [
                rng.integers(0, 15, rng.integers(2, 30)) / 2 + lift
                for lift in (3, 0, 1)[:num_classes]
            ]
        )


@pytest.mark.parametrize("name", [*PAIRS, *TRIPLES])
def test_a_weight_is_how_often_a_trial_is_there(rng, name):
    of_weighted, of_scores = (PAIRS | TRIPLES)[name]
    for classes in draws(rng, 2 if name in PAIRS else 3):
        trials = weighted.WeightedTrials(classes)
        assert of_weighted(trials) == pytest.approx(of_scores(*classes))
        weights = [rng.integers(0, 4, len(c)) for c in classes]
        for weight in weights:
            weight[rng.integers(len(weight))] = 2
        trials.weigh(weights)
        repeated = [np.repeat(c, w) for c, w in zip(classes, weights, strict=True)]
        assert of_weighted(trials) == pytest.approx(of_scores(*repeated))


def test_the_pooled_eer_of_three_classes(rng):
    for classes in draws(rng, 3):
        found = weighted.sasv_eer(weighted.WeightedTrials(classes))
        assert found == pytest.approx(sasv.sasv_eers(*classes).sasv)


def test_a_class_without_weight_is_refused(rng):
    trials = weighted.WeightedTrials([rng.normal(size=3), rng.normal(size=4)])
    with pytest.raises(ValueError, match="sum to 0"):
        trials.weigh([np.ones(3), np.zeros(4)])


def test_the_miss_rate_at_a_false_alarm_rate_is_the_least_allowed(rng):
    classes = [rng.normal(1, 1, 30).round(1), rng.normal(0, 1, 40).round(1)]
    weights = [rng.integers(0, 3, len(x)).astype(float) for x in classes]
    trials = weighted.WeightedTrials(classes)
    trials.weigh(weights)
    repeated = [
        np.repeat(x, w.astype(int)) for x, w in zip(classes, weights, strict=True)
    ]
    target, nontarget = repeated
    for rate in (0.0, 0.05, 0.3, 1.0):
        allowed = [
            np.mean(target <= t)
            for t in [-np.inf, *classes[0], *classes[1]]
            if np.mean(nontarget > t) <= rate + 1e-9
        ]
        assert weighted.miss_at(trials, rate) == pytest.approx(min(allowed))
