"""RawNet2's own choices; test_network.py has what all networks share."""

import torch
import torch.nn.functional as F

from asdkit.nnet.rawnet2 import GatedBlock, RawNet2, last_of

TINY = {"num_filters": 4, "filter_size": 33, "channels": 6, "gru_dim": 5}


def test_a_gated_block_equals_its_definition(rng, shake):
    block = shake(GatedBlock(4, 6, is_first=False))
    x = torch.from_numpy(rng.standard_normal((2, 4, 14))).float()
    y = F.leaky_relu(block.before[0](x), 0.3)
    y = F.leaky_relu(block.between[0](block.first(y)), 0.3)
    y = block.second(y) + block.shortcut(x)
    y = torch.stack([y[..., 3 * t : 3 * t + 3].amax(dim=2) for t in range(4)], dim=2)
    gate = torch.sigmoid(block.gate[0](y.mean(dim=2)))[..., None]
    found, _ = block(x, None)
    torch.testing.assert_close(found, y * gate + gate)


def test_the_first_block_takes_its_input_as_it_is(rng, shake):
    block = shake(GatedBlock(4, 4, is_first=True))
    x = torch.from_numpy(rng.standard_normal((2, 4, 9))).float()
    y = block.second(F.leaky_relu(block.between[0](block.first(x)), 0.3))
    y = F.max_pool1d(y + x, 3)
    gate = torch.sigmoid(block.gate[0](y.mean(dim=2)))[..., None]
    torch.testing.assert_close(block(x, None)[0], y * gate + gate)


def test_the_last_state_of_the_recurrent_network_is_embedded(rng, shake):
    network = shake(RawNet2(**TINY, embedding_dim=3))
    samples = torch.from_numpy(rng.standard_normal((2, 7000, 1))).float()
    x = F.max_pool1d(network.filters(samples.transpose(1, 2)).abs(), 3)
    x = F.selu(network.stem[0](x))
    for block in network.blocks:
        x, _ = block(x, None)
    states, _ = network.gru(F.selu(network.last[0](x)).transpose(1, 2))
    torch.testing.assert_close(network(samples), network.output(states[:, -1]))


def test_the_last_real_frame_is_found():
    x = torch.arange(12.0).view(2, 3, 2)
    assert last_of(x, None).tolist() == [[4, 5], [10, 11]]
    assert last_of(x, torch.tensor([1, 2])).tolist() == [[0, 1], [8, 9]]
