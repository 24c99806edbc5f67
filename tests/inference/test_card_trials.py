"""Whose trials a card is made of, and who may not be on it."""

from types import SimpleNamespace

import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.card_trials import card_of, read_card_trials
from asdkit.metrics.decision_costs import DecisionCosts


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    files = {
        "data/utt2spk": "a0 ann\na1 ann\nb0 bob\nc0 cyd\n",
        "data/spk2gender": "ann f\nbob m\ncyd f\n",
        "data/spk2age": "ann 30\nbob 7\ncyd 41\n",
        "trials": "a0 a1 target\na0 b0 nontarget\na1 c0 nontarget\n",
        "llrs": "a0 a1 2\na0 b0 1\na1 c0 -1\n",
        "calibrated": "d0 dan\ne0 eve\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return Sources(
        card_data="data",
        card_trials="trials",
        card_scores="llrs",
        calibration="calibration.npz",
        calibration_utt2spk="calibrated",
    )


def test_rows_are_everyone_the_sexes_and_ages(sources):
    found = read_card_trials(sources, SimpleNamespace(classes=("fay",)))
    assert found.notes == ()
    card = card_of(found, SimpleNamespace(costs=DecisionCosts()), 0)
    rows = {row["group"]: row for row in card["rows"]}
    assert list(rows) == [
        *("all", "women and girls", "men and boys", "adults", "children"),
    ]
    assert rows["all"]["false_acceptances"]["rate"] == 0.5
    assert rows["women and girls"]["false_acceptances"]["rate"] == 0
    assert rows["adults"]["false_acceptances"]["num_trials"] == 1
    assert rows["children"]["false_rejections"] is None


@pytest.mark.parametrize(
    ("change", "classes", "problem"),
    [
        ({}, ("bob", "ann"), "2 of its 3 speakers trained the network: ann, bob$"),
        ({"calibration_utt2spk": "data/utt2spk"}, (), "speakers calibrated: ann, bob,"),
        ({"cohort_utt2spk": "data/utt2spk"}, (), "3 speakers are the cohort: ann"),
    ],
)
def test_speakers_whom_the_bundle_knows_are_refused_by_name(
    sources, change, classes, problem
):
    with pytest.raises(DataError, match=problem) as caught:
        read_card_trials(sources._replace(**change), SimpleNamespace(classes=classes))
    assert "other speakers" in caught.value.hint


def test_what_is_not_known_of_the_speakers_is_said(sources):
    unknown = sources._replace(calibration_utt2spk=None, cohort="scp:x")
    notes = read_card_trials(unknown, SimpleNamespace()).notes
    assert [x.partition(" is not stated")[0] for x in notes] == [
        "Which speakers trained the network",
        "Which speakers calibrated",
        "Which speakers are the cohort",
    ]


def test_a_card_needs_all_of_its_files(sources):
    assert read_card_trials(Sources(), None) is None
    with pytest.raises(AsdkitError, match="belong together"):
        read_card_trials(sources._replace(card_scores=None), None)
    with pytest.raises(AsdkitError, match="without --calibration there are none"):
        read_card_trials(sources._replace(calibration=None), None)
