"""Single numbers of a recording: length, level, silence, bands, quantization.

None of them is about speech.  Where one of them alone separates spoofed from bona fide
recordings, the corpus tells its classes apart by how its files were made.
"""

from __future__ import annotations

import numpy as np

from asdkit.base.silence import loud_frames

FULL_SCALE = 32768  # of 16-bit samples
FLOOR_PERCENTILE = 5  # of the frames' levels
FLAT = 1.5  # 16-bit steps below the peak within which a sample counts as clipped
LOWEST = 1e-12  # power and share that stand for none: -120 dB
BANDS = {  # Hz; the last one ends at half the sampling rate
    "energy below 20 Hz": (0.0, 20.0),
    "energy 20 to 60 Hz": (20.0, 60.0),
    "energy 60 to 80 Hz": (60.0, 80.0),
    "energy above 7.5 kHz": (7500.0, np.inf),
}
MODULI = (64, 80, 128, 160, 256, 512, 1024)  # hops and blocks of vocoders and codecs
# Numbers without an order: a value says as much as any other, e.g. a remainder.
DISCRETE = ("sampling rate", *(f"length modulo {modulus}" for modulus in MODULI))


def measure(samples: np.ndarray, sampling_rate: int) -> dict[str, float]:
    """Measure a recording by numbers that have nothing to do with speech.

    Levels are in dB relative to full scale, energies of bands in dB relative to the
    whole, silences in seconds, lengths and runs in samples, shares without unit.
    Silence is that of `loud_frames`; the noise floor is the 5th percentile of the
    frames' levels.  Bits and steps are those of 16-bit samples, to which all are
    rounded first.

    Args:
        samples: (L,) float in [-1, 1), at least one.
        sampling_rate: in Hz.

    Returns:
        name -> number; NaN for a band above half the sampling rate.
    """
    x = np.asarray(samples, np.float64)
    peak, power = float(np.abs(x).max()), float(np.mean(x * x))
    mean = float(x.mean())
    found = {
        "mean": mean,
        "absolute mean": abs(mean),
        "length": float(len(x)),
        "sampling rate": float(sampling_rate),
        "peak": peak,
        "RMS": _decibels(power),
        "crest factor": _decibels(peak * peak) - _decibels(power),
    }
    found |= {f"length modulo {modulus}": len(x) % modulus for modulus in MODULI}
    return found | _silences(x, sampling_rate) | _steps(x) | _bands(x, sampling_rate)


def _silences(x: np.ndarray, sampling_rate: int) -> dict[str, float]:
    """Measure how quiet (L,) samples become, and for how long at both ends."""
    frames, energy, loud = loud_frames(x, sampling_rate)
    size = frames.shape[1]
    levels = 10 * np.log10(np.maximum(energy / size, LOWEST))  # (T,)
    frame_sec = size / sampling_rate
    return {
        "quietest frame": float(levels.min()),
        "noise floor": float(np.percentile(levels, FLOOR_PERCENTILE)),
        "leading silence": loud[0] * frame_sec,
        "trailing silence": (len(levels) - 1 - loud[-1]) * frame_sec,
    }


def _steps(x: np.ndarray) -> dict[str, float]:
    """Measure how (L,) samples use the values that 16 bits can have."""
    steps = np.clip(np.rint(x * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(int)
    used = np.bincount(steps + FULL_SCALE, minlength=2 * FULL_SCALE)
    is_zero = steps == 0
    # A run lies between two samples that are not zero, or the ends.
    others = np.flatnonzero(np.r_[True, ~is_zero, True])
    size = np.abs(steps)
    at_peak = size > size.max() - FLAT
    flat = at_peak[1:] & at_peak[:-1]
    return {
        "share of zeros": float(is_zero.mean()),
        "longest run of zeros": float(np.diff(others).max() - 1),
        "share of odd samples": float((steps & 1).mean()),
        "distinct values": float(np.count_nonzero(used)),
        # Two neighbors at the peak: a peak of one sample is in every recording.
        "clipped share": np.count_nonzero(flat) / len(x) if size.max() else 0.0,
    }


def _bands(x: np.ndarray, sampling_rate: int) -> dict[str, float]:
    """Measure the energy of (L,) samples in `BANDS`, relative to that of all."""
    # Without a window, the jump from the last sample to the first would fill all bands.
    windowed = x * np.hanning(len(x) + 2)[1:-1]
    size = 1 << (len(x) - 1).bit_length()
    spectrum = np.fft.rfft(windowed, size)
    energy = np.cumsum(np.r_[0.0, spectrum.real**2 + spectrum.imag**2])
    found = {}
    for name, (low, high) in BANDS.items():
        first = int(np.ceil(low * size / sampling_rate))
        last = min(len(spectrum), np.ceil(high * size / sampling_rate))
        share = energy[int(last)] - energy[min(first, int(last))]
        total = max(energy[-1], LOWEST)
        is_there = 2 * low < sampling_rate
        found[name] = _decibels(share / total) if is_there else np.nan
    return found


def _decibels(power: float) -> float:
    """Ten times the logarithm, with a floor."""
    return float(10 * np.log10(max(power, LOWEST)))
