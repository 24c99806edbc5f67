"""Lengths of maps, and what lies beyond them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from asdkit.nnet.padding import (
    mean_over_time,
    mirror_padding,
    strided,
    zero_padding,
)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_strided_is_the_length_that_a_convolution_leaves(kernel, stride):
    conv = nn.Conv1d(1, 1, kernel, stride, padding=kernel // 2)
    for size in range(1, 12):
        left = conv(torch.zeros(1, 1, size)).shape[-1]
        assert strided(size, stride) == left
        assert strided(torch.tensor([size]), stride).tolist() == [left]


def test_strided_of_unknown_lengths_is_unknown():
    assert strided(None, 2) is None


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 5), (3, 2, 4, 5)])
def test_zero_padding_zeroes_what_is_beyond_the_end_of_a_copy(shape):
    x = torch.ones(shape)
    y = zero_padding(x, torch.tensor([5, 1, 3]))
    assert x.min() == 1
    for utt, length in zip(y, [5, 1, 3], strict=True):
        assert utt[..., :length].min() == 1
        assert utt[..., length:].abs().sum() == 0


def test_without_lengths_nothing_is_copied():
    x = torch.ones(2, 3, 4)
    assert zero_padding(x, None) is x


def test_the_mean_is_over_real_frames(rng):
    x = torch.from_numpy(rng.standard_normal((3, 4, 7)))
    mean = mean_over_time(x, torch.tensor([7, 1, 3]))
    expected = [x[i, :, :length].mean(dim=1) for i, length in enumerate([7, 1, 3])]
    torch.testing.assert_close(mean, torch.stack(expected))
    torch.testing.assert_close(mean_over_time(x, None), x.mean(dim=2))


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_every_utterance_is_mirrored_at_its_own_ends(margin, rng):
    x = torch.from_numpy(rng.standard_normal((3, 2, 9)))
    lengths = [9, 4, 6]
    mirrored = mirror_padding(x, torch.tensor(lengths), margin)
    assert mirrored.shape == (3, 2, 9 + 2 * margin)
    for utt, found, length in zip(x, mirrored, lengths, strict=True):
        expected = F.pad(utt[:, :length], (margin, margin), mode="reflect")
        assert torch.equal(found[:, : length + 2 * margin], expected)
    torch.testing.assert_close(mirror_padding(x, None, margin)[0], mirrored[0])
