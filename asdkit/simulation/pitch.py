"""Pitch tracking: fundamental frequency and voicing every few milliseconds.

Source: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993, whose costs
and thresholds these are.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.signal.windows import hann

MIN_F0 = 60.0
MAX_F0 = 450.0
NUM_CANDIDATES = 5  # of pitch in a frame, besides that there is none
VOICING_THRESHOLD = 0.45
SILENCE_THRESHOLD = 0.03
OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35
VOICING_COST = 0.14  # of a change between voiced and unvoiced


def cut_frames(samples: np.ndarray, hop: int, size: int) -> np.ndarray:
    """Cut frames as `asdkit.simulation.source_filter.analyze` does, of any length.

    Args:
        samples: (L,).
        hop: samples from frame to frame.
        size: samples in a frame.

    Returns:
        (T, size) views, T = ceil(L / hop) + 1, frame t around sample t * hop; zero
        where there is no sample.
    """
    num_frames = -(-len(samples) // hop) + 1
    padded = np.zeros((num_frames - 1) * hop + size, dtype=samples.dtype)
    start = size // 2
    padded[start : start + len(samples)] = samples[: len(padded) - start]
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def track_pitch(samples: np.ndarray, sample_frequency: int, hop: int) -> np.ndarray:
    """Follow the fundamental frequency.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        hop: samples from frame to frame.

    Returns:
        (T,) Hz, 0 where there is no voice; T = ceil(L / hop) + 1, frame t around
        sample t * hop.
    """
    size = round(3 * sample_frequency / MIN_F0)  # three periods of the deepest voice
    frames = cut_frames(samples - samples.mean(), hop, size)
    peak = np.abs(frames).max(axis=1)  # (T,)
    loudness = peak / max(float(peak.max(initial=0)), 1e-9)
    f0, strength = _find_candidates(_autocorrelate(frames), sample_frequency)
    # The unvoiced candidate is the stronger, the quieter it is.
    quiet = 2 - loudness / (SILENCE_THRESHOLD / (1 + VOICING_THRESHOLD))
    unvoiced = VOICING_THRESHOLD + np.maximum(quiet, 0)
    f0 = np.column_stack([np.zeros(len(f0)), f0])  # (T, C)
    strength = np.column_stack([unvoiced, strength])
    return _best_path(f0, strength, 0.01 * sample_frequency / hop)


def _autocorrelate(frames: np.ndarray) -> np.ndarray:
    """(T, size) -> (T, lags) estimates of the signal's autocorrelation, 1 at lag 0."""
    size = frames.shape[1]
    window = hann(size, sym=False).astype(frames.dtype)
    length = fft.next_fast_len(2 * size, real=True)

    def correlate(x: np.ndarray) -> np.ndarray:
        spectrum = fft.rfft(x, length)
        return fft.irfft(spectrum.real**2 + spectrum.imag**2, length)

    frames = frames - frames.mean(axis=1, keepdims=True)
    r, r_window = correlate(frames * window), correlate(window)
    longest = size // 2  # beyond, the window leaves next to nothing
    energy = np.maximum(r[:, :1], 1e-12)
    return r[:, :longest] / energy / (r_window[:longest] / r_window[0])  # (9)


def _find_candidates(
    r: np.ndarray, sample_frequency: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the highest peaks: (T, lags) -> f0 in Hz and strength, (T, C) each.

    What is no peak has strength -inf.
    """
    first = int(sample_frequency / MAX_F0)
    last = min(int(sample_frequency / MIN_F0), r.shape[1] - 2)
    before, here, after = (r[:, first + i : last + i] for i in (-1, 0, 1))
    is_peak = (here > before) & (here >= after) & (here > 0.5 * VOICING_THRESHOLD)
    # The vertex of the parabola through three points.
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / np.where(is_peak, bend, -1)
    lags = np.arange(first, last) + shift
    height = here - 0.25 * (before - after) * shift
    strength = height - OCTAVE_COST * np.log2(MIN_F0 * lags / sample_frequency)  # (24)
    strength = np.where(is_peak, strength, -np.inf)
    best = np.argpartition(-strength, NUM_CANDIDATES, axis=1)[:, :NUM_CANDIDATES]
    return (
        sample_frequency / np.take_along_axis(lags, best, axis=1),
        np.take_along_axis(strength, best, axis=1),
    )


def _best_path(f0: np.ndarray, strength: np.ndarray, scale: float) -> np.ndarray:
    """Choose one candidate per frame by dynamic programming: (T, C) twice -> (T,).

    Args:
        f0: in Hz, 0 for the unvoiced candidate.
        strength: weight of a candidate in the path.
        scale: factor of the costs of jumps, 1 for 10 ms per frame.
    """
    voiced = f0 > 0
    octaves = np.log2(np.where(voiced, f0, 1.0))
    # (T - 1, C, C) cost from candidate i of a frame to candidate j of the next
    both = voiced[:-1, :, None] & voiced[1:, None, :]
    change = voiced[:-1, :, None] != voiced[1:, None, :]
    jump = np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    costs = scale * (VOICING_COST * change + OCTAVE_JUMP_COST * both * jump)
    score = strength[0]
    came_from = np.zeros(f0.shape, dtype=np.int64)
    everyone = np.arange(f0.shape[1])
    for t, cost in enumerate(costs, start=1):
        totals = score[:, None] - cost
        came_from[t] = totals.argmax(axis=0)
        score = totals[came_from[t], everyone] + strength[t]
    path = np.zeros(len(f0), dtype=np.int64)
    path[-1] = score.argmax()
    for t in range(len(f0) - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return f0[np.arange(len(f0)), path]
