"""The last steps of a recording, the same for bona fide and spoofed speech.

What a vocoder leaves in a file that is not speech (an offset, a length that is a
multiple of its hop, a pause of zeros, a level) is what the steps below set anew, from
laws that do not know the class.  They cannot hide how the speech itself was made, nor
how long it is.
"""

from __future__ import annotations

import numpy as np

CUTOFF_HZ = 80.0  # the lowest voices begin here
ORDER = 16  # 60 Hz falls by 40 dB
FRAME_SEC = 0.01
SILENCE_DB = -40.0  # below the loudest frame
SILENCE_SEC = (0.1, 0.3)  # at either end
LEVEL_DB = (-32.0, -24.0)  # of all samples, relative to full scale
FLOOR_DB = (-40.0, -30.0)  # relative to that level
MAX_PEAK = 0.95
QUIETEST = 0.05  # share of the frames whose spectrum is that of the recording's floor
STEP = 1 / 32768


def equalize(
    samples: np.ndarray, sampling_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Pass a recording through a chain that leaves its class no trace of the file's.

    A high-pass of 80 Hz without delay; silences of 0.1 to 0.3 s at both ends, cut from
    what is there or made of noise with the spectrum of its quietest frames; a level of
    -32 to -24 dB; white noise 30 to 40 dB below it; triangular dither of a 16-bit step.
    Writing as 16-bit samples is left to the caller.

    Args:
        samples: (L,) float in [-1, 1).
        sampling_rate: in Hz.
        rng: draws lengths, level and noise.

    Returns:
        (L',) float32.

    Source: the high-pass has the magnitude of a Butterworth filter of order 16; dither
    as in S. Lipshitz, R. Wannamaker and J. Vanderkooy, "Quantization and dither: a
    theoretical survey", Journal of the Audio Engineering Society 40, 1992.
    """
    x = _high_pass(np.asarray(samples, np.float64), sampling_rate)
    x = _with_silences(x, sampling_rate, rng)
    # All draws are made in every case: none depends on what the recording holds.
    level, floor = (10 ** (rng.uniform(*law) / 20) for law in (LEVEL_DB, FLOOR_DB))
    peak, rms = float(np.abs(x).max()), float(np.sqrt(np.mean(x * x)))
    if rms > STEP:
        x = x * min(level / rms, MAX_PEAK / peak)
    x = x + level * floor * rng.standard_normal(len(x))
    dither = STEP * (rng.random(len(x)) - rng.random(len(x)))
    return (x + dither).astype(np.float32)


def _high_pass(x: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Filter (L,) samples by magnitude only: (L,)."""
    # Mirrored at the ends, where an offset would otherwise begin and end in a step.
    margin = round(10 * sampling_rate / CUTOFF_HZ)
    mirrored = np.pad(x - x.mean(), margin, mode="symmetric")
    size = 1 << (len(mirrored) - 1).bit_length()
    ratio = (np.fft.rfftfreq(size, 1 / sampling_rate) / CUTOFF_HZ) ** ORDER
    gain = ratio / np.sqrt(1 + ratio * ratio)
    filtered = np.fft.irfft(np.fft.rfft(mirrored, size) * gain, size)
    return filtered[margin : margin + len(x)]


def _with_silences(
    x: np.ndarray, sampling_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Give (L,) samples new silences at both ends: (L',)."""
    size = max(1, min(len(x), round(FRAME_SEC * sampling_rate)))
    frames = x[: len(x) // size * size].reshape(-1, size)
    power = np.einsum("tl,tl->t", frames, frames)
    loud = np.flatnonzero(power >= power.max() * 10 ** (SILENCE_DB / 10))
    low, high = (round(sec * sampling_rate) for sec in SILENCE_SEC)
    before, after = rng.integers(low, high, size=2, endpoint=True).tolist()
    first, last = int(loud[0]) * size, min(len(x), (int(loud[-1]) + 1) * size)
    missing = max(0, before - first), max(0, after - (len(x) - last))
    kept = x[max(0, first - before) : last + after]
    floor = _floor_noise(frames, power, sum(missing), rng)
    return np.concatenate([floor[: missing[0]], kept, floor[missing[0] :]])


def _floor_noise(
    frames: np.ndarray, power: np.ndarray, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Make noise like the quietest of (T, size) frames: (length,)."""
    num = max(1, round(QUIETEST * len(frames)))
    quietest = frames[np.argpartition(power, num - 1)[:num]]
    size = frames.shape[1]
    density = np.mean(np.abs(np.fft.rfft(quietest, axis=1)) ** 2, axis=0) / size
    white = np.fft.rfft(rng.standard_normal(max(length, 2)))
    at = np.linspace(0, 1, len(white))
    gain = np.sqrt(np.interp(at, np.linspace(0, 1, len(density)), density))
    return np.fft.irfft(white * gain, max(length, 2))[:length]
