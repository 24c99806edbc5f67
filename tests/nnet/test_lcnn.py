"""LCNN's own choices; test_network.py has what all networks share."""

import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.nnet.lcnn import BiLstm, Lcnn, MaxConv, larger_half


def test_every_channel_is_the_larger_of_two(rng, shake):
    layer = shake(MaxConv(2, 3, kernel=3, halved=True, normalized=True))
    x = torch.from_numpy(rng.standard_normal((2, 2, 7, 9))).float()
    both = layer.conv(x)
    y = torch.stack([torch.maximum(both[:, c], both[:, c + 3]) for c in range(3)], 1)
    y = y[:, :, :6, :8].unflatten(3, (4, 2)).unflatten(2, (3, 2)).amax(dim=(3, 5))
    mean, variance = (getattr(layer.norm, f"running_{x}") for x in ("mean", "var"))
    expected = (y - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
    torch.testing.assert_close(layer(x, None)[0], expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_larger_half_and_its_gradient_are_those_of_amax(layout):
    x = torch.randn(2, 6, 5, 7).to(memory_format=layout).requires_grad_()
    expected = x.unflatten(1, (2, 3)).amax(dim=1)
    weights = torch.randn_like(expected)
    y = larger_half(x)
    assert torch.equal(y, expected)
    assert torch.equal(y, larger_half(x.detach()))
    (wanted,) = torch.autograd.grad(expected, x, weights)
    (found,) = torch.autograd.grad(y, x, weights)
    assert torch.equal(found, wanted)


def test_of_two_equal_channels_one_gets_the_whole_gradient():
    x = torch.zeros(1, 2, 1, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(larger_half(x).sum(), x)
    assert gradient.flatten().tolist() == [1, 0]


def test_the_recurrent_layers_are_added_to_what_they_see(rng, shake):
    network = shake(Lcnn(channels=4))
    feats = torch.from_numpy(rng.standard_normal((2, 50, 60))).float()
    x = feats.transpose(1, 2)[:, None]
    for layer in network.layers:
        x, _ = layer(x, None)
    x = x.flatten(1, 2).transpose(1, 2)  # (N, T, C)
    assert x.shape == (2, 3, 12)
    y = x
    for layer in network.recurrent:
        y, _ = layer.lstm(y)
    torch.testing.assert_close(network(feats), network.output((x + y).mean(dim=1)))


def test_both_directions_begin_at_an_utterance_s_ends(rng):
    layer = BiLstm(6).double()
    x = torch.from_numpy(rng.standard_normal((3, 6, 8)))
    lengths = [3, 8, 5]
    y = layer(x, torch.tensor(lengths))
    assert y.shape == (3, 6, 8)
    for i, length in enumerate(lengths):
        alone = layer(x[i : i + 1, :, :length], None)
        torch.testing.assert_close(y[i : i + 1, :, :length], alone)
        assert y[i, :, length:].abs().sum() == 0


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(AsdkitError, match="features of 16 numbers or more, got 13"):
        Lcnn(feat_dim=13)
    with pytest.raises(AsdkitError, match="even number of channels, got 7"):
        Lcnn(channels=7)
