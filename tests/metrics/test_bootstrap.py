import numpy as np
import pytest

from asdkit.base.errors import FitError
from asdkit.metrics import weighted
from asdkit.metrics.bootstrap import Speakers, interval, replicate, speakers_of

EER = {"EER": weighted.eer}


def draw(rng, num_speakers=40, per_speaker=25, between=1.0):
    """Two classes of scores that share an offset per speaker."""
    spk = np.repeat(np.arange(num_speakers), per_speaker)
    offsets = between * rng.normal(size=num_speakers)
    classes = [lift + offsets[spk] + rng.normal(size=len(spk)) for lift in (2.0, 0.0)]
    return classes, [Speakers(spk), Speakers(spk)]


def width(values):
    low, high = interval(values)
    return high - low


def test_the_same_seed_gives_the_same_replicates(rng):
    classes, speakers = draw(rng)
    first, second, other = (
        replicate([classes], speakers, EER, 20, seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_replicates_are_the_metric_of_the_trials_that_were_drawn(rng):
    """Written out: take the drawn speakers' trials, with repetitions."""
    classes, speakers = draw(rng, 6, 4)
    found = replicate([classes], speakers, EER, 30, seed=3)[:, 0, 0]
    again = np.random.default_rng(3)
    for value in found:
        drawn = again.integers(6, size=6)
        chosen = [
            np.concatenate([c[s.first == spk] for spk in drawn])
            for c, s in zip(classes, speakers, strict=True)
        ]
        assert value == pytest.approx(weighted.eer(weighted.WeightedTrials(chosen)))


def test_the_interval_of_many_speakers_covers_the_truth():
    """95 % intervals of 60 corpora: all but a few hold the EER of the model."""
    truth = weighted.eer(
        weighted.WeightedTrials(draw(np.random.default_rng(99), 4000, 25, 0.5)[0])
    )
    inside = 0
    for seed in range(60):
        classes, speakers = draw(np.random.default_rng(seed), 60, 10, 0.5)
        low, high = interval(replicate([classes], speakers, EER, 200)[:, 0, 0])
        inside += low <= truth <= high
    assert inside >= 50


def test_few_speakers_tell_less_than_many_trials(rng):
    """Offsets that both classes share cancel; those of one class alone do not."""
    spk = np.repeat(np.arange(20), 50)
    target = 2 + rng.normal(size=20)[spk] + rng.normal(size=1000)
    nontarget = rng.normal(size=1000)
    alone = Speakers(np.arange(1000))
    together = replicate(
        [[target, nontarget]], [Speakers(spk), Speakers(spk)], EER, 200
    )
    apart = replicate([[target, nontarget]], [alone, alone], EER, 200)
    assert width(together[:, 0, 0]) > 1.5 * width(apart[:, 0, 0])


def test_a_difference_on_the_same_draws_has_a_narrower_interval(rng):
    classes, speakers = draw(rng)
    better = [classes[0] + 0.1, classes[1]]
    values = replicate([classes, better], speakers, EER, 300)[..., 0]
    gain = width(values[:, 0] - values[:, 1])
    assert gain < 0.6 * width(values[:, 0])
    assert interval(values[:, 0] - values[:, 1]).low > 0


def test_a_pair_counts_for_both_speakers():
    draws = np.array([2.0, 0.0, 3.0])
    pairs = Speakers(np.array([0, 0, 0, 2]), np.array([0, 1, 2, 2]))
    assert pairs.weigh(draws).tolist() == [2, 0, 6, 3]


def test_speakers_are_numbered_over_all_trials():
    classes = [np.array([True, False, False]), np.array([False, True, True])]
    first, second = speakers_of(classes, ["b", "a", "b"], ["b", "c", "c"])
    assert (first.first.tolist(), first.second.tolist()) == ([1], [1])
    assert (second.first.tolist(), second.second.tolist()) == ([0, 1], [2, 2])


def test_one_speaker_is_too_few(rng):
    zeros = Speakers(np.zeros(5, dtype=int))
    classes = [rng.normal(size=5), rng.normal(size=5)]
    with pytest.raises(FitError, match="two speakers or more"):
        replicate([classes], [zeros, zeros], EER, 10)


def test_draws_that_mostly_lack_a_class_are_refused(rng):
    """One of three speakers has all spoofs: a third of the draws have none."""
    spk = Speakers(np.array([0, 1])), Speakers(np.array([2, 2]))
    with pytest.raises(FitError, match="have no trial of a class"):
        replicate([[np.ones(2), np.zeros(2)]], spk, EER, 100)


def test_an_interval_leaves_out_as_many_on_either_side(rng):
    low, high = interval(rng.permutation(np.arange(1001.0)), confidence=0.9)
    assert (low, high) == pytest.approx((50, 950))
