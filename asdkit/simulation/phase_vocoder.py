"""A phase vocoder: another pitch at the same tempo.

Source: J. Flanagan and R. Golden, "Phase vocoder", Bell System Technical Journal 45,
1966; M. Dolson, "The phase vocoder: a tutorial", Computer Music Journal 10, 1986.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft
from scipy.signal import resample
from scipy.signal.windows import hann

WINDOW_SEC = 0.032
OVERLAP = 4  # windows over each sample
Stretch = Callable[[np.ndarray, int, float], np.ndarray]
SEMITONES = (0.5, 1.5)  # up or down; more, and it is another speaker's voice


def stretch(samples: np.ndarray, sample_frequency: int, factor: float) -> np.ndarray:
    """Change the duration of sound and keep its pitch.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        factor: new duration over old.

    Returns:
        (L',) float64, L' = factor * L, rounded.
    """
    hop = round(WINDOW_SEC * sample_frequency / OVERLAP)
    size = OVERLAP * hop
    window = hann(size, sym=False)
    num_samples = round(factor * len(samples))
    num_frames = num_samples // hop + 2  # of the output, the first around sample 0
    at = np.arange(num_frames) * hop / factor  # where they are in the input
    padded = np.pad(np.asarray(samples, np.float64), (size, 2 * size))
    starts = np.rint(at).astype(int) + size // 2
    now, before = (
        fft.rfft(padded[(starts + shift)[:, None] + np.arange(size)] * window)
        for shift in (0, -hop)
    )
    # From frame to frame of the output, phases advance as over a hop of the input.
    advance = np.angle(now) - np.angle(before)
    advance[0] = np.angle(now[0])
    phases = np.cumsum(advance, axis=0)
    frames = fft.irfft(np.abs(now) * np.exp(1j * phases), size) * window
    made = np.zeros((num_frames + OVERLAP) * hop)
    for part in range(OVERLAP):  # frames of each part lie side by side
        chosen = frames[part::OVERLAP].reshape(-1)
        made[part * hop : part * hop + len(chosen)] += chosen
    made *= 1 / (window**2).reshape(OVERLAP, hop).sum(axis=0).mean()
    return made[size // 2 : size // 2 + num_samples]


def shift_pitch(
    samples: np.ndarray,
    sample_frequency: int,
    rng: np.random.Generator,
    stretch: Stretch = stretch,
) -> np.ndarray:
    """Raise or lower speech, formants included, by about a semitone.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws by how much.
        stretch: changes the duration before resampling takes it back.

    Returns:
        (L,) float32.
    """
    semitones = rng.choice([-1, 1]) * rng.uniform(*SEMITONES)
    stretched = stretch(samples, sample_frequency, 2 ** (semitones / 12))
    return resample(stretched, len(samples)).astype(np.float32)
