import re

import numpy as np
import pytest

from asdkit.metrics.bootstrap import Speakers
from asdkit.metrics.metric_table import Draws, verification_table


def test_every_system_is_a_line_and_columns_are_aligned():
    target, nontarget = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 0.5, 2.5])
    table = verification_table(
        {"good": (target + 9, nontarget), "a/longer/name": (target, nontarget)}
    )
    lines = str(table).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == [
        "scores",
        *("EER", "%", "Kaldi", "EER", "%", "minDCF(0.01)", "actDCF(0.01)"),
        *("minDCF(0.001)", "actDCF(0.001)", "Cllr", "minCllr", "target", "nontarget"),
    ]
    assert lines[1].split()[:5] == ["good", "0.0000", "0.0000", "0.0000", "0.0000"]
    assert lines[1].split()[-2:] == ["3", "4"]
    # One of four nontargets is above one of three targets.
    assert lines[2].split()[:3] == ["a/longer/name", "29.1667", "33.3333"]


def test_intervals_and_differences_stand_beside_the_numbers(rng):
    spk = np.repeat(np.arange(30), 10)
    classes = [rng.normal(1, 1, 300), rng.normal(0, 1, 300)]
    better = [classes[0] + 3, classes[1]]
    draws = Draws([Speakers(spk), Speakers(spk)], 100)
    table = verification_table({"a": classes, "b": better}, "voxceleb", draws)
    first, second, gain = str(table).splitlines()[1:]
    assert first.count("[") == second.count("[") == gain.count("[") == 7
    assert gain.startswith("b - a ")
    eers = [
        [float(number) for number in re.findall(r"-?\d+\.\d+", line)[:3]]
        for line in (first, second, gain)
    ]
    for value, low, high in eers:
        assert low <= value <= high
    assert eers[2][0] == pytest.approx(eers[1][0] - eers[0][0], abs=2e-4)
    assert eers[2][2] < 0


def test_without_enough_speakers_there_are_numbers_but_no_intervals(caplog):
    zeros = Speakers(np.zeros(3, dtype=int))
    classes = [np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.5, 0.5])]
    table = verification_table({"a": classes}, draws=Draws([zeros, zeros], 10))
    assert "[" not in str(table)
    assert "two speakers or more" in caplog.text


def test_json_has_numbers_and_intervals(rng):
    spk = np.repeat(np.arange(30), 10)
    classes = [rng.normal(1, 1, 300), rng.normal(0, 1, 300)]
    draws = Draws([Speakers(spk), Speakers(spk)], 100)
    (row,) = verification_table({"a": classes}, "voxceleb", draws).to_json()["rows"]
    low, high = row["EER %"]["interval"]
    assert low <= row["EER %"]["value"] <= high
    assert row["target"] == 300
