"""One number as a classifier, and the chance that it separates by luck."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from asdkit.metrics.eer import eer
from asdkit.metrics.single_number import (
    chance_of,
    eer_at_random,
    eer_either_way,
    folds_of,
    log_odds,
)


def test_without_ties_it_is_the_eer_to_one_file(rng):
    bonafide, spoof = rng.normal(1, 1, 500), rng.normal(0, 1, 300)
    found = eer_at_random(bonafide, spoof)
    assert found == pytest.approx(eer(bonafide, spoof), abs=1 / 300)
    assert eer_either_way(spoof, bonafide) == eer_either_way(bonafide, spoof)
    assert eer_either_way(bonafide, spoof) == found


def test_ties_are_worth_what_breaking_them_at_random_gives(rng):
    bonafide, spoof = rng.integers(0, 3, 400), rng.integers(1, 4, 400)
    broken = [
        eer(bonafide + 1e-3 * rng.random(400), spoof + 1e-3 * rng.random(400))
        for _ in range(200)
    ]
    assert eer_at_random(bonafide, spoof) == pytest.approx(np.mean(broken), abs=5e-3)


def test_what_is_the_same_everywhere_tells_nothing():
    assert eer_either_way(np.zeros(9), np.zeros(4)) == 0.5
    assert eer_either_way(np.zeros(9), np.ones(4)) == 0


def test_the_bound_is_never_below_the_exact_probability(rng):
    for size in (5, 5), (10, 40), (200, 30):
        for shift in 0.0, 0.5, 1.0, 3.0:
            bonafide, spoof = rng.normal(shift, 1, size[0]), rng.normal(0, 1, size[1])
            exact = ks_2samp(bonafide, spoof, method="exact").pvalue
            bound = chance_of(eer_either_way(bonafide, spoof), *size)
            assert bound >= exact


def test_luck_is_as_rare_as_the_bound_says(rng):
    lucky = 0
    for _ in range(2000):
        bonafide, spoof = rng.normal(size=15), rng.normal(size=15)
        lucky += chance_of(eer_either_way(bonafide, spoof), 15, 15) < 0.05
    assert 0 < lucky <= 0.05 * 2000


def test_a_value_of_one_class_is_found_whichever_it_is(rng):
    is_bonafide = np.arange(400) < 200
    values = rng.integers(0, 256, 400)
    values[~is_bonafide] = 128  # in the midst: no threshold would find it
    scores = log_odds(values, is_bonafide, folds_of(np.arange(400)))
    assert eer_at_random(scores[is_bonafide], scores[~is_bonafide]) < 0.02
    assert eer_either_way(values[is_bonafide], values[~is_bonafide]) > 0.3


def test_values_that_no_other_speaker_has_tell_nothing(rng):
    """Counted with the file itself, each of its own value, they would tell all."""
    spks = np.arange(400) % 40
    values = 1000 * spks + np.arange(400)
    is_bonafide = rng.random(400) < 0.5
    scores = log_odds(values, is_bonafide, folds_of(spks))
    assert abs(eer_at_random(scores[is_bonafide], scores[~is_bonafide]) - 0.5) < 0.1


def test_a_speaker_is_in_one_fold_unless_there_are_too_few():
    spks = np.repeat(np.arange(20), 10)
    folds = folds_of(spks)
    assert all(len(set(folds[spks == spk])) == 1 for spk in range(20))
    assert np.bincount(folds).tolist() == [40] * 5
    assert set(folds_of(np.zeros(50))) == set(range(5))
