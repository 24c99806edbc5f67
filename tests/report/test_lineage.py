"""What scores were made by, and what that has cost."""

from pathlib import Path

import pytest

from asdkit.io.run_results import store_result
from asdkit.report.lineage import Lineage, Made, Spent, spent_on


def test_runs_are_followed_from_the_scores_to_the_training(measured):
    lineage = Lineage(["exp"])
    runs = lineage.of(measured[0])
    names = [made.program for made in runs]
    assert names == ["backend-score", "nnet-train", "nnet-extract"] or names == [
        "backend-score",
        "nnet-extract",
        "nnet-train",
    ]
    assert all("good" in made.output for made in runs)
    assert lineage.of("elsewhere") == []


def test_costs_are_those_of_the_runs_behind_the_scores(measured):
    found = spent_on(Lineage(["exp"]).of(measured[0]))
    assert found.parameters == 6.63e6
    assert found.macs is None
    assert found.train_sec == 90
    assert found.energy_wh == pytest.approx(3 * 36 * 12 / 3600)
    assert spent_on([]) == Spent()


def test_time_is_per_second_of_test_speech(measured):
    runs = [
        made if made.program != "nnet-extract" else _of_data(made)
        for made in Lineage(["exp"]).of(measured[0])
    ]
    lines = Path("data/test/utt2dur").read_text().splitlines()
    seconds = sum(float(line.split()[1]) for line in lines)
    assert spent_on(runs).real_time_factor == pytest.approx(36 / seconds)


def _of_data(made):
    data = [{"path": "../../../data/test"}]
    return Made(made.folder, made.entry | {"inputs": {"data_dir": data}})


def test_entries_that_lack_something_cost_nothing(tmp_path):
    entry = {"program": "ubm-train", "output": ".", "inputs": {}, "provenance": {}}
    store_result(tmp_path, "a", entry | {"cost": {"wall_sec": "long"}})
    (made,) = Lineage([tmp_path]).all
    assert spent_on([made]) == Spent()
    assert made.inputs("trials") == []
