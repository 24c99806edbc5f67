import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.metrics import flavor_names, weighted
from asdkit.metrics.flavors import (
    CM,
    SASV,
    TDCF,
    VERIFICATION,
    Tandem,
    cm_metrics,
    operating_points,
    verification_metrics,
    without_value,
)
from asdkit.metrics.tdcf import asv_rates, min_tdcf_2019, tandem_weights


@pytest.fixture
def tandem(rng):
    scores = [rng.normal(mean, 1, 200) for mean in (3, 0, 1.5)]
    return Tandem(tandem_weights(asv_rates(*scores)), scores)


def test_flavors_are_those_that_programs_offer():
    assert tuple(VERIFICATION) == flavor_names.VERIFICATION
    assert tuple(CM) == tuple(TDCF) == flavor_names.SPOOFING


@pytest.mark.parametrize("flavor", CM)
def test_no_table_has_both_forms_of_the_tdcf(tandem, flavor):
    titles = [metric.title for metric in cm_metrics(flavor, tandem)]
    found = [title for title in titles if "t-DCF" in title]
    year = "2019" if flavor == "asvspoof2019" else "2021"
    assert found == [f"min t-DCF({year})"]
    assert len(set(titles)) == len(titles)


def test_the_year_in_the_title_is_the_form_of_the_number(rng, tandem):
    """The legacy form of a perfect countermeasure is 0, the other the floor."""
    perfect = np.ones(3), np.zeros(3)
    for flavor, (year, *_) in TDCF.items():
        metrics = {m.title: m for m in cm_metrics(flavor, tandem)}
        found = metrics[f"min t-DCF({year})"].value(*perfect)
        expected = 0 if year == "2019" else tandem.weights.floor
        assert found == pytest.approx(expected)
        assert (TDCF[flavor][1] is min_tdcf_2019) == (year == "2019")


@pytest.mark.parametrize("flavor", CM)
def test_what_intervals_are_made_of_is_the_number_itself(rng, tandem, flavor):
    classes = [rng.normal(2, 1, 100), rng.normal(0, 1, 150)]
    trials = weighted.WeightedTrials(classes)
    checked = 0
    for metric in cm_metrics(flavor, tandem):
        if metric.statistic is not None:
            checked += 1
            expected = metric.value(*classes)
            assert metric.statistic(trials) == pytest.approx(expected)
    assert checked >= 3


@pytest.mark.parametrize("flavor", VERIFICATION)
def test_so_it_is_for_verification(rng, flavor):
    classes = [rng.normal(2, 1, 100), rng.normal(0, 1, 150)]
    trials = weighted.WeightedTrials(classes)
    for metric in verification_metrics(flavor):
        if metric.statistic is not None:
            expected = metric.value(*classes)
            assert metric.statistic(trials) == pytest.approx(expected)


def test_and_for_three_classes(rng):
    classes = [rng.normal(mean, 1, 120) for mean in (3, 0, 1)]
    trials = weighted.WeightedTrials(classes)
    for metric in SASV:
        assert metric.statistic(trials) == pytest.approx(metric.value(*classes))


def test_priors_and_costs_make_operating_points():
    points = operating_points([0.01, 0.05], [1.0], [1.0, 10.0])
    assert points == [(0.01, 1, 1), (0.05, 1, 10)]
    titles = [metric.title for metric in verification_metrics("kaldi", points)]
    assert titles[2:6] == [
        *("minDCF(0.01)", "actDCF(0.01)", "minDCF(0.05,1,10)", "actDCF(0.05,1,10)")
    ]
    assert operating_points([], [1.0], [1.0]) == []


@pytest.mark.parametrize("flavor", VERIFICATION)
def test_beside_every_min_dcf_is_the_actual_one(flavor):
    titles = [metric.title for metric in verification_metrics(flavor)]
    least = [title for title in titles if title.startswith("minDCF")]
    assert least
    for title in least:
        assert titles[titles.index(title) + 1] == title.replace("min", "act")


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        (([0.1, 0.2, 0.3], [1.0, 2.0], [1.0]), "one --c-miss or 3, as of --p-target"),
        (([], [1.0], [10.0]), "--c-fa needs --p-target"),
    ],
)
def test_costs_that_fit_no_prior_are_refused(lists, words):
    with pytest.raises(AsdkitError, match=words):
        operating_points(*lists)


def test_without_scores_of_the_asv_system_there_is_no_teer(tandem):
    titles = [m.title for m in cm_metrics("asvspoof5", tandem._replace(scores=()))]
    assert "t-EER %" not in titles


def test_a_column_can_be_empty():
    metric = without_value(SASV[0])
    assert metric.title == SASV[0].title
    assert np.isnan(metric.value(np.ones(1), np.ones(1)))
