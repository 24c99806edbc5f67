"""Any module as an ONNX file."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.inference.onnx_file import Graph, shorten_names, to_onnx


class Double(nn.Module):
    def forward(self, feats):
        return 2 * feats.sum(dim=(1, 2))


class Polygamma(nn.Module):
    def forward(self, feats):
        return torch.special.polygamma(2, feats)


def graph(module):
    axes = {"feats": {0: "N", 1: "T"}}, {"score": {0: "N"}}
    return Graph(module, *axes, {"b": "2", "a": "1"}, feat_dim=3)


def test_axes_are_dynamic_and_metadata_is_kept():
    from onnxruntime import InferenceSession

    content = to_onnx(graph(Double()), 10)
    assert [x.key for x in onnx.load_from_string(content).metadata_props] == ["a", "b"]
    x = np.ones((4, 7, 3), np.float32)
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"feats": x})[0], np.full(4, 42))


def test_a_layer_without_onnx_operators_is_named(capsys):
    with pytest.raises(AsdkitError, match=r"cannot be exported: .*polygamma"):
        to_onnx(graph(Polygamma()), 10)
    assert capsys.readouterr().out == ""


INNER = """<ir_version: 8, opset_import: ["" : 17]>
agraph (float[N] x, bool yes, float[N] B) => (float[N] y) {
  a_long_name = Add(x, B)
  y = If (yes) <
    then_branch = one () => (float[N] z) { z = Mul(a_long_name, x) },
    else_branch = other () => (float[N] z) { z = Identity(a_long_name) }
  >
}"""


def test_short_names_change_no_number_and_no_name_that_a_client_uses():
    """Also inside of a branch; "B" is the twelfth of the short names."""
    from onnxruntime import InferenceSession

    model = onnx.parser.parse_model(INNER)
    entry = model.metadata_props.add()
    entry.key, entry.value = "a_key", "a value"
    content = shorten_names(model.SerializeToString())
    assert b"a_long_name" not in content
    about = onnx.load_from_string(content).metadata_props
    assert [(x.key, x.value) for x in about] == [("a_key", "a value")]
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    x, b = np.arange(3, dtype=np.float32), np.ones(3, np.float32)
    for yes, expected in ((True, (x + b) * x), (False, x + b)):
        (y,) = session.run(["y"], {"x": x, "B": b, "yes": np.array(yes)})
        np.testing.assert_array_equal(y, expected)
