"""The source-filter model of speech: glottal pulses through a moving vocal tract.

Every function is vectorized over samples, pulses or frames, so that a second of
speech takes milliseconds.  The vocal tract is a cascade of resonances and
antiresonances per frame; the filters of neighboring frames cross-fade.

Source: G. Fant, "Acoustic theory of speech production", 1960; D. Klatt, "Software
for a cascade/parallel formant synthesizer", JASA 67, 1980.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

SINC_HALF_WIDTH = 8  # samples; the pulses' images then lie below -50 dB
ASYMMETRY = 2 / 3  # of the open phase, the flow rises for two thirds


def pulse_train(
    times: np.ndarray, amplitudes: np.ndarray, num_samples: int
) -> np.ndarray:
    """Place band-limited impulses between the samples.

    Args:
        times: (P,) times in samples; pulses outside are cut off.
        amplitudes: (P,) amplitudes.
        num_samples: L.

    Returns:
        (L,) float32.
    """
    offsets = np.arange(1 - SINC_HALF_WIDTH, SINC_HALF_WIDTH + 1)
    first = np.floor(times).astype(np.int64)
    distance = offsets - (times - first)[:, None]  # (P, 16)
    window = np.cos(np.pi * distance / (2 * SINC_HALF_WIDTH)) ** 2
    values = amplitudes[:, None] * np.sinc(distance) * window
    places = first[:, None] + offsets
    inside = (places >= 0) & (places < num_samples)
    return np.bincount(places[inside], values[inside], num_samples).astype(np.float32)


def glottal_spectrum(
    frequencies: np.ndarray, f0: float, open_quotient: float, tilt_db: float
) -> np.ndarray:
    """Compute the spectrum of one pulse of the derivative of the glottal flow.

    The open phase is an anticausal resonance, the glottal formant, that ends when
    the glottis closes; how softly it closes is a causal low-pass filter.

    Args:
        frequencies: (F,) in Hz.
        f0: fundamental frequency in Hz.
        open_quotient: part of the period in which the glottis is open, in (0, 1].
        tilt_db: attenuation at 3 kHz by the soft closure.

    Returns:
        (F,) complex, of magnitude about 1 at the glottal formant.

    Source: B. Doval, C. d'Alessandro and N. Henrich, "The voice source as a
    causal/anticausal linear filter", VOQUAL 2003.
    """
    rate = f0 / open_quotient  # 1 / duration of the open phase
    damping = -np.pi * rate / np.tan(np.pi * ASYMMETRY)
    s = -2j * np.pi * frequencies  # minus: time runs backwards
    resonance = (s + damping) ** 2 + (np.pi * rate) ** 2
    cutoff = 3000.0 / np.sqrt(10 ** (max(tilt_db, 0.1) / 10) - 1)
    return 2 * damping * s / resonance / (1 + 1j * frequencies / cutoff)


def section(
    center: np.ndarray, bandwidth: np.ndarray, sample_frequency: float
) -> np.ndarray:
    """(T,) and (T,) in Hz -> (T, 3) polynomials in 1/z, 1 at zero frequency.

    One over such a polynomial is a resonance, the polynomial itself an
    antiresonance.  Beyond the Nyquist frequency both do nothing.
    """
    radius = np.exp(-np.pi * bandwidth / sample_frequency)
    radius = np.where(center < sample_frequency / 2, radius, 0.0)
    angle = 2 * np.pi * center / sample_frequency
    poly = np.stack(
        [np.ones_like(radius), -2 * radius * np.cos(angle), radius**2], axis=-1
    )
    return poly / poly.sum(axis=-1, keepdims=True)


def cascade(sections: np.ndarray, num_bins: int) -> np.ndarray:
    """Compute the frequency response of sections one after the other.

    Args:
        sections: (T, N, 3) polynomials in 1/z.
        num_bins: F, from zero to the Nyquist frequency.

    Returns:
        (T, F) complex.
    """
    product = np.ones((len(sections), 1))
    for factor in np.moveaxis(sections, 1, 0):  # (T, 3)
        longer = np.zeros((len(product), product.shape[1] + 2))
        for delay in range(3):
            end = delay + product.shape[1]
            longer[:, delay:end] += factor[:, delay : delay + 1] * product
        product = longer
    return fft.rfft(product, n=2 * (num_bins - 1))


def analyze(samples: np.ndarray, hop: int) -> np.ndarray:
    """Cut samples into cross-fading pieces and give each one's spectrum.

    Args:
        samples: (L,).
        hop: samples from piece to piece; a piece is two hops long, with room in its
            spectrum for a response of six more.

    Returns:
        (T, F) complex, T = ceil(L / hop) + 1, piece t around sample t * hop,
        F = 4 * hop + 1.
    """
    num_frames = -(-len(samples) // hop) + 1
    padded = np.zeros((num_frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + len(samples)] = samples
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop]  # (T, 2h)
    fade = np.sin(np.pi * np.arange(2 * hop, dtype=np.float32) / (2 * hop)) ** 2
    return fft.rfft(pieces * fade, n=8 * hop)


def synthesize(spectra: np.ndarray, hop: int, num_samples: int) -> np.ndarray:
    """Add up the pieces of `analyze`, filtered or not: (T, F) -> (L,) float32."""
    num_frames = len(spectra)
    blocks = fft.irfft(spectra, n=8 * hop).reshape(num_frames, 8, hop)
    added = np.zeros((num_frames + 7, hop), dtype=np.float32)
    for i in range(8):
        added[i : i + num_frames] += blocks[:, i]
    return added.ravel()[hop : hop + num_samples]


def band(frequencies: np.ndarray, center: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Resonate twice in a row: (F,), (T,), (T,) in Hz -> (T, F), 1 at the center."""
    slope = 1j * (frequencies * width[:, None]).astype(np.float32)
    resonance = slope / ((center[:, None] ** 2 - frequencies**2) + slope)
    return (resonance * resonance).astype(np.complex64)
