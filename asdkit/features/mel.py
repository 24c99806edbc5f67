"""Kaldi's MFCC and filter banks.

One FFT and one matrix product transform a block of frames that stays in the cache,
which is about twice as fast as torchaudio.compliance (tools/bench/features.py).

Dither is drawn once per sample, not once per frame and sample as Kaldi does, so
that overlapping frames see the same noise, as if it had been in the recording.
The noise of a frame has the same distribution; it costs less than half as much.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from asdkit.base.errors import AsdkitError
from asdkit.base.filterbanks import cosine_transform, kaldi_mel_banks, num_empty
from asdkit.base.ranges import Count, NonNegative, Positive, Share
from asdkit.features.framing import FrameFeatures, Window, make_window, power_spectrum

SCALE = 32768.0  # Kaldi reads 16-bit integers
EPSILON = torch.finfo(torch.float32).eps  # Kaldi's floor of energies


@dataclasses.dataclass(frozen=True, kw_only=True)
class MelFeatures(FrameFeatures):
    """Shared by MFCC and filter banks: signal to mel energies.

    Without ``snip_edges`` a signal of L samples has L / shift frames, rounded.

    Args:
        sample_frequency: sampling rate in Hz.
        frame_length: frame length in milliseconds.
        frame_shift: frame shift in milliseconds.
        sample_scale: factor of samples in [-1, 1); 32768 makes them Kaldi's, 1 those of
            torchaudio and 3D-Speaker.
        dither: standard deviation of added noise, in scaled samples; 0: none.
        preemphasis_coefficient: pre-emphasis: share of a sample to subtract from the
            next.
        remove_dc_offset: subtract the mean of every frame.
        window_type: window function.
        round_to_power_of_two: zero-pad frames to a power of two.
        blackman_coeff: coefficient of the generalized Blackman window.
        snip_edges: keep only frames that lie inside the signal; false: mirror it at its
            ends.
        num_mel_bins: number of mel bands.
        low_freq: lower edge of the lowest band in Hz.
        high_freq: upper edge of the highest band in Hz; 0 or less: offset from the
            Nyquist frequency.
        energy_floor: floor of a frame's energy, in squared scaled samples.
        raw_energy: measure energy before pre-emphasis and windowing.
        htk_compat: put energy or C0 last instead of first.

    Source: Kaldi, src/feat/feature-window.cc and mel-computations.cc, whose option
    names and defaults these are.
    """

    sample_scale: Positive = SCALE
    dither: NonNegative = 1.0
    preemphasis_coefficient: Share = 0.97
    remove_dc_offset: bool = True
    window_type: Window = "povey"
    round_to_power_of_two: bool = True
    blackman_coeff: float = 0.42
    snip_edges: bool = True
    num_mel_bins: Count = 23
    low_freq: float = 20.0
    high_freq: float = 0.0
    use_energy: bool = False
    energy_floor: NonNegative = 0.0
    raw_energy: bool = True
    htk_compat: bool = False

    @property
    def fft_size(self) -> int:
        """Samples in a frame with its zeros."""
        size = self.window_size
        return 1 << (size - 1).bit_length() if self.round_to_power_of_two else size

    @abc.abstractmethod
    def _finish(self, mel: Tensor, log_energy: Tensor | None) -> Tensor:
        """(T, B) mel energies and (T,) log energy, if it is in use -> (T, D)."""

    def _prepare(self, samples: Tensor, seed: int) -> Tensor:
        signal = samples * self.sample_scale
        if self.dither:
            generator = torch.Generator().manual_seed(seed)
            noise = torch.randn(len(signal), generator=generator)
            signal.add_(noise, alpha=self.dither)
        return signal if self.snip_edges else self._mirror(signal)

    def _mirror(self, signal: Tensor) -> Tensor:
        """Mirror a signal at its ends, so that frame t is centered on (t + 1/2) shift.

        Source: Kaldi, src/feat/feature-window.cc, NumFrames and ExtractWindow.
        """
        shift, size = self.window_shift, self.window_size
        num_frames = (len(signal) + shift // 2) // shift
        if num_frames == 0:
            return signal[:0]
        before = size // 2 - shift // 2
        after = (num_frames - 1) * shift + size - before - len(signal)
        padding = (max(before, 0), max(after, 0))
        mirrored = np.pad(signal.numpy(), padding, mode="symmetric")
        return torch.from_numpy(mirrored[max(-before, 0) :])

    def _transform(self, frames: Tensor) -> Tensor:
        if self.remove_dc_offset:
            frames -= frames.mean(dim=1, keepdim=True)
        log_energy = None
        if self.use_energy and self.raw_energy:
            log_energy = self._log_energy(frames)
        if self.preemphasis_coefficient:
            frames = self._preemphasize(frames)
        frames *= self._window
        if self.use_energy and not self.raw_energy:
            log_energy = self._log_energy(frames)
        power = power_spectrum(frames, self.fft_size)  # (T, F)
        return self._finish(self._mel_energies(power), log_energy)

    def _mel_energies(self, power: Tensor) -> Tensor:
        """(T, F) power spectrum -> (T, B) energies."""
        return power @ self._mel_banks

    def _preemphasize(self, frames: Tensor) -> Tensor:
        """(T, W) -> (T, W); the first sample of a frame precedes itself."""
        alpha = self.preemphasis_coefficient
        emphasized = torch.empty_like(frames)
        torch.mul(frames[:, 0], 1 - alpha, out=emphasized[:, 0])
        torch.sub(frames[:, 1:], frames[:, :-1], alpha=alpha, out=emphasized[:, 1:])
        return emphasized

    def _log_energy(self, frames: Tensor) -> Tensor:
        """(T, W) -> (T,) natural log of the sum of squares."""
        floor = max(EPSILON, self.energy_floor)
        return frames.square().sum(dim=1).clamp_(min=floor).log_()

    @cached_property
    def _window(self) -> Tensor:
        """(W,)."""
        return make_window(self.window_type, self.window_size, self.blackman_coeff)

    @cached_property
    def _mel_banks(self) -> Tensor:
        """(F, B) triangles; the bin at Nyquist belongs to none."""
        low, high = self._band(self.low_freq, self.high_freq)
        if self.fft_size % 2 or self.num_mel_bins < 4:
            raise AsdkitError(
                f"--num-mel-bins {self.num_mel_bins}: expected at least 4, and frames "
                f"of an even number of samples, got {self.fft_size}"
            )
        banks = kaldi_mel_banks(
            self.fft_size, low, high, self.num_mel_bins, self.sample_frequency
        )
        if empty := num_empty(banks):
            raise AsdkitError(
                f"--num-mel-bins {self.num_mel_bins}: {empty} triangles fall "
                f"between the {self.fft_size // 2} frequencies of a frame",
                hint="use fewer mel bins or longer frames",
            )
        return banks


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fbank(MelFeatures):
    """Log energies in triangular bands on the mel scale.

    Args:
        use_energy: add log energy as one more column.
        use_log_fbank: take the logarithm of the band energies.
        use_power: use the power spectrum; false: the magnitude.

    The others are those of `MelFeatures`.

    Source: Kaldi, src/feat/feature-fbank.cc.
    """

    use_log_fbank: bool = True
    use_power: bool = True

    @property
    def dim(self) -> int:
        """D."""
        return self.num_mel_bins + self.use_energy

    def _mel_energies(self, power: Tensor) -> Tensor:
        return super()._mel_energies(power if self.use_power else power.sqrt_())

    def _finish(self, mel: Tensor, log_energy: Tensor | None) -> Tensor:
        if self.use_log_fbank:
            mel.clamp_(min=EPSILON).log_()
        if log_energy is None:
            return mel
        columns = [log_energy[:, None], mel]
        return torch.cat(columns[::-1] if self.htk_compat else columns, dim=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mfcc(MelFeatures):
    """Mel-frequency cepstral coefficients.

    Args:
        num_ceps: number of cepstral coefficients, including C0 or the energy.
        use_energy: replace C0 by log energy.
        cepstral_lifter: lifter constant that scales higher cepstra up; 0: none.

    The others are those of `MelFeatures`.

    Source: Kaldi, src/feat/feature-mfcc.cc.
    """

    num_ceps: Count = 13
    use_energy: bool = True
    cepstral_lifter: NonNegative = 22.0

    @property
    def dim(self) -> int:
        """D."""
        return self.num_ceps

    def _finish(self, mel: Tensor, log_energy: Tensor | None) -> Tensor:
        feats = mel.clamp_(min=EPSILON).log_() @ self._cosines
        if log_energy is not None:
            feats[:, 0] = log_energy
        if not self.htk_compat:
            return feats
        if log_energy is None:
            feats[:, 0] *= math.sqrt(2)
        return feats.roll(-1, dims=1)

    @cached_property
    def _cosines(self) -> Tensor:
        """(B, num_ceps) orthonormal DCT and lifter in one."""
        if not 1 <= self.num_ceps <= self.num_mel_bins:
            raise AsdkitError(
                f"--num-ceps {self.num_ceps}: expected 1 to {self.num_mel_bins}, the "
                "number of mel bins"
            )
        cosines = cosine_transform(self.num_ceps, self.num_mel_bins)
        if self.cepstral_lifter:
            q = self.cepstral_lifter
            quefrency = torch.arange(self.num_ceps)
            cosines *= 1 + q / 2 * torch.sin(torch.pi * quefrency / q)
        return cosines
