"""A bundle in words and numbers: of what is written down in it."""

import json

import pytest

from asdkit.base.errors import DataError
from asdkit.models.bundle_description import described, tables_of
from asdkit.models.bundle_files import digest_of

COST = {"size_mb": 1.5, "parameters": 12345, "macs": 2.5e9}
COST |= {"latency_sec": 0.03, "real_time_factor": 0.01, "peak_mb": 80.0}
EVEN = {"p_target": 0.5, "c_miss": 1.0, "c_fa": 1.0}
CM_CARD = {
    "cannot": "It cannot say much.",
    "threshold": 0.25,
    "trials": "eval.scores",
    "notes": ["a note"],
    **{"eer": 0.1, "cllr": 0.4, "min_cllr": 0.3},
    "rows": [
        {
            "group": "A07, accepted",
            **{"num_recordings": 40, "rate": 0.125, "low": 0.05, "high": 0.25},
        }
    ],
}


def about(files):
    return {
        "kind": "asdkit bundle",
        "version": 1,
        "what": "a bundle",
        "footprint": {"speaker": COST},
        "licence": "MIT",
        "data": "85 speakers",
        "decision": EVEN | {"p_target": 0.1},
        "cm_decision": EVEN,
        "min_speech_sec": 0.5,
        "files": dict.fromkeys(files, "0"),
    }


def told(*files):
    (table,) = tables_of("model", about(files), None, None)
    return table


def write(folder, **changes):
    """Write what a bundle says of itself, and no graphs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cm_card.json").write_text(json.dumps(CM_CARD))
    found = about(["cm.onnx"]) | changes
    found["files"]["cm_card.json"] = digest_of(folder / "cm_card.json")
    (folder / "bundle.json").write_text(json.dumps(found))


def test_graphs_decision_and_licence_are_told():
    table = told("speaker.onnx", "calibration.npz", "cm.onnx")
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
    text = " ".join(told("speaker.onnx").notes)
    assert "Decision: same speaker or not is undecided: no calibration." in text
    assert "above" not in text
    assert "bona fide" not in text


def test_it_is_read_without_its_graphs(tmp_path):
    write(tmp_path)
    footprint, card = described(tmp_path)
    assert footprint.title == "a bundle"
    (row,) = card.to_json()["rows"]
    assert (row["number"], row["%"], row["95 %"]) == (40, 0.125, "5.0 to 25.0")
    assert "Threshold 0.250; recordings: eval.scores." in card.notes


def test_what_is_damaged_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match="no bundle"):
        described(tmp_path)
    write(tmp_path, decision={})
    described(tmp_path)  # even odds are the default
    write(tmp_path, footprint={"speaker": {}})
    with pytest.raises(DataError, match="damaged: KeyError"):
        described(tmp_path)
    write(tmp_path, version=2)
    with pytest.raises(DataError, match="expected version 1, got 2"):
        described(tmp_path)
    write(tmp_path)
    (tmp_path / "cm_card.json").write_text(json.dumps(CM_CARD | {"eer": 0.0}))
    with pytest.raises(DataError, match="it has changed since it was made"):
        described(tmp_path)
