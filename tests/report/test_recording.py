"""What tables say becomes entries: fractions, intervals, conditions, systems."""

import logging
import os
from pathlib import Path

import pytest

from asdkit.base.answers import Cell, Table, number
from asdkit.base.measured import Measured
from asdkit.io.run_results import read_results
from asdkit.metrics.flavors import (
    CM,
    SASV,
    VERIFICATION,
    cm_metrics,
    verification_metrics,
)
from asdkit.report.recording import Run, metrics_of, record, unit_of

TITLES = ["scores", "condition", "EER %", "Cllr", "minDCF(0.01)", "target"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("exp").mkdir()
    for name in ("exp/a", "exp/b", "trials"):
        Path(name).write_text(name)


def table(*names):
    eer = Cell("5.0000 [4.0000, 6.0000]", {"value": 5.0, "interval": [4.0, 6.0]})
    rest = [number(0.5), number(float("nan")), number(12)]
    return Table(TITLES, [[name, "pooled", eer, *rest] for name in names], num_names=2)


def test_percent_become_fractions_and_what_is_absent_is_left_out():
    found = metrics_of(table("exp/a"), "exp/a", alone=True)
    assert found == [
        {
            "name": "EER",
            "value": 0.05,
            "unit": "fraction",
            "condition": "pooled",
            "interval": [0.04, 0.06],
        },
        {"name": "Cllr", "value": 0.5, "unit": "bits", "condition": "pooled"},
        {"name": "target", "value": 12, "unit": "trials", "condition": "pooled"},
    ]


def test_what_a_graph_costs_has_units():
    titles = ["graph", "MB", "parameters", "ms for 3 s", "RTF"]
    cells = [number(x) for x in (1.5, 1000, 30.0, 0.01)]
    found = metrics_of(Table(titles, [["cm.onnx", *cells]]), "model", alone=True)
    assert [one["unit"] for one in found] == ["MB", "parameters", "ms", "s per s"]
    assert {one["system"] for one in found} == {"cm.onnx"}


def test_only_costs_are_called_costs():
    """Every column that was not known had the unit of a DCF."""
    costs = ["minDCF(0.01)", "actDCF(0.5,1,10)", "minDCF", "min t-DCF(2019)", "a-DCF"]
    assert {unit_of(title)[1] for title in costs} == {"cost"}
    assert unit_of("of the size") == ("of the size", "", 1.0)
    metrics = [x for flavor in VERIFICATION for x in verification_metrics(flavor)]
    metrics += [x for flavor in CM for x in cm_metrics(flavor)]
    titles = {x.title for x in (*metrics, *SASV)}
    assert {unit_of(title)[1] for title in titles} == {"fraction", "bits", "cost"}


def test_options_that_were_tried_name_the_row_and_are_no_metrics():
    """localizer-tune left options as costs, and its rows under the first of them."""
    rows = [[Cell("0.1", 0.1), Cell("3", 3), number(x)] for x in (5.0, 6.0)]
    tuned = Table(["min-spoof-sec", "change-cost", "frame EER %"], rows, num_names=2)
    first, second = metrics_of(tuned, "fsa.conf", alone=True)
    assert first["system"] == "min-spoof-sec 0.1, change-cost 3"
    assert (first["name"], first["value"]) == ("frame EER", 0.05)
    assert second["value"] == 0.06


def test_a_row_belongs_to_the_file_that_it_begins_with():
    several = table("exp/a", "exp/b", "exp/b - exp/a")
    assert len(metrics_of(several, "exp/b", alone=False)) == 3
    part = metrics_of(table("exp/a: cm-score"), "exp/a", alone=False)
    assert {one["system"] for one in part} == {"cm-score"}
    tandem = metrics_of([table("asv"), table("cm")], "exp/sasv", alone=True)
    assert {one["system"] for one in tandem} == {"asv", "cm"}


def test_a_titled_table_has_conditions_as_columns():
    leaks = Table(
        ["number", "pooled", "A01"],
        [["length", Cell("7.0*", 7.0), Cell("3.0 ", 3.0)]],
        title="EER % of one number alone; 50 is chance",
    )
    found = metrics_of(leaks, "data/eval", alone=True)
    assert [(x["system"], x["condition"], x["value"]) for x in found] == [
        ("length", "pooled", 0.07),
        ("length", "A01", 0.03),
    ]


def test_text_has_no_metrics():
    assert metrics_of("done", "exp/a", alone=True) == []
    assert metrics_of(None, "exp/a", alone=True) == []


def test_measurements_by_other_trials_stay_beside_each_other():
    inputs = {"trials": ["trials"], "scores": ["exp/a", "exp/b"]}
    run = Run("score-metrics", ["exp/a", "exp/b"], True, inputs, {"flavor": "kaldi"})
    for _ in range(2):
        record(run, table("exp/a", "exp/b"), Measured())
    Path("others").write_text("")
    run.inputs = inputs | {"trials": ["others"]}
    record(run, table("exp/a"), Measured())
    entries = read_results("exp")
    assert len(entries) == 4
    first = entries["score-metrics a kaldi ../trials"]
    assert [one["path"] for one in first["inputs"]["scores"]] == ["a"]
    assert first["options"] == {"flavor": "kaldi"}
    assert {"command", "version", "commit", "host"} <= first["provenance"].keys()


def test_a_training_leaves_values_history_and_cost():
    found = Measured({"parameters": (10, "parameters")}, [{"loss": float("nan")}])
    record(Run("nnet-train", ["exp"]), None, found, {"wall_sec": 1.5})
    (entry,) = read_results("exp").values()
    assert entry["output"] == "."
    expected = {"name": "parameters", "value": 10, "unit": "parameters"}
    assert entry["metrics"] == [expected]
    assert entry["history"] == [{"loss": None}]
    assert entry["cost"] == {"wall_sec": 1.5}


def test_an_input_that_has_gone_is_one_warning(monkeypatch, caplog):
    def fail(path):
        raise PermissionError(13, os.strerror(13), path)

    monkeypatch.setattr("asdkit.io.run_results.sha256_of", fail)
    run = Run("score-metrics", ["exp/a"], True, {"scores": ["exp/a"]})
    with caplog.at_level(logging.WARNING):
        record(run, table("exp/a"), Measured())
    assert len(caplog.records) == 1
