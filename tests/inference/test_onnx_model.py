"""Graphs that are none of ours, or no graphs."""

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


def test_a_graph_of_another_program_is_refused(tmp_path):
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [value], [other])
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    with pytest.raises(DataError, match="not a graph of asdkit's"):
        OnnxModel(model.SerializeToString())
