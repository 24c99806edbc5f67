"""Banks and cosine transform: the definitions in double precision, and torchaudio's."""

import numpy as np
import pytest
import torch
from scipy.fft import dct

from asdkit.base.filterbanks import (
    cosine_transform,
    htk_mel_banks,
    kaldi_mel_banks,
    linear_banks,
    num_empty,
    triangles,
)

# Samples in a frame, ends of the band in Hz, bands, sampling rate in Hz.
SIZES = [
    (512, 20, 8000, 80, 16000),
    (512, 20, 7600, 30, 16000),
    (1024, 0, 8000, 80, 16000),
    (400, 133.3, 7700, 23, 16000),
    (256, 64, 3400, 15, 8000),
    (706, 0, 5512.5, 40, 11025),
    (2822, 0, 22050, 128, 44100),
    (1411, 0, 11025, 80, 22050),
]
CEPSTRA = [(13, 23), (20, 70), (1, 4), (9, 9)]  # coefficients of bands
EVEN = [size for size in SIZES if size[0] % 2 == 0]


def define_triangles(at, edges):
    left, center, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (at[:, None] - left) / (center - left)
    falling = (right - at[:, None]) / (right - center)
    return np.maximum(0, np.minimum(rising, falling))


def define(kind, fft_size, low, high, num_bins, sample_frequency):
    at = np.arange(fft_size // 2 + 1) * sample_frequency / fft_size
    mel, hz = lambda f: np.log1p(f / 700), lambda m: 700 * np.expm1(m)
    if kind is linear_banks:
        return define_triangles(at, np.linspace(low, high, num_bins + 2))
    edges = np.linspace(mel(low), mel(high), num_bins + 2)
    if kind is kaldi_mel_banks:
        return define_triangles(mel(at), edges)
    return define_triangles(at, hz(edges))


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *[(kaldi_mel_banks, size) for size in EVEN],
        *[(kind, size) for kind in (htk_mel_banks, linear_banks) for size in SIZES],
    ],
)
def test_banks_are_what_the_definition_says(kind, size):
    banks = kind(*size)
    assert banks.dtype == torch.float32
    assert banks.is_contiguous()
    np.testing.assert_allclose(banks, define(kind, *size), atol=1e-4)


@pytest.mark.parametrize("size", EVEN)
def test_kaldi_s_banks_are_torchaudio_s_to_the_bit(size, torchaudio):
    fft_size, low, high, num_bins, sample_frequency = size
    expected, _ = torchaudio.compliance.kaldi.get_mel_banks(
        num_bins, fft_size, sample_frequency, low, high, 100.0, -500.0, 1.0
    )
    banks = kaldi_mel_banks(*size)
    assert torch.equal(banks[:-1], expected.T)
    assert not banks[-1].any()


# torchaudio leaves out half a hertz at an odd rate, half a bin in an odd frame.
@pytest.mark.parametrize("size", [x for x in EVEN if x[-1] % 2 == 0])
@pytest.mark.parametrize(
    ("kind", "name"),
    [(htk_mel_banks, "melscale_fbanks"), (linear_banks, "linear_fbanks")],
)
def test_banks_are_torchaudio_s_to_the_bit(kind, name, size, torchaudio):
    expected = getattr(torchaudio.functional, name)(size[0] // 2 + 1, *size[1:])
    assert torch.equal(kind(*size), expected)


@pytest.mark.parametrize(("num_ceps", "num_bins"), CEPSTRA)
def test_cosine_transform_is_scipy_s(num_ceps, num_bins):
    expected = dct(np.eye(num_bins), type=2, norm="ortho", axis=1)[:, :num_ceps]
    found = cosine_transform(num_ceps, num_bins)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("num_ceps", "num_bins"), CEPSTRA)
def test_cosine_transform_is_torchaudio_s_to_the_bit(num_ceps, num_bins, torchaudio):
    expected = torchaudio.functional.create_dct(num_ceps, num_bins, "ortho")
    assert torch.equal(cosine_transform(num_ceps, num_bins), expected)


def test_between_the_outer_centers_neighbors_add_up_to_one():
    edges = torch.tensor([0.0, 1.0, 3.0, 4.0, 7.0])
    at = torch.linspace(0, 8, 81)
    banks = triangles(at, edges)
    inside = (at >= 1) & (at <= 4)
    torch.testing.assert_close(banks.sum(dim=1)[inside], torch.ones(31))
    assert banks.max() == 1
    assert not banks[(at <= 0) | (at >= 7)].any()


def test_triangles_between_two_frequencies_are_counted():
    assert (
        num_empty(triangles(torch.arange(4.0), torch.tensor([0.1, 0.4, 0.9, 2]))) == 1
    )
    assert num_empty(kaldi_mel_banks(512, 20, 8000, 80, 16000)) == 0
    assert num_empty(kaldi_mel_banks(512, 20, 8000, 128, 16000)) > 0
