"""Partial spoofs: stretches of an utterance replaced by spoofed speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asdkit.base.ranges import Count, NonNegative, Positive


@dataclass(frozen=True)
class Splicer:
    """Overwrite stretches of bona fide speech.

    Args:
        max_stretches: maximum number of spoofed stretches per utterance; at least one
            is drawn.
        min_sec: shortest stretch in seconds.
        max_sec: longest stretch in seconds.
        fade_ms: cross-fade at both ends of a stretch in milliseconds.

    Source: L. Zhang et al., "An initial investigation for detecting partially spoofed
    audio", Interspeech 2021, where stretches are words and pauses, found by a VAD.
    """

    max_stretches: Count = 3
    min_sec: Positive = 0.2
    max_sec: Positive = 1.0
    fade_ms: NonNegative = 5.0

    def plan(
        self,
        num_bonafide: int,
        num_spoof: int,
        sampling_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the stretches, and the parts of the spoof that replace them.

        Args:
            num_bonafide: L, samples of the bona fide utterance.
            num_spoof: M, samples of the spoof.
            sampling_rate: of both, in Hz.
            rng: draws.

        Returns:
            (S, 3) int64 first sample of a stretch, one more than its last, and first
            sample of what comes there; rising, half of the utterance at most unless
            one shortest stretch is more; empty if that is longer than an utterance.
        """
        number = int(rng.integers(1, self.max_stretches + 1))
        shortest = round(self.min_sec * sampling_rate)
        longest = max(shortest, round(self.max_sec * sampling_rate))
        lengths = rng.integers(shortest, longest + 1, size=number)
        room = min(num_bonafide, num_spoof)
        lengths = lengths[np.cumsum(lengths) <= room // 2]
        if not len(lengths):
            lengths = np.full(int(shortest <= room), shortest)
        gaps = rng.integers(num_bonafide - lengths.sum() + 1, size=len(lengths))
        starts = np.sort(gaps) + np.cumsum(lengths) - lengths
        offsets = rng.integers(num_spoof - lengths + 1)
        return np.stack([starts, starts + lengths, offsets], axis=1)

    def apply(
        self,
        bonafide: np.ndarray,
        spoof: np.ndarray,
        plan: np.ndarray,
        sampling_rate: int,
    ) -> np.ndarray:
        """Apply a plan.

        Args:
            bonafide: (L,) samples.
            spoof: (M,) samples, which are scaled to the same energy per sample.
            plan: (S, 3) from `plan`.
            sampling_rate: of both, in Hz.

        Returns:
            (L,) float32 samples.
        """
        gain = _rms(bonafide) / max(_rms(spoof), 1e-9)
        fade = round(self.fade_ms * sampling_rate / 1000)
        samples = bonafide.astype(np.float32)
        for start, stop, offset in plan:
            piece = gain * spoof[offset : offset + stop - start]
            weight = _window(stop - start, fade)
            mixed = weight * piece + (1 - weight) * bonafide[start:stop]
            samples[start:stop] = mixed
        return samples / np.float32(max(1.0, np.abs(samples).max(initial=0)))


def _window(length: int, fade: int) -> np.ndarray:
    """Rise from 0 to 1 and fall again, linearly: (L,)."""
    fade = min(fade, length // 2)
    ramp = np.arange(1, fade + 1) / (fade + 1)
    return np.concatenate([ramp, np.ones(length - 2 * fade), ramp[::-1]])


def _rms(samples: np.ndarray) -> float:
    """Root of the mean square of (L,) samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
