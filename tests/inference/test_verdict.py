"""Decisions follow from a calibrated score, a prior and costs, and say so."""

import numpy as np
import pytest

from asdkit.inference.score import Score
from asdkit.inference.verdict import Verdict
from asdkit.metrics.decision_costs import DecisionCosts

LLR = "log-likelihood ratio"


def verdict(value, calibrated=True, spoof=None, costs=None):
    score = Score(value, LLR if calibrated else "cosine", calibrated)
    return Verdict(
        "the same speaker", score, costs or DecisionCosts(), (2.0, 3.004), (), spoof
    )


def test_a_calibrated_score_decides_and_another_does_not():
    assert [verdict(x).decision for x in (1.0, 0.0, -1.0)] == [
        *("accept", "reject", "reject"),
    ]
    assert verdict(1.0).accepted is True
    raw = verdict(0.9, calibrated=False)
    assert (raw.decision, raw.accepted) == ("undecided", None)
    assert raw.sentence.endswith("the score, cosine 0.900, is not calibrated.")
    assert verdict(1.0, costs=DecisionCosts(p_target=0.01)).decision == "reject"


def test_who_is_spoofed_is_not_accepted():
    spoofed = verdict(3.0, spoof=verdict(-2.0))
    assert spoofed.decision == "reject"
    assert "probably spoofed (llr -2.00)" in str(spoofed)
    assert verdict(3.0, spoof=verdict(2.0)).decision == "accept"
    assert verdict(3.0, spoof=verdict(0.1, calibrated=False)).decision == "accept"


def test_numbers_and_texts_go_to_json():
    found = verdict(1.5, spoof=verdict(-2.0)).as_dict()
    assert (found["score"], found["threshold"]) == (1.5, 0.0)
    assert found["speech_sec"] == [2.0, 3.0]
    assert found["spoof"]["decision"] == "reject"
    assert verdict(0.9, calibrated=False).as_dict()["threshold"] is None


def test_costs_far_apart_have_a_threshold():
    costs = DecisionCosts(0.5, 1e300, 1e-300)
    assert costs.threshold == pytest.approx(-600 * np.log(10))


def test_a_spoofed_recording_is_rejected_though_the_speaker_is_undecided():
    raw = verdict(0.9, calibrated=False, spoof=verdict(-2.0))
    assert raw.decision == "reject"
    assert "probably spoofed" in raw.sentence


def test_a_countermeasure_that_decides_nothing_says_so():
    found = verdict(3.0, spoof=verdict(-9.0, calibrated=False))
    assert found.decision == "accept"
    assert found.sentence.endswith(
        "is not decided: the countermeasure is not calibrated."
    )
