"""RawBoost: simulated distortions of a telephone line, without recordings.

Source: H. Tak, M. Kamble, J. Patino, M. Todisco and N. Evans, "RawBoost: a raw data
boosting and augmentation method applied to automatic speaker verification
anti-spoofing", ICASSP 2022; ranges and combinations are those of the code that the
authors published, which differ from the paper where the paper names none.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.signal import firwin

# Steps of each algorithm, one after the other; those of the eighth run side by side.
ALGORITHMS: dict[int, tuple[str, ...]] = {
    1: ("convolutive",),
    2: ("impulsive",),
    3: ("stationary",),
    4: ("convolutive", "impulsive", "stationary"),
    5: ("convolutive", "impulsive"),
    6: ("convolutive", "stationary"),
    7: ("impulsive", "stationary"),
    8: ("convolutive", "impulsive"),
}
PARALLEL = 8

NUM_POWERS = 5  # of the signal, in the nonlinear part
NUM_NOTCHES = 5
CENTER_HZ = (20.0, 8000.0)
WIDTH_HZ = (100.0, 1000.0)
NUM_TAPS = (10, 100)  # of one notch
# Powers of the signal are this much weaker than the signal itself, least and most.
POWER_DB = (5.0, 20.0)
IMPULSIVE_SHARE = 0.10  # of the samples, at most
IMPULSIVE_GAIN = 2.0
SNR_DB = (10.0, 40.0)


class RawBoost:
    """Distort speech as channels do, differently each time.

    Args:
        algorithm: 1 convolutive noise, 2 impulsive noise, 3 stationary noise; 4 all
            of them, 5 the first two, 6 the first and the third, 7 the last two, each
            one after the other; 8 the first two side by side.
        sample_frequency: in Hz.
    """

    def __init__(self, algorithm: int = 5, sample_frequency: int = 16000) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"expected an algorithm from 1 to 8, got {algorithm}")
        self.algorithm = algorithm
        self.sample_frequency = sample_frequency

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(L,) in [-1, 1] -> (L,) float32; silence stays silence."""
        steps = [getattr(self, f"add_{name}") for name in ALGORITHMS[self.algorithm]]
        if self.algorithm == PARALLEL:
            return limit_peak(np.sum([step(samples, rng) for step in steps], axis=0))
        for step in steps:
            samples = step(samples, rng)
        return samples

    def add_convolutive(
        self, samples: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Add filtered powers of the signal, a Hammerstein system: (L,) -> (L,)."""
        filters = [
            self.draw_filter(rng, (0.0, 0.0) if power == 0 else POWER_DB)
            for power in range(NUM_POWERS)
        ]
        size = fft.next_fast_len(len(samples) + max(map(len, filters)), real=True)
        total = np.zeros(size // 2 + 1, dtype=np.complex128)
        power = np.ones(len(samples))
        for taps in filters:
            power *= samples
            # A symmetric filter is centered on zero, so that nothing is late.
            centered = np.roll(np.pad(taps, (0, size - len(taps))), -(len(taps) // 2))
            total += fft.rfft(power, size) * fft.rfft(centered)
        changed = fft.irfft(total, size)[: len(samples)]
        return limit_peak(changed - changed.mean())

    def add_impulsive(
        self, samples: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Disturb some samples in proportion to what they are: (L,) -> (L,)."""
        share = rng.uniform(0, IMPULSIVE_SHARE)
        hit = rng.permutation(len(samples))[: int(share * len(samples))]
        changed = samples.copy()
        noise = rng.uniform(-1, 1, len(hit)) * rng.uniform(-1, 1, len(hit))
        changed[hit] *= (1 + IMPULSIVE_GAIN * noise).astype(np.float32)
        return limit_peak(changed)

    def add_stationary(
        self, samples: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Add colored noise at a random signal-to-noise ratio: (L,) -> (L,)."""
        taps = self.draw_filter(rng, (0.0, 0.0))
        snr_db = rng.uniform(*SNR_DB)
        white = rng.standard_normal(len(samples) + len(taps) - 1)
        size = fft.next_fast_len(len(white), real=True)
        noise = fft.irfft(fft.rfft(white, size) * fft.rfft(taps, size), size)
        noise = noise[len(taps) - 1 :][: len(samples)]
        gain = 10 ** (-snr_db / 20) * np.linalg.norm(samples) / np.linalg.norm(noise)
        return (samples + gain * noise).astype(np.float32)

    def draw_filter(
        self, rng: np.random.Generator, weaker_db: tuple[float, float]
    ) -> np.ndarray:
        """Draw a filter with several notches: an odd number of symmetric taps.

        Args:
            rng: random generator of their places and widths.
            weaker_db: range by which its largest gain may be below 1.

        Returns:
            (K,) the taps.
        """
        nyquist = self.sample_frequency / 2
        taps = np.ones(1)
        for _ in range(NUM_NOTCHES):
            center = rng.uniform(CENTER_HZ[0], min(CENTER_HZ[1], nyquist))
            width = rng.uniform(*WIDTH_HZ)
            num_taps = int(rng.uniform(*NUM_TAPS)) | 1
            low = max(center - width / 2, 1e-3)
            high = min(center + width / 2, nyquist - 1e-3)
            notch = firwin(num_taps, [low, high], fs=self.sample_frequency)
            taps = np.convolve(taps, notch)
        gain = 10 ** (-rng.uniform(*weaker_db) / 20)
        return taps * (gain / np.abs(fft.rfft(taps, 1024)).max())


def limit_peak(samples: np.ndarray) -> np.ndarray:
    """Scale to a peak of 1 if it is higher: (L,) -> (L,) float32."""
    peak = max(1.0, float(np.abs(samples).max(initial=0)))
    return (samples / peak).astype(np.float32)
