"""Results of all directories come together, and say where they are outdated."""

import csv
import io
from pathlib import Path

import pytest

from asdkit.base.errors import DataError
from asdkit.io.run_results import describe_inputs, store_result
from asdkit.report.results_listing import as_csv, as_markdown, list_results


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in (("a", 0.0512345), ("b|c", 0.25)):
        folder = Path("exp", name)
        folder.mkdir(parents=True)
        Path(folder, "scores").write_text(name)
        eer = {"name": "EER", "value": value, "unit": "fraction", "condition": "pooled"}
        if name == "a":
            eer["interval"] = [0.04, 0.06]
        target = {"name": "target", "value": 1200, "unit": "trials"}
        entry = {
            "program": "score-metrics",
            "output": "scores",
            "inputs": describe_inputs(folder, {"scores": [folder / "scores"]}),
            "metrics": [eer, target],
            "provenance": {},
        }
        store_result(folder, "key", entry)
    training = {
        "program": "nnet-train",
        "output": ".",
        "inputs": {},
        "metrics": [{"name": "parameters", "value": 12345, "unit": "parameters"}],
        "cost": {"wall_sec": 2.0},
        "provenance": {},
    }
    store_result(Path("exp/a"), "training", training)


def test_a_table_for_every_program_with_intervals_and_costs():
    training, metrics = list_results(["exp"])
    assert training.title == "nnet-train"
    assert str(training).splitlines()[1:] == [
        "output  parameters  wall s",
        "exp/a       12,345     2.0",
    ]
    lines = str(metrics).splitlines()
    assert lines[1].split() == ["output", "EER", "%", "target"]
    assert lines[2].split() == [
        "exp/a/scores",
        "5.1235",
        "[4.0000,",
        "6.0000]",
        "1,200",
    ]
    assert lines[3].split() == ["exp/b|c/scores", "25.0000", "1,200"]


def test_trials_are_named_as_seen_from_here():
    """They were named as seen from each results.json: one list had two names."""
    for name, trials in (("a", "one"), ("a", "two"), ("b|c", "one")):
        Path(trials).write_text("x y target\n")
        folder = Path("exp", name)
        inputs = describe_inputs(folder, {"trials": [trials]})
        eer = {"name": "EER", "value": 0.5, "unit": "fraction"}
        entry = {"program": "other", "output": "scores", "inputs": inputs}
        store_result(folder, trials, entry | {"metrics": [eer], "provenance": {}})
    table = next(x for x in list_results(["exp"]) if x.title == "other")
    rows = [(row["output"], row["trials"]) for row in table.to_json()["rows"]]
    b = "exp/b|c/scores"
    assert rows == [("exp/a/scores", "one"), ("exp/a/scores", "two"), (b, "one")]


def test_csv_has_numbers_unrounded_and_ends_of_intervals():
    rows = list(csv.DictReader(io.StringIO(as_csv(list_results(["exp"])))))
    (first,) = [row for row in rows if row["output"] == "exp/a/scores"]
    assert float(first["EER %"]) == 100 * 0.0512345
    assert float(first["EER % low"]) == 4.0
    assert first["parameters"] == ""


def test_markdown_keeps_bars_inside_their_cells():
    text = as_markdown(list_results(["exp"]))
    assert "**score-metrics**" in text
    assert "| exp/b\\|c/scores | 25.0000 |" in text


def test_a_changed_file_is_named():
    assert not list_results(["exp"])[-1].notes
    Path("exp/a/scores").write_text("others")
    (note,) = list_results(["exp"])[-1].notes
    assert note.endswith("measured: exp/a/scores (score-metrics).")


def test_a_directory_without_results_is_an_error():
    Path("empty").mkdir()
    with pytest.raises(DataError, match=r"expected results.json in it or below"):
        list_results(["empty"])
