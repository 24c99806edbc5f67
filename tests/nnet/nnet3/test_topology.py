"""A new x-vector network has the layers of Kaldi's recipes."""

import re

import pytest

from asdkit.nnet.nnet3.nnet3_network import Nnet3
from asdkit.nnet.nnet3.topology import LAYERS, xvector_graph


def test_the_network_is_that_of_voxceleb_v2():
    """30 x 5 -> 512, 512 x 3 -> 512 twice, 512, 1500, pooled, 512: by hand."""
    network = Nnet3(xvector_graph(30, 512), feat_dim=30)
    affine = (150 + 1) * 512 + 2 * (1536 + 1) * 512 + 513 * 512 + 513 * 1500
    affine += (3000 + 1) * 512
    assert sum(p.numel() for p in network.parameters()) == affine
    assert network.context == 15  # 7 frames at either side
    assert network.embedding_dim == 512


def test_layers_and_offsets_are_as_asked_for():
    layers = [((-1, 0, 1), 6), ((0,), 8)]
    graph = xvector_graph(4, 5, layers, num_after=2, with_stddev=False)
    nodes = dict(
        re.findall(r"name=(\S+).*?input=(.*?)(?: objective.*)?$", line)[0]
        for line in graph["nodes"][1:]
    )
    assert nodes["tdnn1.affine"] == "Append(Offset(input, -1), input, Offset(input, 1))"
    assert nodes["tdnn2.affine"] == "tdnn1.batchnorm"
    assert nodes["tdnn3.affine"].startswith("Round(stats-pooling")
    assert nodes["tdnn4.affine"] == "tdnn3.batchnorm"
    assert nodes["output"] == "tdnn4.affine"
    sizes = {
        x["name"]: dict(x["fields"]).get("LinearParams") for x in graph["components"]
    }
    assert sizes["tdnn1.affine"] == {"shape": [6, 12]}
    assert sizes["tdnn3.affine"] == {"shape": [5, 8]}  # means alone
    assert len(LAYERS) == 5


@pytest.mark.parametrize("with_stddev", [False, True])
def test_it_is_a_network_of_its_dimensions(with_stddev):
    layers = [((-1, 0, 1), 6), ((0,), 8)]
    graph = xvector_graph(4, 5, layers, with_stddev=with_stddev)
    network = Nnet3(graph, feat_dim=4)
    assert (network.feat_dim, network.embedding_dim, network.context) == (4, 5, 3)
