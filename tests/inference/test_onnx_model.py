"""Graphs that are none of ours, or no graphs."""

import numpy as np
import onnx
import pytest

from asdkit.base.errors import DataError
from asdkit.inference.onnx_model import OnnxModel


def test_a_missing_file_and_one_that_is_no_graph_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        OnnxModel(tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"no graph")
    with pytest.raises(DataError, match="no ONNX graph: "):
        OnnxModel(tmp_path / "x.onnx")


def graph(**metadata):
    """A graph that returns its input."""
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    body = onnx.helper.make_graph([node], "g", [value], [other])
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(body, opset_imports=opset, ir_version=8)
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()


def test_a_graph_of_another_program_is_refused():
    with pytest.raises(DataError, match="not a graph of asdkit's"):
        OnnxModel(graph())


@pytest.mark.parametrize("rate", ["", "x", "-16000", "1e4", "0", "9" * 5000])
def test_metadata_that_are_no_numbers_are_damage(rate):
    model = OnnxModel(graph(producer="asdkit", form="feats", sample_rate=rate))
    with pytest.raises(DataError, match="expected a number sample_rate, got '"):
        _ = model.sampling_rate
    with pytest.raises(DataError, match="expected a number min_frames, got 'nothing'"):
        _ = model.min_frames


def test_a_graph_that_fails_says_so_in_a_line():
    model = OnnxModel(graph(producer="asdkit", form="feats", min_frames="1"))
    with pytest.raises(DataError, match="the graph: it fails: ") as caught:
        model.run_features(np.zeros((1, 2, 3)))
    assert "\n" not in str(caught.value)
