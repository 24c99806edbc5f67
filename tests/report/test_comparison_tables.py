import json

import numpy as np

from asdkit.base.answers import as_json
from asdkit.metrics.bootstrap import Interval, Speakers
from asdkit.metrics.comparison import Comparison
from asdkit.metrics.flavors import EER, OperatingCosts, min_dcf_metric
from asdkit.report.comparison_tables import count, pairs_table, say, systems_table

NAMES = "A", "B"
BETTER = Comparison(
    *(1, 0, 0, -0.0123, Interval(-0.0198, -0.0041)),
    *(-0.123, Interval(-0.198, -0.041), 0.002, 0.004, "better"),
)


def test_a_better_system_is_said_to_be_in_one_sentence():
    assert say(BETTER, NAMES, EER, 3) == (
        "B has 12.3 % lower EER than A (95 % interval 4.1 to 19.8 %, p = 0.004 after "
        "Holm correction for 3 comparisons): better."
    )


def test_one_comparison_needs_no_correction():
    found = say(BETTER._replace(adjusted_p=0.0002), NAMES, EER, 1, level=0.01)
    assert found.endswith("(99 % interval 4.1 to 19.8 %, p < 0.001): better.")


def test_an_interval_on_both_sides_of_zero_says_which_end_is_which():
    one = BETTER._replace(
        change=0.021,
        change_interval=Interval(-0.05, 0.111),
        adjusted_p=0.42,
        verdict="cannot be told",
    )
    assert say(one, NAMES, min_dcf_metric(OperatingCosts(0.01)), 1) == (
        "B has 2.1 % higher minDCF(0.01) than A (95 % interval 5.0 % lower to 11.1 % "
        "higher, p = 0.420): cannot be told."
    )


def test_where_there_is_no_ratio_the_difference_is_said_in_points():
    nothing = Interval(np.nan, np.nan)
    one = BETTER._replace(change=np.nan, change_interval=nothing)
    assert "B has 1.2300 points lower EER than A (95 % interval 0.4100 to 1.98" in say(
        one, NAMES, EER, 1
    )
    assert "B has 0.0123 lower minDCF(0.01) than" in say(
        one, NAMES, min_dcf_metric(OperatingCosts(0.01)), 1
    )


def test_equal_systems_have_the_same_metric():
    one = BETTER._replace(
        difference=0.0,
        difference_interval=Interval(0, 0),
        change=0.0,
        change_interval=Interval(0, 0),
        adjusted_p=1.0,
        verdict="cannot be told",
    )
    assert say(one, NAMES, EER, 1).startswith("B has the same EER as A (95 % interval")


def test_pairs_have_numbers_in_json_and_a_note_on_single_seeds():
    table = pairs_table(NAMES, [1, 3], [BETTER], [EER], 0.05)
    (found,) = json.loads(as_json(table))
    assert found["rows"][0]["change %"]["value"] == -12.3
    assert found["rows"][0]["verdict"] == "better"
    assert found["notes"][-1].endswith("unknown and left out: A.")
    assert "unknown" not in str(pairs_table(NAMES, [2, 3], [BETTER], [EER], 0.05))


def test_deviations_over_seeds_are_shown_if_there_are_seeds(rng):
    replicates = rng.uniform(size=(20, 2, 1))
    table = systems_table(
        NAMES, [[[0.1]], [[0.1], [0.2]]], replicates, [EER], 0.05, "x"
    )
    first, second = table.to_json()["rows"]
    assert (first["EER % sd"], second["seeds"]) == (None, 2)
    np.testing.assert_allclose(second["EER % sd"], 100 * np.std([0.1, 0.2], ddof=1))
    np.testing.assert_allclose(second["EER %"]["value"], 15)
    alone = systems_table(NAMES, [[[0.1]], [[0.2]]], replicates, [EER], 0.05, "x")
    assert "EER % sd" not in alone.titles


def test_speakers_are_counted_on_both_sides():
    speakers = [
        Speakers(np.array([0, 1]), np.array([0, 1])),
        Speakers(np.array([0, 1, 1]), np.array([1, 2, 4])),
    ]
    found = count(("target", "nontarget"), speakers)
    assert found == "2 target and 3 nontarget trials of 4 speakers"
