import numpy as np
import pytest
import torch
import torch.nn.functional as F

from asdkit.nnet.sinc import (
    SincFilters,
    WaveformNetwork,
    pool_squares,
    pool_thirds,
    thirds,
)


def test_filters_are_windowed_band_passes_between_mel_edges():
    bank = SincFilters(5, 33)
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 6)
    edges = 700 * (10 ** (mels / 2595) - 1)
    n = np.arange(-16, 17)
    for k in range(5):
        low, high = (2 * f / 16000 * np.sinc(2 * f * n / 16000) for f in edges[k:][:2])
        expected = (high - low) * np.hamming(33)
        np.testing.assert_allclose(bank.filters[k, 0], expected, atol=1e-7)


def test_a_tone_passes_the_filter_of_its_band():
    bank = SincFilters(20, 1025)
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 21)
    edges = 700 * (10 ** (mels / 2595) - 1)
    t = torch.arange(4000) / 16000
    for k in (3, 12, 19):
        tone = torch.sin(2 * torch.pi * (edges[k] + edges[k + 1]) / 2 * t)
        power = bank(tone[None, None].float()).square().mean(dim=2)[0]
        assert power.argmax() == k
        assert power[k] == pytest.approx(0.5, rel=0.02)
        assert power.sum() - power[k] < 0.01


def test_filters_are_neither_learned_nor_stored():
    bank = SincFilters(5, 33)
    assert not list(bank.parameters())
    assert not bank.state_dict()


def test_the_shortest_utterance_has_one_frame_in_the_end():
    network = WaveformNetwork(1, 8, num_filters=4, filter_size=129, num_blocks=6)
    num_samples = torch.tensor([network.min_frames, network.min_frames - 1])
    num_frames = network.frames_of(num_samples)
    for _ in range(6):
        num_frames = thirds(num_frames)
    assert num_frames.tolist() == [1, 0]
    assert network.frames_of(None) is None


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("learning", [False, True])
def test_three_frames_become_the_largest_and_those_left_over_are_dropped(
    layout, learning
):
    x = torch.randn(2, 3, 5, 20).to(memory_format=layout).requires_grad_(learning)
    pooled = pool_thirds(x)
    assert torch.equal(pooled, x[..., :18].unflatten(3, (6, 3)).amax(dim=4))
    assert pooled.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("size", [(6, 12), (8, 14), (3, 4)])
def test_squares_are_pooled_as_torch_does(size):
    x = torch.randn(2, *size, requires_grad=True)
    expected = F.max_pool2d(x[:, None], 3)
    found = pool_squares(x)
    assert torch.equal(found, expected)
    weights = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, x, weights)
    assert torch.equal(torch.autograd.grad(found, x, weights)[0], wanted)
