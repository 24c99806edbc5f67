import math

import pytest

from asdkit.metrics.detection_costs import ASVSPOOF, DetectionCosts, normalize


def test_the_defaults_are_asvspoofs():
    assert ASVSPOOF.p_target == pytest.approx(0.9405)
    assert ASVSPOOF.p_nontarget == pytest.approx(0.0095)
    worst = min(ASVSPOOF.miss, ASVSPOOF.false_alarm + ASVSPOOF.spoof)
    assert worst == pytest.approx(0.595)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"p_spoof": 0.5}, "three priors that sum to 1"),
        ({"p_target": -0.5, "p_spoof": 1.4905}, "three priors that sum to 1"),
        ({"c_fa": -1}, "costs of at least 0"),
    ],
)
def test_impossible_priors_and_costs_are_refused(wrong, problem):
    with pytest.raises(ValueError, match=problem):
        DetectionCosts(**wrong)


def test_what_costs_nothing_has_no_share():
    assert normalize(1, 4) == 0.25
    assert math.isnan(normalize(0, 0))
