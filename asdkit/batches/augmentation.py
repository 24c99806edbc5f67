"""Augment training chunks so that networks ignore irrelevant variation.

Every choice is made by the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from scipy import fft

from asdkit.simulation.channels import CHANNELS

# What changes a chunk of samples, (L,) -> (L,) float32.
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
# Codecs that need nothing beside what asdkit requires: the same choice everywhere.
CODECS = [name for name, channel in CHANNELS.items() if not channel.needs_ffmpeg]


class Rooms(Protocol):
    """A source of impulse responses."""

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(L,) float32 impulse response."""


class Noises(Protocol):
    """A source of noise."""

    def draw(
        self, num_samples: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """(L,) float32 noise at any level, and the SNR in dB to add it at."""


class Augmentation:
    """With some probability either reverberate or add noise, then normalize the peak.

    Args:
        rooms: source of impulse responses.
        noises: source of noise.
        prob: share of chunks to change; half of these get a room.

    Source: WeSpeaker, wespeaker/dataset/processor.py, add_reverb_noise.
    """

    def __init__(self, rooms: Rooms, noises: Noises, prob: float = 0.6) -> None:
        self.rooms = rooms
        self.noises = noises
        self.prob = prob

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(L,) -> (L,) float32; the same array if it is left as it is."""
        if rng.random() >= self.prob:
            return samples
        if rng.random() < 0.5:
            samples = reverberate(samples, self.rooms.draw(rng))
        else:
            noise, snr_db = self.noises.draw(len(samples), rng)
            samples = add_noise(samples, noise, snr_db)
        return normalize_peak(samples)


class CodecAugmentation:
    """With some probability pass a chunk through a codec.

    Args:
        sample_frequency: of the chunks, in Hz.
        prob: share of chunks to change.
    """

    def __init__(self, sample_frequency: int = 16000, prob: float = 0.5) -> None:
        self.sample_frequency = sample_frequency
        self.prob = prob

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(L,) -> (L,) float32; the same array if it is left as it is."""
        if rng.random() >= self.prob:
            return samples
        return CHANNELS[CODECS[rng.integers(len(CODECS))]](
            samples, self.sample_frequency
        )


class Chain:
    """A sequence of changes.

    Args:
        changes: at least one.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(L,) -> (L,) float32."""
        for change in self.changes:
            samples = change(samples, rng)
        return samples


class SpecAugment:
    """With some probability overwrite bands and stretches of a chunk with the mean.

    Args:
        num_freq_masks: number of bands.
        max_freq_width: maximum width of a band, in bins.
        num_time_masks: number of stretches.
        max_time_width: maximum length of a stretch, in frames.
        prob: share of chunks to change.

    Source: D. Park et al., "SpecAugment", Interspeech 2019, without time warping;
    the defaults are WeSpeaker's.
    """

    def __init__(
        self,
        num_freq_masks: int = 1,
        max_freq_width: int = 8,
        num_time_masks: int = 1,
        max_time_width: int = 10,
        prob: float = 0.6,
    ) -> None:
        self.num_freq_masks = num_freq_masks
        self.max_freq_width = max_freq_width
        self.num_time_masks = num_time_masks
        self.max_time_width = max_time_width
        self.prob = prob

    def __call__(self, feats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(T, D) -> (T, D) float32, another array."""
        masked = feats.copy()
        if rng.random() >= self.prob:
            return masked
        mean = feats.mean(axis=0)  # (D,)
        for _ in range(self.num_freq_masks):
            band = _draw_span(feats.shape[1], self.max_freq_width, rng)
            masked[:, band] = mean[band]
        for _ in range(self.num_time_masks):
            masked[_draw_span(len(feats), self.max_time_width, rng)] = mean
        return masked


def _draw_span(size: int, max_width: int, rng: np.random.Generator) -> slice:
    """Draw where a span of at most ``max_width`` lies in ``size``."""
    width = int(rng.integers(min(max_width, size) + 1))
    start = int(rng.integers(size - width + 1))
    return slice(start, start + width)


def reverberate(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Reverberate samples: (L,), (R,) -> (L,) float32, the tail cut off.

    The response is scaled to unit energy.
    """
    energy = float(np.linalg.norm(response))
    size = fft.next_fast_len(len(samples) + len(response), real=True)
    heard = fft.rfft(samples, size) * fft.rfft(response, size)
    heard = fft.irfft(heard, size)[: len(samples)]
    return (heard / energy if energy else samples).astype(np.float32)


def add_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Mix at a ratio of energies: (L,), (L,) -> (L,) float32; silence stays silence."""
    speech, other = float(np.linalg.norm(samples)), float(np.linalg.norm(noise))
    if not speech or not other:
        return samples
    gain = np.float32(speech / other * 10 ** (-snr_db / 20))
    return samples + gain * noise


def normalize_peak(samples: np.ndarray) -> np.ndarray:
    """Scale to a peak of 1: (L,) -> (L,) float32; silence stays as it is."""
    peak = np.abs(samples).max(initial=0)
    return samples / peak if peak > 0 else samples
