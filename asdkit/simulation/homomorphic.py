"""A homomorphic vocoder: a cepstral envelope, driven by pulses or noise.

Source: A. Oppenheim, "Speech analysis-synthesis system based on homomorphic filtering",
JASA 45, 1969.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.signal.windows import hann

from asdkit.simulation.lpc import HOP_SEC, WINDOW_SEC, excite
from asdkit.simulation.pitch import MIN_F0, cut_frames, track_pitch
from asdkit.simulation.sessions import band_gain
from asdkit.simulation.source_filter import analyze, synthesize

LIFTER_SEC = 0.0018  # quefrencies beyond are the pitch's
FLOOR = 1e-4  # of the largest magnitude, which keeps silence finite


def cepstral_envelope(samples: np.ndarray, sample_frequency: int) -> np.ndarray:
    """Smooth every frame's spectrum, with the minimum phase that belongs to it.

    White noise of variance 1 that it filters is as loud as the frame.

    Args:
        samples: (L,).
        sample_frequency: in Hz.

    Returns:
        (T, F) complex, frames and bins as of `asdkit.simulation.source_filter.analyze`.
    """
    hop = round(HOP_SEC * sample_frequency)
    size = round(WINDOW_SEC * sample_frequency)
    window = hann(size, sym=False)
    magnitude = np.abs(fft.rfft(cut_frames(samples, hop, size) * window, 8 * hop))
    floor = FLOOR * float(magnitude.max(initial=0)) + 1e-9
    cepstrum = fft.irfft(np.log(np.maximum(magnitude, floor)))
    lifter = np.zeros(cepstrum.shape[1])
    lifter[0] = 1
    lifter[1 : round(LIFTER_SEC * sample_frequency)] = 2  # causal: minimum phase
    envelope = np.exp(fft.rfft(cepstrum * lifter))
    # The mean of logarithms lies far below harmonics; each frame keeps its power.
    power = np.mean(magnitude**2, axis=1) / np.sum(window**2)
    gain = np.sqrt(power / np.mean(np.abs(envelope) ** 2, axis=1))
    return gain[:, None] * envelope


def cepstral_vocode(
    samples: np.ndarray, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Separate envelope and pitch in the cepstrum and resynthesize speech from both.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws the excitation.

    Returns:
        (L,) float32, as long and in the same voice.
    """
    hop = round(HOP_SEC * sample_frequency)
    f0 = track_pitch(samples, sample_frequency, hop)
    response = cepstral_envelope(samples, sample_frequency)
    spectra = analyze(excite(f0, len(samples), hop, sample_frequency, rng), hop)
    frequencies = np.linspace(0, sample_frequency / 2, spectra.shape[1])
    response *= band_gain(MIN_F0, sample_frequency, frequencies)
    return synthesize(spectra * response.astype(np.complex64), hop, len(samples))
