"""Triangular filter banks, and the cosine transform of log band energies.

Two mel banks look alike and are not: Kaldi's triangles are straight on the mel scale,
those of HTK's scale as librosa and torchaudio draw them are straight in Hz.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def triangles(at: Tensor, edges: Tensor) -> Tensor:
    """Draw triangles of height 1, each from the center of one neighbor to the next.

    Args:
        at: (F,) where to evaluate them, e.g. in Hz.
        edges: (B + 2,) rising, on the same scale: triangle b rises from edge b, is 1 at
            edge b + 1 and 0 again at edge b + 2.

    Returns:
        (F, B) weights.
    """
    left, center, right = edges[:-2], edges[1:-1], edges[2:]
    at = at[:, None]
    rising = (at - left) / (center - left)
    falling = (right - at) / (right - center)
    return torch.minimum(rising, falling).clamp_(min=0)


def num_empty(banks: Tensor) -> int:
    """Count the triangles of (F, B) banks that fall between two frequencies."""
    return int((banks.sum(dim=0) == 0).sum())


def kaldi_mel_banks(
    fft_size: int, low: float, high: float, num_bins: int, sample_frequency: float
) -> Tensor:
    """Draw triangles that are straight and of equal width on the mel scale.

    Args:
        fft_size: samples in a frame with its zeros, even.
        low: lower end of the first triangle in Hz.
        high: upper end of the last in Hz.
        num_bins: B, number of triangles.
        sample_frequency: in Hz.

    Returns:
        (F, B) float32, F = fft_size / 2 + 1; the frequency at Nyquist belongs to none.

    Source: Kaldi, src/feat/mel-computations.cc, MelBanks.
    """
    first, last = (1127 * math.log(1 + hz / 700) for hz in (low, high))
    edges = first + torch.arange(num_bins + 2) * ((last - first) / (num_bins + 1))
    frequencies = sample_frequency / fft_size * torch.arange(fft_size // 2)  # (F - 1,)
    banks = triangles(1127 * (1 + frequencies / 700).log(), edges)
    return torch.nn.functional.pad(banks, (0, 0, 0, 1))


def htk_mel_banks(
    fft_size: int, low: float, high: float, num_bins: int, sample_frequency: float
) -> Tensor:
    """Draw triangles that are straight in Hz and have equidistant centers in mel.

    Args:
        fft_size: samples in a frame with its zeros.
        low: lower end of the first triangle in Hz.
        high: upper end of the last in Hz.
        num_bins: B, number of triangles.
        sample_frequency: in Hz.

    Returns:
        (F, B) float32, F = fft_size / 2 + 1.

    Source: S. Young et al., "The HTK Book", for the scale; for the triangles,
    librosa.filters.mel with htk=True and norm=None, and torchaudio's melscale_fbanks.
    """
    first, last = (2595 * math.log10(1 + hz / 700) for hz in (low, high))
    mels = torch.linspace(first, last, num_bins + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    return triangles(_frequencies(fft_size, sample_frequency), edges)


def linear_banks(
    fft_size: int, low: float, high: float, num_bins: int, sample_frequency: float
) -> Tensor:
    """Draw triangles of equal width in Hz.

    Args:
        fft_size: samples in a frame with its zeros.
        low: lower end of the first triangle in Hz.
        high: upper end of the last in Hz.
        num_bins: B, number of triangles.
        sample_frequency: in Hz.

    Returns:
        (F, B) float32, F = fft_size / 2 + 1.

    Source: the MATLAB baselines of the ASVspoof challenges of 2019 and 2021.
    """
    edges = torch.linspace(low, high, num_bins + 2)
    return triangles(_frequencies(fft_size, sample_frequency), edges)


def cosine_transform(num_ceps: int, num_bins: int) -> Tensor:
    """Return what turns B log energies into cepstra when multiplied from the right.

    Args:
        num_ceps: C, coefficients to keep, C0 among them.
        num_bins: B.

    Returns:
        (B, C) float32 with orthonormal columns.

    Source: N. Ahmed, T. Natarajan, K. R. Rao, "Discrete cosine transform", IEEE Trans.
    Computers 23, 1974: type II, scaled as scipy.fft.dct does with norm="ortho".
    """
    band = torch.arange(float(num_bins))
    quefrency = torch.arange(float(num_ceps))[:, None]
    cosines = torch.cos(math.pi / num_bins * (band + 0.5) * quefrency)  # (C, B)
    cosines[0] *= 1 / math.sqrt(2)
    cosines *= math.sqrt(2 / num_bins)
    return cosines.T


def _frequencies(fft_size: int, sample_frequency: float) -> Tensor:
    """(F,) of the bins of an FFT, in Hz; an odd one has none at Nyquist."""
    num_bins = fft_size // 2 + 1
    return torch.linspace(0, (num_bins - 1) * sample_frequency / fft_size, num_bins)
