"""Bundles in reports: read from what they say of themselves."""

import json
from pathlib import Path

from asdkit.report.bundle_section import bundles_below
from asdkit.report.experiments import make_report

COST = {"size_mb": 1.5, "parameters": 12345, "macs": 2.5e9}
COST |= {"latency_sec": 0.03, "real_time_factor": 0.01, "peak_mb": 80.0}
EVEN = {"p_target": 0.5, "c_miss": 1.0, "c_fa": 1.0}


def write(folder, **changes):
    """Write the description of a bundle, without its files."""
    about = {
        **{"kind": "asdkit bundle", "version": 1, "what": "a <small> bundle"},
        **{"footprint": {"speaker": COST}, "licence": "MIT", "data": "85 speakers"},
        **{"decision": EVEN, "cm_decision": EVEN, "min_speech_sec": 0.5},
        "files": {"speaker.onnx": "0"},
    }
    Path(folder).mkdir(parents=True)
    Path(folder, "bundle.json").write_text(json.dumps(about | changes))


def test_a_bundle_below_is_a_part_beside_the_scores(measured):
    write("exp/model")
    page = make_report(["exp"], bootstrap=0)
    assert '<section id="bundles"' in page
    assert "<caption>a &lt;small&gt; bundle</caption>" in page
    for text in ("exp/model", "1.50", "12,345", "2.500 G", "30.0", "0.0100"):
        assert text in page
    assert "same speaker or not is undecided: no calibration" in page
    assert "has the lowest EER" in page


def test_a_bundle_alone_is_a_report(tmp_path):
    write(tmp_path / "model")
    page = make_report([tmp_path / "model", tmp_path])
    assert page.count("Bundle <code>") == 1  # it was named twice
    assert bundles_below([tmp_path]) == [tmp_path / "model"]


def test_one_that_is_damaged_does_not_hide_another(tmp_path):
    write(tmp_path / "a", version=9)
    write(tmp_path / "b")
    page = make_report([tmp_path])
    assert "expected version 1, got 9" in page
    assert "12,345" in page
