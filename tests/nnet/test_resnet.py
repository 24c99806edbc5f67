"""The wide ResNet's own choices; test_network.py has what all networks share."""

import pytest
import torch

from asdkit.nnet.padding import strided
from asdkit.nnet.pooling import POOLINGS
from asdkit.nnet.resnet import ResNet

TINY = {"blocks": (1, 1, 1), "channels": 4, "embedding_dim": 8}


@pytest.mark.parametrize("feat_dim", [1, 79, 80, 81])
def test_the_width_is_computed_for_any_number_of_bins(feat_dim):
    network = ResNet(**TINY, feat_dim=feat_dim)
    assert network(torch.ones(2, 12, feat_dim)).shape == (2, 8)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_fits(pooling, shake, rng):
    network = shake(ResNet(**TINY, pooling=pooling))
    feats = torch.from_numpy(rng.standard_normal((2, 12, 80))).float()
    padded = network(feats, torch.tensor([12, 7]))
    torch.testing.assert_close(padded[1:], network(feats[1:, :7]))


@pytest.mark.parametrize("feat_dim", [1, 79, 80, 81])
@pytest.mark.parametrize("stem_stride", [2, 3])
def test_a_stride_in_the_stem_counts_frames_and_bins(feat_dim, stem_stride, shake, rng):
    network = shake(ResNet(**TINY, stem_stride=stem_stride, feat_dim=feat_dim))
    feats = torch.from_numpy(rng.standard_normal((2, 26, feat_dim))).float()
    padded = network(feats, torch.tensor([26, 15]))
    torch.testing.assert_close(padded[1:], network(feats[1:, :15]))
    _, lengths = network.frames(feats.transpose(1, 2), torch.tensor([26, 15]))
    assert lengths.tolist() == [strided(n, 4 * stem_stride) for n in (26, 15)]


def test_stages_see_a_quarter_of_time_and_features(rng):
    network = ResNet(**TINY)
    x = torch.from_numpy(rng.standard_normal((1, 1, 80, 12))).float()
    y, _ = network.stages(network.stem(x), None)
    assert y.shape == (1, 16, 20, 3)


def test_a_second_layer_gives_the_embedding(rng, shake):
    network = shake(ResNet(**TINY, two_layers=True))
    feats = torch.from_numpy(rng.standard_normal((2, 12, 80))).float()
    first, relu, norm, second = network.output
    pooled = network.pool(*network.frames(feats.transpose(1, 2), None))
    expected = second(norm(relu(first(pooled))))
    torch.testing.assert_close(network(feats), expected)
