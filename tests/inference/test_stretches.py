"""Spoofed stretches in seconds."""

import numpy as np
import pytest

from asdkit.base.answers import Table
from asdkit.base.signatures import defaults_of
from asdkit.countermeasures.localization import FsaLocalizer
from asdkit.inference.score import Score
from asdkit.inference.stretches import Localization, Stretch, with_stretches
from asdkit.inference.verdict import Verdict
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.segmentation.segments import FrameTimes

TIMES = FrameTimes(0.02, 0.01)


def test_stretches_are_runs_of_low_scores_that_last_long_enough():
    scores = np.full(200, 20.0)
    scores[50:80] = -20.0  # 0.6 s
    scores[100:103] = -20.0  # 0.06 s: too short
    scores[190:] = -20.0
    first, last = Localization(0.1, 0.1, 3.0).spoofed(scores, TIMES, 4.1)
    assert first == pytest.approx((1.01, 1.61, -20.0))
    assert last == pytest.approx((3.81, 4.1, -20.0))  # to the end of the recording
    few = Localization(0.1, 0.1, 1e4).spoofed(scores, TIMES, 4.1)
    assert few == ()


def test_options_and_defaults_are_those_of_cm_localize():
    assert defaults_of(Localization) == defaults_of(FsaLocalizer)


@pytest.mark.parametrize(
    "options", [{"score_scale": 0}, {"threshold": "nan"}, {"change_cost": -1}]
)
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Localization.read(options)


def test_a_table_has_a_column_of_them_where_a_model_localizes():
    table = Table(["recording"], [["a.wav"], ["b.wav"]])
    assert with_stretches(table, [None, None]) is table
    found = with_stretches(table, [(Stretch(0.5, 1.25, -3.0),), ()])
    assert [row[-1].text for row in found.rows] == ["0.50-1.25", "-"]
    one, other = found.to_json()["rows"]
    assert one["spoofed s"] == [{"start": 0.5, "end": 1.25, "score": -3.0}]
    assert other["spoofed s"] == []


def test_a_verdict_tells_them():
    stretches = (Stretch(0.5, 1.25, -3.0), Stretch(2.0, 2.5, -1.0))
    score = Score(-1.0, "LLR", is_calibrated=True)
    verdict = Verdict(
        "bona fide speech", score, DecisionCosts(), (1.0,), stretches=stretches
    )
    assert verdict.sentence.endswith("stretches: 0.50 to 1.25 s, 2.00 to 2.50 s.")
    assert verdict.as_dict()["stretches"][0] == {
        "start": 0.5,
        "end": 1.25,
        "score": -3.0,
    }
    plain = Verdict("bona fide speech", score, DecisionCosts(), (1.0,))
    assert "stretches" not in plain.as_dict()
