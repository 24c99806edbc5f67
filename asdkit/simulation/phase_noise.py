"""Speech whose phases are disturbed, as by a vocoder that estimates them badly."""

from __future__ import annotations

import numpy as np
from scipy.signal import istft, stft

WINDOW_SEC = (0.02, 0.064)
RADIANS = (0.3, 1.5)  # standard deviation; beyond, it is all noise


def disturb_phases(
    samples: np.ndarray, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Add noise to the phases of a spectrogram and go back to samples.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws the window's length, the noise's deviation and the noise.

    Returns:
        (L,) float32.
    """
    size = 4 * round(rng.uniform(*WINDOW_SEC) * sample_frequency / 4)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    how = {"fs": sample_frequency, "nperseg": size, "noverlap": 3 * size // 4}
    spectrum = stft(padded, **how)[2]
    noise = rng.uniform(*RADIANS) * rng.standard_normal(spectrum.shape)
    made = istft(spectrum * np.exp(1j * noise), **how)[1]
    return made[: len(samples)].astype(np.float32)
