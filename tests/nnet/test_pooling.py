"""Poolings against their definitions, one utterance and one channel at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from asdkit.nnet.pooling import (
    POOLINGS,
    VARIANCE_FLOOR,
    ChannelAttention,
    FrameAttention,
    Pooling,
)

LENGTHS = [9, 4, 1]


@pytest.fixture
def x(rng):
    return torch.from_numpy(rng.standard_normal((3, 6, 9)) + 1)


def by_definition(x, scores, with_std):
    """Pool one utterance (C, T) with scores (C, T), in plain loops."""
    means, stds = [], []
    for frames, values in zip(x, scores, strict=True):
        weights = [np.exp(value) for value in values]
        weights = [weight / sum(weights) for weight in weights]
        mean = sum(w * frame for w, frame in zip(weights, frames, strict=True))
        moments = (w * (f - mean) ** 2 for w, f in zip(weights, frames, strict=True))
        means.append(mean)
        stds.append(np.sqrt(max(sum(moments), VARIANCE_FLOOR)))
    return means + (stds if with_std else [])


def frame_scores(attention, x):
    """v' tanh(W x_t + b) for one utterance (C, T), repeated for all channels."""
    w, b = (p.detach().numpy() for p in attention.scores[0].parameters())
    v = attention.scores[2].weight.detach().numpy()
    scores = [v[0, :, 0] @ np.tanh(w[:, :, 0] @ frame + b) for frame in x.T]
    return np.tile(scores, (len(x), 1))


@pytest.mark.parametrize("name", POOLINGS)
def test_pooling_equals_its_definition_for_every_utterance(name, x):
    pool = Pooling(name, 6, FrameAttention(6, hidden_dim=5)).double()
    pooled = pool(x, torch.tensor(LENGTHS)).detach().numpy()
    attentive, with_std = POOLINGS[name]
    for i, length in enumerate(LENGTHS):
        utt = x[i, :, :length].numpy()
        scores = np.zeros(utt.shape)
        if attentive:
            scores = frame_scores(pool.attention, utt)
        expected = by_definition(utt, scores, with_std)
        np.testing.assert_allclose(pooled[i], expected, rtol=1e-10)


@pytest.mark.parametrize("name", POOLINGS)
def test_pooling_without_lengths_takes_all_frames(name, x):
    pool = Pooling(name, 6).double()
    torch.testing.assert_close(pool(x, None), pool(x, torch.tensor([9, 9, 9])))


def test_an_unbiased_variance_is_over_one_frame_fewer_plus_its_floor(x):
    pool = Pooling("stats", 6, unbiased=True, variance_floor=1e-8).double()
    pooled = pool(x, torch.tensor(LENGTHS))[:, 6:]
    for i, length in enumerate(LENGTHS):
        variance = x[i, :, :length].var(dim=1) if length > 1 else torch.zeros(6)
        torch.testing.assert_close(pooled[i], (variance + 1e-8).sqrt().double())
    torch.testing.assert_close(pool(x[:1], None)[:, 6:], pooled[:1])


def test_the_floor_of_a_variance_is_chosen(x):
    still = torch.ones(1, 6, 4).double()
    pooled = Pooling("stats", 6, variance_floor=4e-6).double()(still, None)
    torch.testing.assert_close(pooled[:, 6:], torch.full((1, 6), 2e-3).double())


@pytest.mark.parametrize("name", POOLINGS)
def test_out_channels_are_what_comes_out(name, x):
    pool = Pooling(name, 6).double()
    assert pool(x, None).shape == (3, pool.out_channels)


def test_channel_attention_with_context_sees_frame_mean_and_std(x):
    """W [x_t; mean; std] in one piece, as the paper has it."""
    attention = ChannelAttention(6, 5, context=True).double()
    together = torch.cat([attention.frame.weight[:, :, 0], attention.context.weight], 1)
    scores = attention(x, torch.tensor(LENGTHS))
    for i, length in enumerate(LENGTHS):
        utt = x[i, :, :length]
        variance = utt.var(dim=1, correction=0).clamp(min=VARIANCE_FLOOR)
        for t in range(length):
            seen = torch.cat([utt[:, t], utt.mean(dim=1), variance.sqrt()])
            hidden = torch.tanh(together @ seen + attention.frame.bias)
            out = attention.scores[1]
            expected = out.weight[:, :, 0] @ hidden + out.bias
            torch.testing.assert_close(scores[i, :, t], expected)


def test_channel_attention_weighs_every_channel_by_itself(x):
    attention = ChannelAttention(6, 5, nn.ReLU()).double()
    pool = Pooling("asp", 6, attention)
    pooled = pool(x, torch.tensor(LENGTHS)).detach().numpy()
    for i, length in enumerate(LENGTHS):
        utt = x[i : i + 1, :, :length]
        scores = attention(utt, None)[0].detach().numpy()
        expected = by_definition(utt[0].numpy(), scores, with_std=True)
        np.testing.assert_allclose(pooled[i], expected, rtol=1e-10)


def test_a_standard_deviation_of_nothing_has_a_finite_slope():
    x = torch.full((2, 3, 5), 7.0, requires_grad=True)
    Pooling("stats", 3)(x, torch.tensor([5, 1])).sum().backward()
    assert x.grad.isfinite().all()


def test_bfloat16_maps_are_summed_in_float32(rng):
    """100 + noise in bfloat16: a sum of squares in it would be noise alone."""
    x = torch.from_numpy(100 + rng.standard_normal((1, 4, 5000))).to(torch.bfloat16)
    pooled = Pooling("stats", 4)(x, None)
    assert pooled.dtype == torch.bfloat16
    expected = x.double().std(dim=2, correction=0).to(torch.bfloat16)
    assert torch.equal(pooled[:, 4:], expected)


def test_an_unknown_pooling_is_named():
    with pytest.raises(ValueError, match="expected one of tap, stats, sap, asp"):
        Pooling("max", 3)
