"""Features on a linear frequency scale, for countermeasures against spoofed speech."""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from asdkit.base.errors import AsdkitError
from asdkit.base.filterbanks import cosine_transform, linear_banks, num_empty
from asdkit.base.ranges import Count, Natural, Positive, Share
from asdkit.features.framing import FrameFeatures, make_window, power_spectrum

EPSILON = 2.0**-52  # MATLAB's eps, which the baselines add to energies
FLOOR = math.exp(-80)  # added to magnitudes


def preemphasize(samples: Tensor, coefficient: float) -> Tensor:
    """(L,) -> (L,) samples minus a share of the one before; silence comes before."""
    emphasized = samples.clone()
    emphasized[1:].sub_(samples[:-1], alpha=coefficient)
    return emphasized


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lfcc(FrameFeatures):
    """Linear-frequency cepstral coefficients: decimal logarithm, orthonormal DCT.

    The defaults are the baseline of ASVspoof 2019; that of 2021 has frame_length 30,
    frame_shift 15, fft_size 1024, num_filters 70 and high_freq 4000 (20 coefficients
    with C0, in both).  Both append deltas and their deltas.

    Args:
        sample_frequency: sampling rate in Hz.
        frame_length: frame length in milliseconds.
        frame_shift: frame shift in milliseconds.
        preemphasis_coefficient: pre-emphasis: share of a sample to subtract from the
            next.
        fft_size: FFT size in samples.
        num_filters: number of linear bands.
        low_freq: lower edge of the lowest band in Hz.
        high_freq: upper edge of the highest band in Hz; 0 or less: offset from the
            Nyquist frequency.
        num_ceps: number of cepstral coefficients, including C0.
        use_energy: replace C0 by log energy.

    Source: M. Sahidullah, T. Kinnunen, C. Hanilci, "A comparison of features for
    synthetic speech detection", Interspeech 2015, and the MATLAB baselines of the
    ASVspoof challenges of 2019 and 2021.
    """

    frame_length: Positive = 20.0
    preemphasis_coefficient: Share = 0.97
    fft_size: Count = 512
    num_filters: Count = 20
    low_freq: float = 0.0
    high_freq: float = 0.0
    num_ceps: Count = 20
    use_energy: bool = False

    @property
    def dim(self) -> int:
        """D."""
        return self.num_ceps

    def _prepare(self, samples: Tensor, seed: int) -> Tensor:
        """Zeros complete the last frame."""
        signal = preemphasize(samples, self.preemphasis_coefficient)
        overlap = self.window_size - self.window_shift
        num_frames = max(0, -(-(len(signal) - overlap) // self.window_shift))
        length = overlap + num_frames * self.window_shift if num_frames else 0
        return torch.nn.functional.pad(signal, (0, length - len(signal)))

    def _transform(self, frames: Tensor) -> Tensor:
        frames *= self._window
        power = power_spectrum(frames, self.fft_size)  # (T, F)
        feats = (power @ self._filters).add_(EPSILON).log10_() @ self._cosines
        if self.use_energy:
            feats[:, 0] = frames.square().sum(dim=1).add_(EPSILON).log10_()
        return feats

    @cached_property
    def _window(self) -> Tensor:
        """(W,)."""
        if self.window_size > self.fft_size:
            raise AsdkitError(
                f"--fft-size {self.fft_size}: a frame has {self.window_size} samples"
            )
        return make_window("hamming", self.window_size)

    @cached_property
    def _filters(self) -> Tensor:
        """(F, B) triangles."""
        low, high = self._band(self.low_freq, self.high_freq)
        banks = linear_banks(
            self.fft_size, low, high, self.num_filters, self.sample_frequency
        )
        if empty := num_empty(banks):
            raise AsdkitError(
                f"--num-filters {self.num_filters}: {empty} triangles fall between "
                f"the {len(banks)} frequencies of a frame",
                hint="use fewer filters or a larger --fft-size",
            )
        return banks

    @cached_property
    def _cosines(self) -> Tensor:
        """(B, num_ceps)."""
        if not 1 <= self.num_ceps <= self.num_filters:
            raise AsdkitError(
                f"--num-ceps {self.num_ceps}: expected 1 to {self.num_filters}, the "
                "number of filters"
            )
        return cosine_transform(self.num_ceps, self.num_filters)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogSpectrum(FrameFeatures):
    """Natural logarithm of the magnitude of a finely resolved spectrum.

    The defaults are the F0 subband: the lowest 45 bins, 0 to 407 Hz, of frames of
    1728 samples every 130.  Frame t is centered on sample 130 t.  What a recording has
    below speech, e.g. an offset, is nearly all in the first 3 bins, as wide as the
    window is.

    Args:
        sample_frequency: sampling rate in Hz.
        frame_length: frame length in milliseconds.
        frame_shift: frame shift in milliseconds.
        preemphasis_coefficient: pre-emphasis: share of a sample to subtract from the
            next.
        first_bin: lowest frequency bin to keep; 0 is 0 Hz.
        num_bins: number of frequency bins to keep from there up; 0: all.
        padding: padding at both ends of the signal: zeros, or its reflection.

    Source: J. Xue et al., "Learning from yourself: a self-distillation method for
    fake speech detection", ICASSP 2023, and the same authors' F0 subband front end.
    """

    frame_length: Positive = 108.0
    frame_shift: Positive = 8.125
    preemphasis_coefficient: Share = 0.97
    first_bin: Natural = 0
    num_bins: Natural = 45
    padding: Literal["zeros", "reflect"] = "zeros"

    @property
    def dim(self) -> int:
        """D."""
        return self.num_bins or self.window_size // 2 + 1 - self.first_bin

    def _prepare(self, samples: Tensor, seed: int) -> Tensor:
        if len(samples) == 0:
            return samples
        signal = preemphasize(samples, self.preemphasis_coefficient)
        half = self.window_size // 2
        if self.padding == "reflect" and len(signal) <= half:
            return signal[:0]
        mode = "reflect" if self.padding == "reflect" else "constant"
        return torch.nn.functional.pad(signal[None], (half, half), mode=mode)[0]

    def _transform(self, frames: Tensor) -> Tensor:
        frames *= self._window
        kept = slice(self.first_bin, self.first_bin + self.dim)
        power = power_spectrum(frames, self.window_size)[:, kept]  # (T, D)
        return power.sqrt().add_(FLOOR).log_()

    @cached_property
    def _window(self) -> Tensor:
        """(W,) symmetric, as librosa makes it of scipy's function.

        Of the name "blackman" it would make one a sample short of symmetric.
        """
        num_found = self.window_size // 2 + 1
        if self.first_bin >= num_found or self.first_bin + self.num_bins > num_found:
            raise AsdkitError(
                f"--first-bin {self.first_bin} --num-bins {self.num_bins}: a frame has "
                f"{num_found} bins"
            )
        return make_window("blackman", self.window_size)
