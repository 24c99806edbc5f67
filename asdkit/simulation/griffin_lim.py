"""Griffin-Lim: speech from a mel spectrogram with estimated phases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

WINDOW_SEC = 0.064
HOP_SEC = 0.016
NUM_ITERS = 32
MOMENTUM = 0.99


def griffin_lim(
    samples: np.ndarray, sample_frequency: int, num_mels: int = 80
) -> np.ndarray:
    """Reduce speech to mel bands and reconstruct a waveform from them.

    Args:
        samples: (L,), longer than half a window of 64 ms.
        sample_frequency: in Hz.
        num_mels: number of mel bands; fewer sound hoarser.

    Returns:
        (L,) float32, the same each time.

    Source: D. Griffin and J. Lim, "Signal estimation from modified short-time
    Fourier transform", IEEE Trans. ASSP 32, 1984; N. Perraudin, P. Balazs,
    P. Sondergaard, "A fast Griffin-Lim algorithm", WASPAA 2013, for the momentum, which
    librosa and torchaudio divide by one more than itself, as here.
    """
    import torch

    size = round(WINDOW_SEC * sample_frequency)
    frames: dict[str, Any] = {
        "n_fft": size,
        "hop_length": round(HOP_SEC * sample_frequency),
        "window": torch.hann_window(size),
    }
    wave = torch.from_numpy(np.asarray(samples, dtype=np.float32))
    magnitude = torch.stft(wave, **frames, return_complex=True).abs()  # (F, T)
    bands, inverse = _mel_filters(num_mels, size, sample_frequency)
    magnitude = (inverse @ (bands @ magnitude.double())).clamp(min=0).float()
    phases = torch.ones_like(magnitude, dtype=torch.complex64)
    before = torch.zeros_like(phases)
    for _ in range(NUM_ITERS):
        wave = torch.istft(magnitude * phases, **frames, length=len(samples))
        spectrum = torch.stft(wave, **frames, return_complex=True)
        phases = spectrum - before.mul_(MOMENTUM / (1 + MOMENTUM))
        phases = phases / (phases.abs() + 1e-16)
        before = spectrum
    return torch.istft(magnitude * phases, **frames, length=len(samples)).numpy()


@lru_cache
def _mel_filters(
    num_mels: int, size: int, sample_frequency: int
) -> tuple[Tensor, Tensor]:
    """Return mel filters (M, F) and their least-squares inverse (F, M)."""
    import torch

    from asdkit.base.filterbanks import htk_mel_banks

    top = sample_frequency / 2
    bands = htk_mel_banks(size, 0, top, num_mels, sample_frequency).T.double()
    return bands, torch.linalg.pinv(bands)
