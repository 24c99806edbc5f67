"""AASIST's own choices; graphs and the rest have test files of their own."""

import pytest
import torch
import torch.nn.functional as F

from asdkit.base.registry import construct
from asdkit.losses.classification import CrossEntropy
from asdkit.nnet.aasist import Aasist, Block, Way, read_out
from asdkit.nnet.registry import MODELS, build

TINY = {
    "num_filters": 12,
    "filter_size": 17,
    "first_channels": 4,
    "last_channels": 6,
    "graph_dim": 5,
    "joint_dim": 3,
}


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("in_channels", [1, 4])
def test_a_block_equals_its_definition(in_channels, pre_norm, rng, shake):
    block = shake(Block(in_channels, 6, pre_norm))
    x = torch.from_numpy(rng.standard_normal((2, in_channels, 7, 13))).float()
    y = F.selu(block.before[0](x)) if pre_norm and in_channels > 1 else x
    y = block.first(y)
    assert y.shape[2:] == (8, 13)
    y = block.second(F.selu(block.between[0](y))) + block.shortcut(x)
    assert y.shape[2:] == (7, 13)
    found, _ = block(x, None)
    torch.testing.assert_close(found, F.max_pool2d(y, (1, 3)))
    assert found.shape == (2, 6, 7, 4)


def test_a_way_joins_the_graphs_twice(rng, shake):
    way = shake(Way(5, 3, ratio=0.5, temperature=10.0))
    spectral = torch.from_numpy(rng.standard_normal((2, 4, 5))).float()
    temporal = torch.from_numpy(rng.standard_normal((2, 6, 5))).float()
    x, y, master = way.join(spectral, temporal, way.master, None)
    (x, _), (y, _) = way.spectral_pool(x), way.temporal_pool(y)
    more = way.again(x, y, master, None)
    found = way(spectral, temporal, None)
    for part, extra, whole in zip((x, y, master), more, found, strict=False):
        torch.testing.assert_close(whole, part + extra)
    assert [part.shape[1] for part in found[:3]] == [2, 3, 1]


def test_the_embedding_is_read_out_of_the_larger_of_both_ways(rng, shake):
    network = shake(Aasist(**TINY))
    samples = torch.from_numpy(rng.standard_normal((2, 15_000, 1))).float()
    x = F.max_pool2d(network.filters(samples.transpose(1, 2)).abs()[:, None], 3)
    x = F.selu(network.stem[0](x))
    for block in network.blocks:
        x, _ = block(x, None)
    assert x.shape == (2, 6, 4, 6)
    spectral = x.abs().amax(dim=3).transpose(1, 2) + network.position
    temporal = x.abs().amax(dim=2).transpose(1, 2)
    spectral, _ = network.spectral_pool(network.spectral(spectral, None))
    temporal, _ = network.temporal_pool(network.temporal(temporal, None))
    ways = [way(spectral, temporal, None) for way in network.ways]
    s, t, master = (torch.maximum(*pair) for pair in list(zip(*ways, strict=True))[:3])
    parts = [t.abs().amax(1), t.mean(1), s.abs().amax(1), s.mean(1), master[:, 0]]
    torch.testing.assert_close(network(samples), torch.cat(parts, dim=1))
    assert network.embedding_dim == 15


def test_only_real_nodes_are_read(rng):
    x = torch.from_numpy(rng.standard_normal((2, 4, 3)))
    x[1, 2:] = 0
    largest, mean = read_out(x, torch.tensor([4, 2]))
    torch.testing.assert_close(largest[1], x[1, :2].abs().amax(dim=0))
    torch.testing.assert_close(mean[1], x[1, :2].mean(dim=0))


def test_with_an_embedding_dimension_a_linear_layer_follows():
    network = Aasist(**TINY, embedding_dim=2)
    assert network(torch.ones(2, 3000, 1)).shape == (2, 2)


@pytest.mark.parametrize(("name", "unused"), [("aasist", 512), ("aasist_l", 272)])
def test_the_authors_form_is_the_published_one_but_for_weights_it_never_uses(
    name, unused
):
    published = {"aasist": 297_866, "aasist_l": 85_306}[name]
    network = build(name, pre_norm=False)
    classifier = CrossEntropy(network.embedding_dim, 2)
    parameters = [*network.parameters(), *classifier.parameters()]
    assert sum(x.numel() for x in parameters) == published - unused


def test_a_network_of_a_file_that_knows_no_pre_norm_has_it():
    network = construct(MODELS, "aasist_l", num_filters=70)
    assert isinstance(network.blocks[1].before[0], torch.nn.BatchNorm2d)
