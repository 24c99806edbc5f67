import numpy as np
import pytest

from asdkit.metrics.eer import eer
from asdkit.metrics.examination import examine


def draw(rng, num_trials=3000, share=0.1, order="drawn", rate=0.03):
    """Scores of normal classes that have about this EER, in a list of some order."""
    is_target = rng.random(num_trials) < share
    if order == "sorted":
        is_target = np.sort(is_target)[::-1]
    if order == "alternating":
        is_target = np.arange(num_trials) % 2 == 0
    if order == "runs":
        is_target = np.repeat(rng.random(num_trials // 5) < share, 5)
    distance = {0.001: 6.18, 0.03: 3.76, 0.1: 2.56, 0.3: 1.05}[rate]
    return rng.normal(size=num_trials) + distance * is_target - 0.7, is_target


def sorts(values, is_target):
    return [finding.sort for finding in examine(values, is_target)]


@pytest.mark.parametrize("order", ["drawn", "sorted", "alternating", "runs"])
@pytest.mark.parametrize("rate", [0.001, 0.03, 0.1, 0.3])
@pytest.mark.parametrize("num_trials", [40, 300, 5000])
def test_nothing_is_found_in_good_scores(rng, order, rate, num_trials):
    for _ in range(10):
        values, is_target = draw(rng, num_trials, 0.2, order, rate)
        assert sorts(values, is_target) == []


@pytest.mark.parametrize("order", ["drawn", "sorted", "runs"])
def test_a_flipped_sign_is_told_from_everything_else(rng, order):
    values, is_target = draw(rng, order=order)
    (finding,) = examine(-values, is_target, "bonafide", "spoof")
    assert finding.sort == "polarity"
    assert finding.text.startswith("EER 9")
    assert "higher must mean bonafide; multiply the scores by -1" in finding.cure


@pytest.mark.parametrize(
    ("shift", "said"), [(1, "1 row too low"), (-3, "3 rows too h")]
)
def test_scores_of_other_rows_are_not_advised_to_be_negated(rng, shift, said):
    values, is_target = draw(rng)
    (finding,) = examine(np.roll(values, shift), is_target)
    assert finding.sort == "misaligned"
    assert said in finding.text
    assert "flipped" not in finding.text
    found = float(finding.text.split(": EER ")[1].split()[0]) / 100
    assert found == pytest.approx(eer(values[is_target], values[~is_target]), abs=0.005)


def test_where_classes_alternate_both_explanations_are_told(rng):
    """Row by row the other class: a shift of one looks like a flipped sign."""
    values, is_target = draw(rng, order="alternating", rate=0.1)
    for changed in (np.roll(values, 1), -values):
        (finding,) = examine(changed, is_target)
        assert finding.sort == "misaligned"
        assert "shifted, " in finding.text
        assert "or their sign flipped" in finding.text


def test_a_negated_part_is_told_with_its_rows(rng):
    values, is_target = draw(rng)
    values[1500:] *= -1
    (finding,) = examine(values, is_target)
    assert finding.sort == "some negated"
    assert "in rows 1501 to 3000, or so: there the sign looks flipped" in finding.text


def test_a_part_that_is_shifted_is_told_with_its_rows(rng):
    values, is_target = draw(rng)
    values[2250:] = np.roll(values[2250:], 1)
    (finding,) = examine(values, is_target)
    assert finding.sort == "misaligned"
    assert "in rows 2251 to 3000, or so: the scores look shifted" in finding.text


def test_scores_of_another_list_are_no_better_than_chance(rng):
    values, is_target = draw(rng)
    (finding,) = examine(rng.permutation(values), is_target)
    assert finding.sort == "chance"


def test_too_few_trials_tell_nothing_about_chance(rng):
    values, is_target = rng.normal(size=100), np.arange(100) < 5
    assert sorts(values, is_target) == []
    assert sorts(-np.arange(9.0), np.arange(9) > 4) == ["polarity"]


def test_values_that_are_no_scores_are_told(rng):
    values, is_target = draw(rng)
    assert sorts((values > 0.5) * 1.0, is_target) == ["decisions"]
    assert sorts((values < 0.5) * 1.0, is_target) == ["decisions", "polarity"]
    (finding,) = examine(np.full(3000, 0.25), is_target)
    assert finding.text == "all 3000 scores are 0.25"
    failed = np.where(np.arange(3000) % 5 < 3, 0.0, values)
    assert "60 % of the scores are 0" in examine(failed, is_target)[0].text
    values[[3, 5]] = np.inf, -np.inf
    (finding,) = examine(values, is_target)
    assert finding.text.startswith("2 of 3000 scores are infinite")


def test_a_missing_class_or_score_is_no_finding(rng):
    values, is_target = draw(rng)
    assert examine(values, np.ones(3000, bool)) == []
    assert examine(np.zeros(0), np.zeros(0, bool)) == []
    values[::7] = np.nan
    assert examine(values, is_target) == []
