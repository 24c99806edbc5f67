"""The countermeasures' own choices; test_network.py has what all networks share."""

import pytest
import torch
from torch import nn

from asdkit.nnet.attention import EfficientChannelAttention, SqueezeExcitation
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.nnet.registry import build
from asdkit.nnet.senet import SeNet

TINY = {"blocks": (1, 1), "channels": 4}


def test_without_an_embedding_dimension_the_pooled_channels_come_out(rng, shake):
    network = shake(SeNet(**TINY))
    x = torch.from_numpy(rng.standard_normal((2, 8, 45))).float()
    y = x.transpose(1, 2)[:, None]
    for layer in network.stem:
        y = layer(y)
    y, _ = network.stages(y, None)
    assert network.embedding_dim == 8
    torch.testing.assert_close(network(x), y.mean(dim=(2, 3)))


def test_with_an_embedding_dimension_a_linear_layer_follows():
    network = SeNet(**TINY, embedding_dim=5)
    assert isinstance(network.output, nn.Linear)
    assert network(torch.ones(2, 8, 45)).shape == (2, 5)


@pytest.mark.parametrize("bottleneck", [False, True])
@pytest.mark.parametrize(
    ("gate", "kind"), [("se", SqueezeExcitation), ("eca", EfficientChannelAttention)]
)
def test_every_block_has_the_gate_that_was_asked_for(gate, kind, bottleneck):
    network = SeNet(**TINY, gate=gate, bottleneck=bottleneck)
    blocks = [block for stage in network.stages.stages for block in stage.blocks]
    assert [type(block.gate) for block in blocks] == [kind, kind]


def test_an_unknown_gate_is_named():
    with pytest.raises(ValueError, match="expected gate 'se' or 'eca', got 'none'"):
        SeNet(**TINY, gate="none")


@pytest.mark.parametrize(
    ("name", "published"), [("senet9", 0.035), ("senet34", 0.141), ("ecanet9", 0.035)]
)
def test_the_strided_stem_costs_a_fifteenth(name, published):
    """papers.md, 2.3: the stem of ASSERT; 4 k fewer parameters."""
    with torch.device("meta"):
        plain, strided = build(name), build(name, stem="strided")
    saved = (9 + 2 * 9 * 16 + 3 * 2) * 16 - (49 + 2) * 16
    assert num_parameters(plain) - num_parameters(strided) == saved
    assert num_macs(build(name, stem="strided"), 600) / 1e9 == pytest.approx(
        published, abs=5e-4
    )


@pytest.mark.parametrize("num_frames", [37, 38, 39, 40, 41])
def test_behind_the_strided_stem_padding_is_left_out_too(num_frames, rng, shake):
    network = shake(SeNet(**TINY, stem="strided")).eval()
    feats = torch.from_numpy(rng.standard_normal((2, 52, 45))).float()
    alone = network(feats[:1, :num_frames])
    feats[0, num_frames:] = 100.0
    together = network(feats, torch.tensor([num_frames, 52]))
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
