"""Constant-Q cepstral coefficients, for countermeasures against spoofed speech.

The constant-Q transform filters a recording with bands whose centers f_k form a
geometric series and whose bandwidths B_k grow with them.  A band is a Hann window in
frequency, g_k(f) = cos^2(pi (f - f_k) / B_k) for |f - f_k| < B_k / 2; the transform of
a sample of 1 at f_k is 1.

Blocks of some seconds are transformed at once.  In the FFT of a block of L samples, a
band covers few bins; folded into M = L / shift of them, an inverse FFT of these gives
the band's signal at every ``shift``-th sample, exactly, and only there.  Frames near
the ends of a block, where its neighbors are still heard, are thrown away.

Source: J. C. Brown, "Calculation of a constant Q spectral transform", JASA 1991;
C. Schoerkhuber et al., "A Matlab toolbox for efficient perfect reconstruction
time-frequency transforms", AES 53, 2014, for filters in the frequency domain.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from scipy.fft import dct, next_fast_len
from torch import Tensor

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Count, NonNegative, Positive
from asdkit.features.framing import Features, to_samples

EPSILON = 2.0**-52  # MATLAB's eps, which the baselines add to energies
LOWEST = 20.0  # Hz; the octaves reach down to it
BLOCK_SEC = 4.0
# So many times the inverse of its bandwidth, a band hears 1e-4 of what it hears now.
REACH = 16.0


class Bands(NamedTuple):
    """Where the bins of a block's FFT go.

    Attributes:
        num_frames: M, frames of a block.
        reach: of these, how many at either end depend on the neighbors.
        bins: (B,) bins of the FFT, band after band.
        weights: (B,) of the bins.
        places: (B,) where each goes among the M bins of its band, of all bands.
    """

    num_frames: int
    reach: int
    bins: Tensor
    weights: Tensor
    places: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cqcc(Features):
    """Cepstra of the constant-Q transform's log power on a linear frequency scale.

    The defaults are those of the CQCC baseline of ASVspoof 2021 but for two.  Its
    high_freq is 4000 in logical access; and it takes a frame whenever the highest band
    can change, every 2 ms up to 4 kHz.  That of 2019 has bins_per_octave 96.  All
    append deltas and their deltas.

    Args:
        sample_frequency: sampling rate in Hz.
        frame_shift: frame shift in milliseconds.
        bins_per_octave: bands per octave.
        high_freq: center of the highest band in Hz, lowered until the band fits below
            the Nyquist frequency; 0 or less: offset from the Nyquist frequency.
        bandwidth_offset: offset in Hz added to a band's frequency before computing its
            width; 0: constant Q; the default follows the ear's resolution.
        octave_samples: points of the linear frequency scale in the lowest octave.
        num_ceps: number of cepstral coefficients, including C0.

    Source: M. Todisco, H. Delgado, N. Evans, "A new feature for automatic speaker
    verification anti-spoofing: constant Q cepstral coefficients", Odyssey 2016, and
    the baselines of the ASVspoof challenges of 2019 and 2021.
    """

    frame_shift: Positive = 10.0
    bins_per_octave: Count = 12
    high_freq: float = 0.0
    bandwidth_offset: NonNegative = 228.7
    octave_samples: Count = 16
    num_ceps: Count = 20

    @property
    def dim(self) -> int:
        """D."""
        return self.num_ceps

    @property
    def window_size(self) -> int:
        """Samples nearer to a frame than to another; it depends on many more."""
        return self.window_shift

    @property
    def window_shift(self) -> int:
        """Samples from a frame to the next."""
        shift = int(self.sample_frequency * 0.001 * self.frame_shift)
        if shift < 1:
            raise AsdkitError(
                f"--frame-shift {self.frame_shift}: expected a sample or more at "
                f"{self.sample_frequency} Hz"
            )
        return shift

    def batch(
        self,
        recordings: Iterable[np.ndarray | Tensor],
        seeds: Sequence[int] | None = None,
    ) -> list[np.ndarray]:
        """Compute the features of several recordings.

        Args:
            recordings: (L,) float32 each.
            seeds: ignored.

        Returns:
            (T, D) float32 for each.
        """
        return [self._compute(to_samples(samples)) for samples in recordings]

    def _compute(self, samples: Tensor) -> np.ndarray:
        """(L,) -> (T, D), block by block."""
        num_frames = len(samples) // self.window_shift
        feats = np.empty((num_frames, self.dim), np.float32)
        for start, block in self._blocks(samples, num_frames):
            magnitudes = self._transform(block)  # (K, T')
            log_power = magnitudes.square_().add_(EPSILON).log_()
            part = log_power.T @ self._cepstrum  # (T', D)
            feats[start : start + len(part)] = part.numpy()[: num_frames - start]
        return feats

    def _blocks(self, samples: Tensor, num_frames: int) -> Iterable[tuple[int, Tensor]]:
        """Yield the first frames of blocks, and their samples with context."""
        if not num_frames:
            return
        bands, shift = self._bands, self.window_shift
        step = bands.num_frames - 2 * bands.reach
        before = bands.reach * shift - shift // 2  # frames are centered
        num_blocks = -(-num_frames // step)
        length = ((num_blocks - 1) * step + bands.num_frames) * shift
        padding = (before, max(0, length - before - len(samples)))
        padded = torch.nn.functional.pad(samples, padding)
        blocks = padded[:length].unfold(0, bands.num_frames * shift, step * shift)
        for index, block in enumerate(blocks):
            yield index * step, block

    def _transform(self, block: Tensor) -> Tensor:
        """(M shift,) samples -> (K, M - 2 reach) magnitudes of the bands."""
        bands = self._bands
        spectrum = torch.fft.rfft(block)[bands.bins] * bands.weights  # (B,)
        folded = spectrum.new_zeros(len(self.frequencies) * bands.num_frames)
        folded.index_add_(0, bands.places, spectrum)
        signals = torch.fft.ifft(folded.view(-1, bands.num_frames), norm="forward")
        return signals[:, bands.reach : bands.num_frames - bands.reach].abs()

    @cached_property
    def frequencies(self) -> np.ndarray:
        """(K,) centers of the bands in Hz."""
        _, high = self._band(0.0, self.high_freq)
        octaves = math.ceil(math.log2(max(high / LOWEST, 2)))
        steps = np.arange(octaves * self.bins_per_octave + 1)
        centers = high * 2.0 ** (steps / self.bins_per_octave - octaves)
        half = self._bandwidths(centers) / 2
        return centers[
            (centers - half >= 0) & (centers + half <= self.sample_frequency / 2)
        ]

    def _bandwidths(self, centers: np.ndarray) -> np.ndarray:
        """Return the whole widths of bands in Hz."""
        step = 2 ** (1 / self.bins_per_octave)
        return (step - 1 / step) * (centers + self.bandwidth_offset)

    @cached_property
    def _bands(self) -> Bands:
        """See `Bands`."""
        rate, shift = self.sample_frequency, self.window_shift
        widths = self._bandwidths(self.frequencies)
        reach = math.ceil(REACH / widths.min() * rate / shift)
        num_frames = next_fast_len(int(BLOCK_SEC * rate / shift) + 2 * reach)
        resolution = rate / (num_frames * shift)  # Hz from a bin to the next
        bins, weights, places = [], [], []
        for k, (center, width) in enumerate(zip(self.frequencies, widths, strict=True)):
            first = math.ceil((center - width / 2) / resolution)
            last = math.floor((center + width / 2) / resolution)
            covered = np.arange(first, last + 1)
            hann = np.cos(np.pi * (covered * resolution - center) / width) ** 2
            bins.append(covered)
            weights.append(2 / (num_frames * shift) * hann)
            places.append(k * num_frames + covered % num_frames)
        return Bands(
            num_frames,
            reach,
            torch.from_numpy(np.concatenate(bins)),
            torch.from_numpy(np.concatenate(weights)).float(),
            torch.from_numpy(np.concatenate(places)),
        )

    @cached_property
    def _cepstrum(self) -> Tensor:
        """(K, D) matrix: a spline through the bands at even steps, then a cosine."""
        from scipy.interpolate import CubicSpline

        lowest, highest = self.frequencies[[0, -1]]
        even = np.arange(lowest, highest, lowest / self.octave_samples)
        if len(even) < self.num_ceps:
            raise AsdkitError(
                f"--num-ceps {self.num_ceps}: expected 1 to {len(even)}, the number "
                "of points on the linear scale"
            )
        spline = CubicSpline(self.frequencies, np.eye(len(self.frequencies)))
        cosines = dct(spline(even), type=2, norm="ortho", axis=0)[: self.num_ceps]
        return torch.from_numpy(cosines.T.copy()).float()
