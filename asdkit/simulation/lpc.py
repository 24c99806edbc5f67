"""An LPC vocoder: an all-pole envelope, driven by pulses or noise.

Source: J. Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63, 1975;
pulses or noise: B. Atal and S. Hanauer, "Speech analysis and synthesis by linear
prediction of the speech wave", JASA 50, 1971.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.signal import lfilter
from scipy.signal.windows import hann

from asdkit.simulation.pitch import MIN_F0, cut_frames, track_pitch
from asdkit.simulation.sessions import band_gain
from asdkit.simulation.source_filter import analyze, pulse_train, synthesize

HOP_SEC = 0.008
WINDOW_SEC = 0.03
PREEMPHASIS = 0.97
LAG_WINDOW_HZ = 40.0  # widens resonances that would ring forever
NOISE_FLOOR = 1e-5  # white noise of -50 dB, which keeps silence solvable


def levinson(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predict each frame's next sample from its last P, at the least square error.

    Args:
        r: (T, P + 1) autocorrelation from lag 0, positive definite.

    Returns:
        (T, P + 1) coefficients a of the filter that leaves the error, a[:, 0] = 1,
        and (T,) the energy of that error, in the unit of r.

    Source: Makhoul 1975, (38): Durbin's recursion.
    """
    num_frames, order = r.shape[0], r.shape[1] - 1
    a = np.zeros((num_frames, order + 1))
    a[:, 0] = 1
    error = r[:, 0].copy()
    for i in range(1, order + 1):
        k = -np.sum(a[:, :i] * r[:, i:0:-1], axis=1) / error  # (38b)
        a[:, 1 : i + 1] += k[:, None] * a[:, i - 1 :: -1][:, :i]  # (38c, 38d)
        error *= 1 - k**2  # (38e)
    return a, error


def analyze_lpc(
    samples: np.ndarray, sample_frequency: int, hop: int, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit an all-pole filter to every frame.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        hop: samples from frame to frame; frame t is around sample t * hop.
        order: P.

    Returns:
        (T, P + 1) coefficients as of `levinson`, and (T,) the level of the error:
        white noise of this standard deviation, filtered by 1 / a, sounds like it.
    """
    size = round(WINDOW_SEC * sample_frequency)
    window = hann(size, sym=False)
    frames = cut_frames(samples, hop, size) * window
    spectrum = fft.rfft(frames, fft.next_fast_len(size + order, real=True))
    r = fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, : order + 1]
    lags = np.arange(order + 1)
    r *= np.exp(-0.5 * (2 * np.pi * LAG_WINDOW_HZ / sample_frequency * lags) ** 2)
    r[:, 0] = r[:, 0] * (1 + NOISE_FLOOR) + 1e-9
    a, error = levinson(r)
    return a, np.sqrt(error / np.sum(window**2))


def excite(
    f0: np.ndarray,
    num_samples: int,
    hop: int,
    sample_frequency: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make pulses where there is a pitch and white noise elsewhere.

    Args:
        f0: (T,) Hz, 0 where there is no voice.
        num_samples: L.
        hop: samples from frame to frame.
        sample_frequency: in Hz.
        rng: draws the noise and the phase of the first pulse.

    Returns:
        (L,) float32 of variance 1.
    """
    noise = rng.standard_normal(num_samples, np.float32)
    voiced = f0 > 0
    if not voiced.any():
        return noise
    places = np.arange(len(f0)) * hop
    now = np.arange(num_samples)
    pitch = np.interp(now, places[voiced], f0[voiced])  # held where there is none
    share = np.interp(now, places, voiced)  # 1 where voiced, a slope of one hop
    phase = rng.random() + np.cumsum(pitch) / sample_frequency  # in periods
    times = np.interp(np.arange(1, phase[-1]), phase, now)
    strength = np.sqrt(sample_frequency / np.interp(times, now, pitch))
    pulses = pulse_train(times, strength, num_samples)
    mixed = np.sqrt(share) * pulses + np.sqrt(1 - share) * noise
    return mixed.astype(np.float32)


def lpc_vocode(
    samples: np.ndarray, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Analyze speech by linear prediction and resynthesize it.

    Two poles for every kHz and four for glottis and lips, as is usual.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws the excitation.

    Returns:
        (L,) float32: as long, as loud and in the same voice, but buzzing.
    """
    hop = round(HOP_SEC * sample_frequency)
    order = round(sample_frequency / 1000) + 4
    flat = lfilter([1, -PREEMPHASIS], [1], samples)
    a, level = analyze_lpc(flat, sample_frequency, hop, order)
    f0 = track_pitch(samples, sample_frequency, hop)
    spectra = analyze(excite(f0, len(samples), hop, sample_frequency, rng), hop)
    response = level[:, None] / fft.rfft(a, n=2 * (spectra.shape[1] - 1))  # (T, F)
    # Below the voice the poles say nothing, and pulses have more than speech has.
    frequencies = np.linspace(0, sample_frequency / 2, spectra.shape[1])
    response *= band_gain(MIN_F0, sample_frequency, frequencies)
    spoken = synthesize(spectra * response.astype(np.complex64), hop, len(samples))
    return lfilter([1], [1, -PREEMPHASIS], spoken).astype(np.float32)
