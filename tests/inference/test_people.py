"""Enrolled speakers: kept, ranked by what their recordings say on the average."""

import json
import math
from types import MappingProxyType

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.inference.people import People, Ranking
from asdkit.inference.score import LLR, Score
from asdkit.inference.verdict import Verdict
from asdkit.inference.voices import Voice
from asdkit.metrics.decision_costs import DecisionCosts


class Bundle:
    """Recordings are their embeddings: (name, numbers)."""

    has_cm = False
    path = "model"
    about = MappingProxyType({"files": {"speaker.onnx": "0"}})

    @property
    def comparison(self):
        return self

    def hear(self, audio, channel=None):
        name, numbers = audio
        if not numbers:
            raise DataError(name, "no speech")
        return Voice(name, np.float32(numbers), 1.5, 1.25)

    def embed_voice(self, voice):
        return voice.samples

    def score(self, enroll, test):
        return Score(float(enroll[0] @ test), LLR, True)

    def decide(self, score, voices, spoof=None):
        return Verdict("the same speaker", score, DecisionCosts(), (1.25,), (), spoof)

    def detect_voice(self, audio, channel=None):
        return Verdict(
            "bona fide speech", Score(-2.0, LLR, True), DecisionCosts(), (1.25,)
        )


@pytest.fixture
def people(tmp_path):
    return People(Bundle(), tmp_path / "people.sqlite")


def test_a_person_is_ranked_by_the_mean_of_the_scores(people):
    done = people.enroll("ann", [("/home/a.wav", [3, 0]), ("b.wav", [1, 0])])
    assert done == ("ann", [("a.wav", 1.25), ("b.wav", 1.25)], 2)
    assert people.enroll("ann", [("c.wav", [-1, 0])]).total == 3
    people.enroll("bob", [("d.wav", [0, 2])])
    ranking = people.rank(("x.wav", [1, 3]))
    assert {k: float(v.score) for k, v in ranking.verdicts.items()} == {
        "bob": 6.0,
        "ann": (3 + 1 - 1) / 3,
    }
    assert list(ranking.verdicts) == ["bob", "ann"]
    assert ranking.speaker == "bob"
    assert ranking.sentence == "This is probably bob."
    assert json.loads(json.dumps(ranking.as_dict()))["ranking"][1]["enrollments"] == 3


def test_a_stranger_is_unknown_and_so_is_a_spoof(people, monkeypatch):
    people.enroll("ann", [("a.wav", [1, 0])])
    ranking = people.rank(("x.wav", [-1, 3]))
    assert ranking.speaker is None
    assert "none of the 1 enrolled" in ranking.sentence
    monkeypatch.setattr(Bundle, "has_cm", True)
    ranking = people.rank(("x.wav", [1, 3]))
    assert ranking.speaker is None
    assert "spoofed" in ranking.sentence
    assert ranking.as_dict()["spoof"]["decision"] == "reject"


def test_uncalibrated_scores_identify_no_one():
    verdict = Verdict("the same speaker", Score(0.9, "cosine"), DecisionCosts(), (1.0,))
    ranking = Ranking({"a\x1b": verdict}, {"a\x1b": 1})
    assert ranking.speaker is None
    assert ranking.sentence.startswith(r"a\x1b is most alike")
    assert ranking.as_dict()["threshold"] is None


def test_one_bad_recording_enrolls_none(people):
    with pytest.raises(DataError, match=r"bad\.wav: no speech"):
        people.enroll("ann", [("a.wav", [1, 0]), ("bad.wav", [])])
    assert not people.profiles.path.exists()
    with pytest.raises(DataError, match="zero or not finite"):
        people.enroll("ann", [("a.wav", [math.nan])])


def test_a_bundle_without_a_network_of_speakers_enrolls_no_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Bundle, "about", {"files": {}})
    with pytest.raises(DataError, match="no network of speakers"):
        People(Bundle(), tmp_path / "people.sqlite")
