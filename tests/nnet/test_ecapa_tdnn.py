"""ECAPA-TDNN's own choices; test_network.py has what all networks share."""

import pytest
import torch

from asdkit.nnet.ecapa_tdnn import EcapaTdnn, SeRes2Block


def test_the_cascade_adds_the_group_before_to_every_group(rng, shake):
    block = shake(SeRes2Block(8, dilation=2, scale=4))
    x = torch.from_numpy(rng.standard_normal((2, 8, 12))).float()
    h = block.before(x)
    first = block.cascade[0](h[:, 0:2])
    second = block.cascade[1](h[:, 2:4] + first)
    third = block.cascade[2](h[:, 4:6] + second)
    h = block.after(torch.cat([first, second, third, h[:, 6:8]], dim=1))
    torch.testing.assert_close(block(x, None), x + block.gate(h, None))


@pytest.mark.parametrize("block_input", ["sum", "previous"])
def test_every_block_is_fed_with_all_before_it_or_the_last(rng, shake, block_input):
    sizes = {"channels": 16, "pooled_channels": 24, "embedding_dim": 8}
    network = shake(EcapaTdnn(**sizes, block_input=block_input))
    feats = torch.from_numpy(rng.standard_normal((2, 12, 80))).float()
    first, second, third = network.blocks
    x = network.stem(feats.transpose(1, 2))
    a = first(x, None)
    if block_input == "sum":
        b = second(x + a, None)
        c = third(x + a + b, None)
    else:
        b = second(a, None)
        c = third(b, None)
    pooled = network.pool(network.merge(torch.cat([a, b, c], dim=1)), None)
    torch.testing.assert_close(network(feats), network.output(pooled))


def test_channels_have_to_fill_the_groups():
    with pytest.raises(ValueError, match="expected a multiple of 8 channels, got 12"):
        EcapaTdnn(channels=12)


def test_mirrored_utterances_have_the_same_embedding_alone_and_padded(rng, shake):
    sizes = {"channels": 16, "pooled_channels": 24, "embedding_dim": 8}
    network = shake(EcapaTdnn(**sizes, mirrored=True)).double()
    feats = torch.from_numpy(rng.standard_normal((3, 30, 80)))
    lengths = [30, 5, 17]
    together = network(feats, torch.tensor(lengths))
    for utt, embedding, length in zip(feats, together, lengths, strict=True):
        torch.testing.assert_close(embedding, network(utt[None, :length])[0])
    with pytest.raises(ValueError, match=r"needs 5 frames or more, got .* of 4"):
        network(feats[:, :4])
