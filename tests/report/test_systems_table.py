"""The answer in a sentence, and the table behind it."""

import re

import pytest

from asdkit.report.spread import measure_spread
from asdkit.report.systems_table import answer, counted, systems_table


def test_the_best_is_named_with_its_interval_and_how_far_the_next_is(found):
    text = re.sub("<[^>]*>", "", answer(found, measure_spread(found, 400)))
    good, bad = (100 * system.values["EER %"] for system in found.systems)
    pattern = (
        rf"good has the lowest EER of 2 systems: {good:.2f} % \(95 % interval [\d.]+ "
        rf"to [\d.]+\)\. bad comes next, {100 * (bad / good - 1):.1f} % higher \(95 % "
        r"interval [\d.]+ to [\d.]+ %; p = 0\.005\), which is beyond chance\."
    )
    assert re.fullmatch(pattern, text), text


def test_without_intervals_and_without_others_there_is_an_answer(found):
    text = answer(found, "none")
    assert "comes next, at" in text
    found.systems = found.systems[:1]
    assert "lowest" not in answer(found, "none")


def test_the_table_has_unrounded_numbers_to_sort_by_and_costs(found):
    text = systems_table(found, measure_spread(found, 50), "e0")
    value = 100 * found.systems[0].values["EER %"]
    assert f'data-v="{value!r}"' in text
    assert f"{value:.4f} [" in text  # as score-metrics prints it
    assert "6.63 M" in text
    assert "1 min 30 s" in text
    assert "MACs" not in text  # no run has measured them


def test_trials_and_speakers_are_counted(found):
    assert counted(found) == "96 target and 1,920 nontarget trials of 16 speakers"


@pytest.mark.parametrize("value", [0.0])
def test_a_best_without_errors_has_a_next(found, value):
    found.systems[0].scores = found.classes[0].astype(float)
    found.systems[0].values["EER %"] = value
    text = answer(found, measure_spread(found, 400))
    assert "higher" in text
