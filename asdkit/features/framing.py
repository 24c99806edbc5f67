"""Framing and block-wise computation, shared by all features."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Positive

# Frames of 16 kHz speech that stay in a core's cache from the first step to the
# last; in one block, 12 minutes of speech cost several times as much per frame
# (tools/bench/features.py).
BLOCK = 800

Window = Literal["hamming", "hanning", "povey", "rectangular", "sine", "blackman"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Features(abc.ABC):
    """Base of features: samples of a recording to numbers per frame.

    Args:
        sample_frequency: sampling rate in Hz.
    """

    sample_frequency: Positive = 16000.0

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """D, the feature dimension."""

    @property
    @abc.abstractmethod
    def window_size(self) -> int:
        """Samples needed for one frame."""

    @property
    @abc.abstractmethod
    def window_shift(self) -> int:
        """Samples from a frame to the next."""

    @abc.abstractmethod
    def batch(
        self,
        recordings: Iterable[np.ndarray | Tensor],
        seeds: Sequence[int] | None = None,
    ) -> list[np.ndarray]:
        """Compute the features of several recordings, batching short ones.

        Args:
            recordings: (L,) float32 each.
            seeds: one each; None gives each seed 0.

        Returns:
            (T, D) float32 for each.
        """

    def __call__(self, samples: np.ndarray | Tensor, seed: int = 0) -> np.ndarray:
        """Compute the features of one recording.

        Args:
            samples: (L,) float32 in [-1, 1).
            seed: random seed, e.g. of dither.

        Returns:
            (T, D) float32; T = 0 if the recording is too short for a frame.
        """
        return self.batch([samples], [seed])[0]

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dataclasses.asdict(self)

    def _band(self, low_freq: float, high_freq: float) -> tuple[float, float]:
        """Check a band in Hz, whose high end, if <= 0, is an offset from Nyquist."""
        nyquist = self.sample_frequency / 2
        high = high_freq + (nyquist if high_freq <= 0 else 0)
        if not 0 <= low_freq < high <= nyquist:
            raise AsdkitError(
                f"--low-freq {low_freq} --high-freq {high_freq}: expected "
                f"0 <= low < high <= {nyquist} Hz, got {low_freq} and {high}"
            )
        return low_freq, high


def to_samples(samples: np.ndarray | Tensor) -> Tensor:
    """Return the (L,) samples of one channel as a float32 tensor.

    Raises:
        ValueError: they are not one-dimensional.
    """
    samples = torch.as_tensor(samples, dtype=torch.float32)
    if samples.dim() != 1:
        raise ValueError(f"expected samples (L,), got {tuple(samples.shape)}")
    return samples


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrameFeatures(Features):
    """Features computed from one frame at a time.

    Args:
        sample_frequency: sampling rate in Hz.
        frame_length: frame length in milliseconds.
        frame_shift: frame shift in milliseconds.
    """

    frame_length: Positive = 25.0
    frame_shift: Positive = 10.0

    @abc.abstractmethod
    def _prepare(self, samples: Tensor, seed: int) -> Tensor:
        """(L,) samples -> (L',) signal whose frames start at 0, shift, 2 shift, ..."""

    @abc.abstractmethod
    def _transform(self, frames: Tensor) -> Tensor:
        """(T, W) frames, which may be overwritten, -> (T, D) features."""

    def batch(
        self,
        recordings: Iterable[np.ndarray | Tensor],
        seeds: Sequence[int] | None = None,
    ) -> list[np.ndarray]:
        """Compute the features of several recordings, batching short ones.

        Args:
            recordings: (L,) float32 each.
            seeds: one each; None gives each seed 0.

        Returns:
            (T, D) float32 for each.
        """
        counts: list[int] = []
        blocks = [
            self._transform(torch.cat(block)).numpy()
            for block in _fill_blocks(self._cut(recordings, seeds, counts))
        ]
        feats = np.concatenate([np.empty((0, self.dim), np.float32), *blocks])
        ends = np.cumsum(counts)
        return [feats[end - t : end] for t, end in zip(counts, ends, strict=True)]

    @property
    def window_size(self) -> int:
        """W, samples in a frame; Kaldi cuts fractions off."""
        return int(self.sample_frequency * 0.001 * self.frame_length)

    @property
    def window_shift(self) -> int:
        """Samples from a frame to the next."""
        return int(self.sample_frequency * 0.001 * self.frame_shift)

    def _cut(
        self,
        recordings: Iterable[np.ndarray | Tensor],
        seeds: Sequence[int] | None,
        counts: list[int],
    ) -> Iterator[Tensor]:
        """Yield a (T, W) view of the frames of every recording; append T to counts."""
        if self.window_size < 2 or self.window_shift < 1:
            raise AsdkitError(
                f"--frame-length {self.frame_length} --frame-shift {self.frame_shift}: "
                f"expected two samples and one at {self.sample_frequency} Hz, "
                f"got {self.window_size} and {self.window_shift}"
            )
        for index, samples in enumerate(recordings):
            seed = seeds[index] if seeds is not None else 0
            signal = self._prepare(to_samples(samples), seed)
            if len(signal) < self.window_size:
                frames = signal.new_empty(0, self.window_size)
            else:
                frames = signal.unfold(0, self.window_size, self.window_shift)  # (T, W)
            counts.append(len(frames))
            yield frames


def _fill_blocks(recordings: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Group pieces of recordings so that a block has at most BLOCK frames."""
    block: list[Tensor] = []
    num_frames = 0
    for frames in recordings:
        for piece in frames.split(BLOCK):
            if block and num_frames + len(piece) > BLOCK:
                yield block
                block, num_frames = [], 0
            block.append(piece)
            num_frames += len(piece)
    if num_frames:
        yield block


def make_window(window_type: Window, size: int, blackman_coeff: float = 0.42) -> Tensor:
    """Return a symmetric window, (size,) float32.

    Source: Kaldi, src/feat/feature-window.cc, FeatureWindowFunction.
    """
    cosines = {
        "rectangular": [1.0],
        "hanning": [0.5, 0.5],
        "povey": [0.5, 0.5],  # to the power of 0.85
        "hamming": [0.54, 0.46],
        "blackman": [blackman_coeff, 0.5, 0.5 - blackman_coeff],
    }
    if window_type == "sine":
        window = torch.sin(torch.linspace(0, torch.pi, size, dtype=torch.float64))
    else:
        window = torch.signal.windows.general_cosine(
            size, a=cosines[window_type], dtype=torch.float64
        ).clamp_(min=0)
    return (window**0.85 if window_type == "povey" else window).float()


def power_spectrum(frames: Tensor, fft_size: int) -> Tensor:
    """(T, W) windowed frames, padded with zeros -> (T, fft_size / 2 + 1) power.

    A frame has the same power spectrum backwards, and this is how it is computed:
    where a band is a hundred million times weaker than the loudest, all that is left
    is the rounding of a float32 FFT, and backwards ours happens to round more like
    Kaldi's (golden fbank: at most 1.6e-3 apart instead of 3.8e-3).
    """
    squares = torch.view_as_real(torch.fft.rfft(frames.flip(1), n=fft_size)).square_()
    return squares[..., 0] + squares[..., 1]  # several times faster than abs()
