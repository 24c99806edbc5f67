"""Bundles that cannot be made, and that nothing half-made remains."""

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.bundling import make_bundle
from asdkit.metrics.decision_costs import DecisionCosts

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"cohort": "scp:x"}, "--cohort needs the --backend"),
        ({"cm": "exp/audio"}, "expected a countermeasure, got a network of speakers"),
        ({"card_data": "data"}, "--card-data, --card-trials, --card-scores belong"),
        ({"cm": "exp/cm", "cm_key": "x"}, "--cm-key and --cm-scores belong together"),
    ],
)
def test_files_that_do_not_fit_are_refused_before_anything_is_written(
    models, tmp_path, given, problem, monkeypatch
):
    monkeypatch.setattr("asdkit.inference.bundling.export", lambda *_: None)
    with pytest.raises(AsdkitError, match=problem):
        make_bundle(
            "exp/audio",
            tmp_path / "model",
            Sources(**given),
            DecisionCosts(),
            DecisionCosts(),
        )
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", ["backend", "calibration", "card_trials", "cm"])
def test_a_countermeasure_compares_no_speakers(models, tmp_path, name, monkeypatch):
    monkeypatch.setattr("asdkit.inference.bundling.export", pytest.fail)
    problem = f"exp/cm: it is a countermeasure.*: no --{name.replace('_', '-')}$"
    with pytest.raises(AsdkitError, match=problem) as caught:
        make_bundle(
            "exp/cm",
            tmp_path / "model",
            Sources(**{name: "x"}),
            DecisionCosts(),
            DecisionCosts(),
        )
    assert "network of speakers" in caught.value.hint


def test_files_of_other_programs_are_not_taken_for_a_bundles(models, tmp_path):
    (tmp_path / "backend.npz").write_text("precious")
    with pytest.raises(
        AsdkitError, match=r"an empty directory or a bundle, got backend"
    ):
        make_bundle("exp/audio", tmp_path, Sources(), DecisionCosts(), DecisionCosts())
    assert (tmp_path / "backend.npz").read_text() == "precious"
