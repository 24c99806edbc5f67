"""Speech from a mel spectrogram alone: the phases are guessed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torchaudio.functional as F

WINDOW_SEC = 0.064
HOP_SEC = 0.016
NUM_ITERS = 32


def griffin_lim(
    samples: np.ndarray, sample_frequency: int, num_mels: int = 80
) -> np.ndarray:
    """Reduce speech to mel bands and make a waveform from these.

    Args:
        samples: (L,), longer than half a window of 64 ms.
        sample_frequency: in Hz.
        num_mels: bands; the fewer, the hoarser.

    Returns:
        (L,) float32.

    Source: D. Griffin and J. Lim, "Signal estimation from modified short-time
    Fourier transform", IEEE Trans. ASSP 32, 1984, as torchaudio has it.
    """
    hop = round(HOP_SEC * sample_frequency)
    size = round(WINDOW_SEC * sample_frequency)
    stft = {
        "window": torch.hann_window(size),
        "n_fft": size,
        "hop_length": hop,
        "win_length": size,
        "power": 1.0,
    }
    wave = torch.from_numpy(np.asarray(samples, dtype=np.float32))
    magnitude = F.spectrogram(wave, pad=0, normalized=False, **stft)  # (F, T)
    bands, inverse = _mel_filters(num_mels, size // 2 + 1, sample_frequency)
    magnitude = (inverse @ (bands @ magnitude.double())).clamp(min=0).float()
    again = F.griffinlim(
        magnitude,
        n_iter=NUM_ITERS,
        momentum=0.99,
        length=len(samples),
        rand_init=False,  # zero phases: the same waveform each time
        **stft,
    )
    return again.numpy()


@lru_cache
def _mel_filters(
    num_mels: int, num_bins: int, sample_frequency: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mel filters (M, F) and what undoes them at the least error (F, M)."""
    top = sample_frequency / 2
    bands = F.melscale_fbanks(num_bins, 0.0, top, num_mels, sample_frequency)
    bands = bands.T.double()
    return bands, torch.linalg.pinv(bands)
