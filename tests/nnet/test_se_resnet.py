"""The teacher's and student's own choices; test_network.py has what all share."""

import pytest
import torch
import torch.nn.functional as F

from asdkit.nnet.se_resnet import FastResNetSe, ResNetSe, normalize_over_time

TINY = {"channels": 4, "embedding_dim": 8}


def test_normalization_is_instance_norm_over_real_frames(rng):
    x = torch.from_numpy(rng.standard_normal((3, 5, 9))) * 3 + 2
    lengths = [9, 2, 1]
    for utt, length in zip(x, lengths, strict=True):
        utt[:, length:] = 0
    normalized = normalize_over_time(x, torch.tensor(lengths))
    for i, length in enumerate(lengths[:2]):
        expected = F.instance_norm(x[i : i + 1, :, :length])
        torch.testing.assert_close(normalized[i : i + 1, :, :length], expected)
    assert normalized[2].abs().max() == 0  # one frame is its own mean
    assert normalized[1, :, 2:].abs().max() == 0
    torch.testing.assert_close(normalize_over_time(x, None), F.instance_norm(x))


def test_an_utterance_may_be_normalized_as_a_whole(rng):
    x = torch.from_numpy(rng.standard_normal((2, 5, 9))) * 3 + 2
    x[1, :, 4:] = 0
    normalized = normalize_over_time(x, torch.tensor([9, 4]), "utterance")
    for i, length in enumerate([9, 4]):
        real = x[i, :, :length]
        expected = (real - real.mean()) / (real.var(correction=0) + 1e-5).sqrt()
        torch.testing.assert_close(normalized[i, :, :length], expected)
    assert normalized[1, :, 4:].abs().max() == 0


@pytest.mark.parametrize("network", [ResNetSe, FastResNetSe])
def test_only_normalized_as_a_whole_it_hears_the_channel(network, shake, rng):
    feats = torch.from_numpy(rng.standard_normal((2, 30, 40))).float()
    channel = torch.from_numpy(rng.standard_normal(40)).float()
    embed = shake(network(**TINY, normalized="utterance"))
    torch.testing.assert_close(embed(feats + 3), embed(feats), rtol=1e-4, atol=1e-4)
    assert (embed(feats + channel) - embed(feats)).abs().max() > 1e-3


@pytest.mark.parametrize("network", [ResNetSe, FastResNetSe])
def test_gain_and_channel_leave_the_embedding_alone(network, shake, rng):
    """A factor per bin is a constant after the log, and the mean takes it away."""
    embed = shake(network(**TINY))
    feats = torch.from_numpy(rng.standard_normal((2, 30, 40))).float()
    channel = torch.from_numpy(rng.standard_normal(40)).float()
    torch.testing.assert_close(
        embed(feats + channel), embed(feats), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("pooling", ["tap", "stats", "sap", "asp"])
@pytest.mark.parametrize("network", [ResNetSe, FastResNetSe])
def test_every_pooling_fits(network, pooling):
    assert network(**TINY, pooling=pooling)(torch.ones(2, 9, 40)).shape == (2, 8)


def test_the_student_halves_features_at_once_and_time_twice():
    network = FastResNetSe(**TINY).eval()
    x = network.stem(torch.ones(1, 1, 40, 16))
    assert x.shape == (1, 4, 20, 16)
    assert network.stages(x, None)[0].shape == (1, 32, 5, 4)
