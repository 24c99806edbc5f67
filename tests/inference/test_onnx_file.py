"""Any module as an ONNX file."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.inference.onnx_file import Graph, to_onnx


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
