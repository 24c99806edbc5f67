"""Costs on one thread, of a graph in a process of its own."""

import pytest

from asdkit.inference.footprint import SECONDS, measure
from asdkit.inference.graph import graph_of
from asdkit.inference.onnx_file import to_onnx
from asdkit.nnet.complexity import num_parameters

pytestmark = pytest.mark.slow


def test_a_graph_is_measured(untrained, tmp_path):
    model = untrained("xvector")
    content = to_onnx(graph_of(model, "waveform"), 24000)
    (tmp_path / "x.onnx").write_bytes(content)
    cost = measure(model, tmp_path / "x.onnx", len(content))
    assert cost["parameters"] == num_parameters(model.network)
    assert cost["size_mb"] == len(content) / 1e6
    assert cost["real_time_factor"] == pytest.approx(cost["latency_sec"] / SECONDS)
    assert 0 < cost["real_time_factor"] < 1
    assert 0 < cost["peak_mb"] < 500
