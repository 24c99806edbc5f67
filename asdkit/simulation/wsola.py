"""Overlapping pieces of the waveform: another tempo at the same pitch.

Source: W. Verhelst and M. Roelands, "An overlap-add technique based on waveform
similarity (WSOLA) for high quality time-scale modification of speech", ICASSP 1993.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import correlate
from scipy.signal.windows import hann

HOP_SEC = 0.012  # half a piece
SEARCH_SEC = 0.008  # either way, for the piece that continues best


def stretch(samples: np.ndarray, sample_frequency: int, factor: float) -> np.ndarray:
    """Change the duration of sound and keep its pitch.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        factor: new duration over old.

    Returns:
        (L',) float64, L' = factor * L, rounded.
    """
    hop = round(HOP_SEC * sample_frequency)
    search = round(SEARCH_SEC * sample_frequency)
    window = hann(2 * hop, sym=False)
    num_samples = round(factor * len(samples))
    num_pieces = num_samples // hop + 2
    margin = hop + search
    padded = np.pad(np.asarray(samples, np.float64), (margin, margin + 3 * hop))
    made = np.zeros((num_pieces + 1) * hop)
    place = 0  # of the piece in the padded input
    for piece in range(num_pieces):  # each continues the one before
        wanted = min(round(piece * hop / factor), len(samples)) + search
        if piece:
            natural = padded[place + hop : place + 3 * hop]
            around = padded[wanted - search : wanted + search + 2 * hop]
            likeness = correlate(around, natural, "valid")
            energy = np.cumsum(np.pad(around**2, (1, 0)))
            likeness /= np.sqrt(
                np.maximum(energy[2 * hop :] - energy[: -2 * hop], 1e-9)
            )
            wanted += int(np.argmax(likeness)) - search
        place = min(wanted, len(padded) - 3 * hop)
        made[piece * hop : (piece + 2) * hop] += (
            window * padded[place : place + 2 * hop]
        )
    return made[hop : hop + num_samples]
