"""Histories of trainings are drawn, how fast they were is not."""

from pathlib import Path

from asdkit.report.lineage import Made
from asdkit.report.training_figures import training_figures


def made(history):
    entry = {"program": "nnet-train", "output": ".", "inputs": {}, "provenance": {}}
    return Made(Path("exp/net"), entry | {"history": history})


def test_a_plot_for_every_quantity_and_all_values_in_a_table():
    history = [{"loss": 3.0, "EER %": 9.0, "utts/s": 5.0, "step": 1}]
    history += [{"loss": 1.25, "EER %": None, "utts/s": 5.0, "step": 2}]
    history += [{"loss": 1.0, "EER %": 7.0, "utts/s": 5.0, "step": 3}]
    (pair,) = training_figures([made(history)])
    assert pair.count("<svg") == 2
    assert "loss by epoch" in pair
    assert "utts/s by epoch" not in pair
    assert "1.25" in pair


def test_what_has_no_course_is_not_drawn():
    assert training_figures([made([{"loss": 1.0}]), made(["odd"]), made([])]) == []


def test_a_constant_is_drawn():
    assert training_figures([made([{"loss": 1.0}, {"loss": 1.0}])])


def test_of_long_trainings_some_rows_are_listed():
    (pair,) = training_figures([made([{"loss": float(n)} for n in range(1000)])])
    assert pair.count("<tr>") < 70
