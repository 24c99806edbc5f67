"""The d-vector against its published computation, written out window by window."""

import math

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from asdkit.nnet.dvector import DVector, count_windows, slaney_mel_banks

BANKS = mel_filter_bank(201, 40, 0, 8000, 16000, norm="slaney", mel_scale="slaney")


def windows_of(num_samples):
    """Starts of the windows in frames, as the package finds them."""
    num_frames = math.ceil((num_samples + 1) / 160)
    starts = list(range(0, max(1, num_frames - 160 + 77 + 1), 77))
    if (num_samples - 160 * starts[-1]) / 25600 < 0.75 and len(starts) > 1:
        starts.pop()
    return starts


def embed(network, x):
    """Embed one recording with somebody else's spectrogram, one window at a time."""
    x = x * max(1, 10 ** (-30 / 20) / np.sqrt(np.mean(x.astype(np.float64) ** 2)))
    starts = windows_of(len(x))
    x = np.pad(x, (0, max(0, 160 * (starts[-1] + 160) - len(x))))
    window = window_function(400, "hann", periodic=True)
    mels = spectrogram(
        x, window, 400, 160, power=2, pad_mode="constant", mel_filters=BANKS
    )
    total = 0
    for start in starts:
        part = torch.from_numpy(mels[:, start : start + 160].T.astype(np.float32))
        _, (hidden, _) = network.lstm(part[None])
        output = network.linear(hidden[-1])[0].relu()
        total = total + output / output.norm()
    return (total / total.norm()).detach().numpy()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DVector(hidden_dim=16, embedding_dim=12).eval()


def test_bands_are_those_of_slaney():
    np.testing.assert_allclose(slaney_mel_banks(40).T, BANKS, atol=1e-7)


def test_windows_are_counted_as_the_package_counts_them():
    lengths = [1, 400, 25599, 25600, 31000, *range(32000, 70000, 77)]
    found = count_windows(torch.tensor(lengths))
    assert found.tolist() == [len(windows_of(n)) for n in lengths]


@pytest.mark.parametrize("level", [0.001, 0.3])
def test_embeddings_are_the_published_ones_alone_and_in_a_batch(network, rng, level):
    lengths = [400, 16000, 25600, 45000, 61234]
    signals = [rng.normal(0, level, n).astype(np.float32) for n in lengths]
    batch = torch.zeros(len(lengths), max(lengths), 1)
    for row, x in zip(batch, signals, strict=True):
        row[: len(x), 0] = torch.from_numpy(x)
    together = network(batch, torch.tensor(lengths)).detach()
    for row, x in zip(together, signals, strict=True):
        wanted = embed(network, x)
        alone = network(torch.from_numpy(x)[None, :, None]).detach()[0]
        np.testing.assert_allclose(alone, wanted, atol=1e-4)
        np.testing.assert_allclose(row, wanted, atol=1e-4)


def test_silence_is_finite(network):
    assert network(torch.zeros(1, 16000, 1)).isfinite().all()


def test_every_parameter_gets_a_gradient_and_padding_gets_none(network, rng):
    batch = torch.from_numpy(rng.normal(0, 0.3, (2, 45000, 1))).float()
    batch.requires_grad_()
    embeddings = network(batch, torch.tensor([45000, 30000]))
    (embeddings * torch.arange(12.0)).sum().backward()
    for name, tensor in network.named_parameters():
        assert tensor.grad.isfinite().all(), name
    assert sum(float(x.grad.abs().sum()) for x in network.parameters()) > 0
    assert batch.grad[1, :30000].abs().sum() > 0
    assert batch.grad[1, 30000:].abs().sum() == 0
