import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import roc_curve

from asdkit.metrics.det import count_rejected
from asdkit.metrics.eer import crossing, eer, eer_point, kaldi_eer, voxsrc_eer


def quantiles(num, mean, std):
    """Scores without chance, as the golden numbers were made from."""
    return mean + std * norm.ppf((np.arange(num) + 0.5) / num)


def asvspoof_eer(target, nontarget):
    """The definition, written out: every threshold, the first of the nearest."""
    best = None
    for threshold in [-np.inf, *sorted({*target, *nontarget})]:
        misses = int(np.sum(target <= threshold))
        false_alarms = int(np.sum(nontarget > threshold))
        distance = abs(misses * len(nontarget) - false_alarms * len(target))
        if best is None or distance < best[0]:
            rates = misses / len(target), false_alarms / len(nontarget)
            best = distance, threshold, *rates
    return best[1:]


def walk_of_kaldi(target, nontarget):
    """Kaldi's index walk, written out."""
    target, nontarget = sorted(target), sorted(nontarget)
    position = 0
    while position + 1 < len(target):
        from_top = int(len(nontarget) * position * 1.0 / len(target))
        if nontarget[max(0, len(nontarget) - 1 - from_top)] < target[position]:
            break
        position += 1
    return position / len(target)


def draws(rng):
    for _ in range(200):
        n, m = rng.integers(1, 40, 2)
        values = rng.integers(1, 30)
        shift = rng.integers(-10, 20)
        yield rng.integers(0, values, n) + shift, rng.integers(0, values, m)


def test_golden_countermeasure_scores():
    bonafide, spoof = quantiles(2000, 2, 1), quantiles(5000, -1, 1.5)
    assert eer(bonafide, spoof) == pytest.approx(0.11500000, abs=5e-9)
    assert eer_point(bonafide, spoof).threshold == pytest.approx(0.799766, abs=5e-7)


def test_golden_speaker_scores():
    target, nontarget = quantiles(1500, 3, 1), quantiles(4000, -1, 1)
    spoof = quantiles(5000, 1.5, 1.2)
    assert eer(target, nontarget) == pytest.approx(0.02270833, abs=5e-9)
    threshold = eer_point(target, nontarget).threshold
    assert threshold == pytest.approx(0.997693, abs=5e-7)
    assert eer(target, spoof) == pytest.approx(0.24746667, abs=5e-9)
    pooled = np.concatenate([nontarget, spoof])
    assert eer(target, pooled) == pytest.approx(0.17666667, abs=5e-9)

    # The tandem metrics accept a score that equals the threshold.
    misses, rejected = count_rejected(target, nontarget, threshold, "left")
    assert misses / 1500 == pytest.approx(0.022667, abs=5e-7)
    assert 1 - rejected / 4000 == pytest.approx(0.023000, abs=5e-7)
    _, rejected = count_rejected(target, spoof, threshold, "left")
    assert 1 - rejected / 5000 == pytest.approx(0.662200, abs=5e-7)


@pytest.mark.parametrize(
    ("scores", "percent"), [("plda_scores", "22.2222"), ("cos_scores", "38.8889")]
)
def test_golden_kaldi(golden, scores, percent):
    keys = np.loadtxt(golden / "data/test/trials", dtype=str)[:, 2]
    values = np.loadtxt(golden / "scores" / scores, usecols=2)
    target, nontarget = values[keys == "target"], values[keys == "nontarget"]
    assert f"{100 * kaldi_eer(target, nontarget):.4f}" == percent


def test_eer_is_its_definition_with_any_ties(rng):
    for target, nontarget in draws(rng):
        assert eer_point(target, nontarget) == asvspoof_eer(target, nontarget)


def test_kaldi_eer_is_kaldis_walk(rng):
    for target, nontarget in draws(rng):
        assert kaldi_eer(target, nontarget) == walk_of_kaldi(target, nontarget)


def test_both_definitions_agree_up_to_a_trial(rng):
    target, nontarget = rng.normal(1, 1, 1000), rng.normal(0, 1, 3000)
    assert abs(eer(target, nontarget) - kaldi_eer(target, nontarget)) < 1 / 1000


@pytest.mark.parametrize("metric", [eer, kaldi_eer, voxsrc_eer])
def test_order_and_scale_of_scores_do_not_matter(rng, metric):
    target, nontarget = rng.normal(1, 1, 100), rng.normal(0, 1, 300)
    shuffled = metric(rng.permutation(target), rng.permutation(nontarget))
    assert metric(target, nontarget) == shuffled
    assert metric(np.exp(target), np.exp(nontarget)) == shuffled


def challenge_eer(target, nontarget):
    """What VoxSRC's own script does."""
    labels = [1] * len(target) + [0] * len(nontarget)
    fpr, tpr, _ = roc_curve(labels, [*target, *nontarget], pos_label=1)
    return brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0)


def test_voxsrc_eer_is_that_of_the_challenge(rng):
    for target, nontarget in draws(rng):
        expected = challenge_eer(target, nontarget)
        assert voxsrc_eer(target, nontarget) == pytest.approx(expected, abs=1e-9)


def test_voxsrc_eer_is_not_that_of_asvspoof():
    """Four targets: one is missed at the crossing, or a part of one."""
    target, nontarget = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 2.5])
    assert voxsrc_eer(target, nontarget) == pytest.approx(
        challenge_eer(target, nontarget), abs=1e-9
    )
    assert voxsrc_eer(target, nontarget) != eer(target, nontarget)


def test_rates_that_are_equal_somewhere_cross_there():
    miss, false_alarm = np.array([0, 0.25, 0.5, 1]), np.array([1, 0.25, 0.25, 0])
    assert crossing(miss, false_alarm) == 0.25


def test_separated_and_swapped_and_equal_classes():
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    assert eer(high, low) == 0
    assert eer(low, high) == 1
    assert eer(np.ones(4), np.ones(9)) == 0.5


def test_infinite_scores_have_their_place():
    target, nontarget = np.array([np.inf, 1.0]), np.array([-np.inf, 0.0])
    assert eer(target, nontarget) == 0
