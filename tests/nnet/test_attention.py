"""Gates against their definitions, one utterance and one channel at a time."""

import pytest
import torch

from asdkit.nnet.attention import EfficientChannelAttention, SqueezeExcitation

LENGTHS = [7, 3]


@pytest.fixture(params=[(2, 6, 7), (2, 6, 5, 7)], ids=["C, T", "C, D, T"])
def x(request, rng):
    return torch.from_numpy(rng.standard_normal(request.param))


def test_squeeze_excitation_weighs_by_the_average_of_real_frames(x):
    gate = SqueezeExcitation(6, 2).double()
    y = gate(x, torch.tensor(LENGTHS))
    for utt, out, length in zip(x, y, LENGTHS, strict=True):
        average = utt[..., :length].reshape(6, -1).mean(dim=1)
        weights = torch.sigmoid(gate.gate[2](gate.gate[0](average).relu()))
        for c in range(6):
            torch.testing.assert_close(out[c], utt[c] * weights[c])


def test_efficient_channel_attention_mixes_neighboring_channels(x):
    gate = EfficientChannelAttention(kernel=3).double()
    before, itself, after = gate.mix.weight[0, 0].tolist()
    y = gate(x, torch.tensor(LENGTHS))
    for utt, out, length in zip(x, y, LENGTHS, strict=True):
        average = utt[..., :length].reshape(6, -1).mean(dim=1).tolist()
        for c in range(6):
            mixed = itself * average[c]
            mixed += before * average[c - 1] if c > 0 else 0
            mixed += after * average[c + 1] if c < 5 else 0
            weight = torch.sigmoid(torch.tensor(mixed, dtype=x.dtype))
            torch.testing.assert_close(out[c], utt[c] * weight)


def test_a_gate_without_bias_is_half_open_for_silence():
    gate = SqueezeExcitation(4, 2, bias=False)
    assert sum(p.numel() for p in gate.parameters()) == 16
    average = torch.zeros(1, 4)
    assert gate.gate(average).tolist() == [[0.5] * 4]
