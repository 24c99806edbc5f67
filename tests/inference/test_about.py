"""An open bundle says what its files say: report shows the same, without opening it."""

import json

import pytest

from asdkit.__main__ import main
from asdkit.inference.about import about_table
from asdkit.inference.bundle import Bundle
from asdkit.models.bundle_description import described


@pytest.mark.slow
def test_a_report_shows_what_model_info_prints(small_bundle, tmp_path):
    output, model = tmp_path / "report.html", small_bundle / "model"
    tables = about_table(Bundle.open(model))
    assert tables == described(model)
    assert main(["report", str(model), "-o", str(output)]) == 0
    page = output.read_text()
    about = json.loads((model / "bundle.json").read_text())
    for name in ("speaker", "cm"):
        assert f"{name}.onnx" in page
        assert f"{about['footprint'][name]['parameters']:,}" in page
    assert "same speaker above 0.000 (prior 0.5, costs 1 and 1)" in page
