"""A bundle in words and numbers: of what is written down in it."""

from types import SimpleNamespace

from asdkit.inference.about import about_table
from asdkit.inference.verdict import Costs


def told(files):
    cost = {"size_mb": 1.5, "parameters": 12345, "macs": 2.5e9}
    cost |= {"latency_sec": 0.03, "real_time_factor": 0.01, "peak_mb": 80.0}
    bundle = SimpleNamespace(
        about={"footprint": {"speaker": cost}, "licence": "MIT", "data": "85 speakers"},
        costs=Costs(p_target=0.1),
        cm_costs=Costs(),
        files=files,
        min_speech_sec=0.5,
        what="a bundle",
        card=lambda: None,
        cm_card=lambda: None,
    )
    (table,) = about_table(bundle)
    return table


def test_graphs_decision_and_licence_are_told():
    table = told({"speaker.onnx": "", "calibration.npz": "", "cm.onnx": ""})
    (row,) = table.rows
    assert row[0] == "speaker.onnx"
    assert [cell.text for cell in row[1:]] == [
        *("1.50", "12,345", "2.500 G", "30.0", "0.0100", "80"),
    ]
    text = " ".join(table.notes)
    assert "same speaker above 2.197 (prior 0.1, costs 1 and 1)" in text
    assert "bona fide or not is undecided: no calibration" in text
    assert "with less than 0.5 s of speech are refused" in text
    assert "Licence: MIT. Trained on: 85 speakers." in text
    assert table.title == "a bundle"


def test_where_nothing_is_calibrated_no_threshold_is_told():
    text = " ".join(told({"speaker.onnx": ""}).notes)
    assert "Decision: same speaker or not is undecided: no calibration." in text
    assert "above" not in text
    assert "bona fide" not in text
