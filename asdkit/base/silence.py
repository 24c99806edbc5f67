"""Frames of 10 ms of a recording, and which of them are not silent."""

from __future__ import annotations

import numpy as np

FRAME_SEC = 0.01
SILENCE_DB = -40.0  # below the loudest frame


def loud_frames(
    samples: np.ndarray, sampling_rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a recording into frames, and find those that are not silent.

    A frame is silent if its energy is 40 dB below that of the loudest one.  Samples
    that do not fill a frame at the end are left out; a recording shorter than 10 ms is
    one frame.

    Args:
        samples: (L,) float64, at least one.
        sampling_rate: in Hz.

    Returns:
        (T, size) the frames; (T,) their energies, sums of squares; (n,) int, the
        indices of those that are not silent, rising, at least one.
    """
    size = max(1, min(len(samples), round(FRAME_SEC * sampling_rate)))
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    energy = np.einsum("tl,tl->t", frames, frames)
    loud = np.flatnonzero(energy >= energy.max() * 10 ** (SILENCE_DB / 10))
    return frames, energy, loud
