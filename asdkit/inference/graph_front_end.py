"""Front ends as layers of a graph: from a padded batch of samples to frames.

ONNX runtimes have fast convolutions and slow Fourier transforms, so removal of the
offset, pre-emphasis, window and DFT of a frame, which are all linear, are one matrix,
and all frames one convolution with it.  Nothing random is left: dither is zero.

Every layer takes (N, ...) numbers and (N,) lengths, and treats an utterance of a padded
batch as if it were alone.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.batches.feature_config import FeatureConfig
from asdkit.features.framing import Features
from asdkit.features.linear import EPSILON as LINEAR_EPSILON
from asdkit.features.linear import Lfcc
from asdkit.features.mel import EPSILON, Fbank, MelFeatures, Mfcc
from asdkit.features.waveform import Waveform
from asdkit.inference.graph_selection import (
    Cropped,
    Deltas,
    EnergyVad,
    subtract_mean,
)
from asdkit.nnet.log_mel import FFT, FLOOR, SHIFT, WINDOW, LogMel
from asdkit.nnet.padding import zero_padding

EXPORTED = "fbank, mfcc, lfcc and waveform"


def dft_kernel(size: int, fft_size: int, bins: Tensor) -> Tensor:
    """Return the DFT of a frame at some bins as a matrix, in float64.

    Args:
        size: W, samples in a frame.
        fft_size: samples with the zeros behind them.
        bins: (F,) which bins.

    Returns:
        (2F, W): the cosines, then the sines.
    """
    phase = 2 * math.pi / fft_size * torch.outer(bins.double(), torch.arange(size))
    return torch.cat([phase.cos(), phase.sin()])


class Spectrum(nn.Module):
    """Power spectrum of frames by one convolution, then bands.

    Args:
        before: (W, W) linear map of a frame before the DFT, float64.
        fft_size: samples in a frame with its zeros.
        banks: (F, B) weights of all bins; those without weight are left out.
        shift: samples from a frame to the next.
        use_power: weigh the power spectrum; false: the magnitude.
    """

    kernel: Tensor
    banks: Tensor

    def __init__(
        self,
        before: Tensor,
        fft_size: int,
        banks: Tensor,
        shift: int,
        use_power: bool = True,
    ) -> None:
        super().__init__()
        bins = banks.any(dim=1).nonzero()[:, 0]
        kernel = dft_kernel(before.shape[0], fft_size, bins) @ before
        self.register_buffer("kernel", kernel.float()[:, None])  # (2F, 1, W)
        self.register_buffer("banks", banks[bins].T.contiguous())  # (B, F)
        self.shift = shift
        self.use_power = use_power

    def forward(self, x: Tensor) -> Tensor:
        """(N, L) -> (N, B, T) energies of the bands."""
        both = F.conv1d(x[:, None], self.kernel, stride=self.shift)  # (N, 2F, T)
        cosines, sines = both.chunk(2, dim=1)
        power = cosines * cosines + sines * sines
        return self.banks @ (power if self.use_power else power.sqrt())


class KaldiFrames(nn.Module):
    """Kaldi's filter banks and MFCCs.

    Args:
        features: their options; dither is ignored.

    Raises:
        AsdkitError: energy is to be measured after the window.
    """

    def __init__(self, features: MelFeatures) -> None:
        super().__init__()
        self.size, self.shift = features.window_size, features.window_shift
        self.snip_edges = features.snip_edges
        self.sample_scale = features.sample_scale
        self.remove_dc_offset = features.remove_dc_offset
        self.htk_compat = features.htk_compat
        if features.use_energy and not features.raw_energy:
            raise AsdkitError("--raw-energy false has no graph: energy is taken before")
        self.energy_floor = max(EPSILON, features.energy_floor)
        self.use_energy = features.use_energy
        self.is_mfcc = isinstance(features, Mfcc)
        self.use_log = self.is_mfcc or getattr(features, "use_log_fbank", True)
        identity = torch.eye(self.size, dtype=torch.float64)
        before = identity
        if self.remove_dc_offset:
            before = before - 1 / self.size
        alpha = features.preemphasis_coefficient
        previous = torch.cat([identity[:1], identity[:-1]])
        before = (
            features._window.double()[:, None]
            * (identity - alpha * previous)
            @ (before)
        )
        use_power = getattr(features, "use_power", True)
        banks = features._mel_banks
        self.spectrum = Spectrum(
            before, features.fft_size, banks, self.shift, use_power
        )
        cosines = features._cosines.T if isinstance(features, Mfcc) else torch.empty(0)
        self.register_buffer("cosines", cosines.contiguous())

    @property
    def min_samples(self) -> int:
        """The shortest recording, in samples."""
        return self.size

    def samples_for(self, num_frames: int) -> int:
        """The samples that so many frames need."""
        if self.snip_edges:
            return (num_frames - 1) * self.shift + self.size
        return max(self.size, num_frames * self.shift - self.shift // 2)

    def forward(self, x: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L), (N,) -> (N, T, D) and how many of the T are real."""
        x = x * self.sample_scale
        if self.remove_dc_offset:  # no frame changes, and small numbers round less
            x = zero_padding(x, num_samples)
            x = x - x.sum(dim=1, keepdim=True) / num_samples[:, None]
        if self.snip_edges:
            num_frames = (num_samples - self.size) // self.shift + 1
        else:
            x = self._mirror(x, num_samples)
            num_frames = (num_samples + self.shift // 2) // self.shift
        bands = self.spectrum(x)  # (N, B, T)
        if self.use_log:
            bands = bands.clamp(min=EPSILON).log()
        if self.is_mfcc:
            bands = self.cosines @ bands
        columns = [bands]
        if self.use_energy:
            energy = self._log_energy(x)  # (N, 1, T)
            columns = [energy, bands[:, 1:] if self.is_mfcc else bands]
        elif self.is_mfcc and self.htk_compat:
            columns = [bands[:, :1] * math.sqrt(2), bands[:, 1:]]
        if self.htk_compat:
            columns = columns[::-1]
        return torch.cat(columns, dim=1).transpose(1, 2), num_frames

    def _log_energy(self, x: Tensor) -> Tensor:
        """(N, L) -> (N, 1, T) natural log of a frame's sum of squares."""
        x = x[:, None]
        energy = F.avg_pool1d(x * x, self.size, self.shift)
        if self.remove_dc_offset:
            mean = F.avg_pool1d(x, self.size, self.shift)
            energy = energy - mean * mean
        return (self.size * energy).clamp(min=self.energy_floor).log()

    def _mirror(self, x: Tensor, num_samples: Tensor) -> Tensor:
        """Mirror every recording at its ends: (N, L) -> (N, L')."""
        before = self.size // 2 - self.shift // 2
        num_frames = (x.shape[1] + self.shift // 2) // self.shift
        length = (num_frames - 1) * self.shift + self.size
        place = torch.arange(length, device=x.device)[None] - before  # (1, L')
        place = torch.where(place < 0, -1 - place, place)
        over = 2 * num_samples[:, None] - 1 - place
        place = torch.where(place < num_samples[:, None], place, over)
        return x.gather(1, place.clamp(min=0))


class LfccFrames(nn.Module):
    """Linear-frequency cepstra.

    Args:
        features: their options.

    Raises:
        AsdkitError: C0 is replaced by the energy of the windowed frame.
    """

    def __init__(self, features: Lfcc) -> None:
        super().__init__()
        if features.use_energy:
            raise AsdkitError("--use-energy true of lfcc has no graph")
        self.size, self.shift = features.window_size, features.window_shift
        self.alpha = features.preemphasis_coefficient
        before = torch.diag(features._window.double())
        banks = features._filters
        self.spectrum = Spectrum(before, features.fft_size, banks, self.shift)
        self.register_buffer("cosines", features._cosines.T.contiguous())

    @property
    def min_samples(self) -> int:
        """The shortest recording, in samples: one more than frames overlap."""
        return self.size - self.shift + 1

    def samples_for(self, num_frames: int) -> int:
        """The samples that so many frames need."""
        return self.size - self.shift + (num_frames - 1) * self.shift + 1

    def forward(self, x: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L), (N,) -> (N, T, D) and how many of the T are real."""
        x = zero_padding(x, num_samples)
        x = zero_padding(x - self.alpha * F.pad(x, (1, 0))[:, :-1], num_samples)
        x = F.pad(x, (0, self.shift))  # completes the last frame
        overlap = self.size - self.shift
        num_frames = (num_samples - overlap + self.shift - 1) // self.shift
        bands = (self.spectrum(x) + LINEAR_EPSILON).log() / math.log(10)
        return (self.cosines @ bands).transpose(1, 2), num_frames


class SampleFrames(nn.Module):
    """Samples as frames, for networks with a front end of their own.

    Args:
        min_samples: the shortest recording, in samples.
    """

    def __init__(self, min_samples: int) -> None:
        super().__init__()
        self.min_samples = min_samples

    def samples_for(self, num_frames: int) -> int:
        """The samples that so many frames need."""
        return num_frames

    def forward(self, x: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L), (N,) -> (N, L, 1), (N,)."""
        return x[..., None], num_samples


class GraphLogMel(nn.Module):
    """`asdkit.nnet.log_mel.LogMel` with a convolution in place of its FFT.

    Args:
        layer: the layer to replace.
    """

    def __init__(self, layer: LogMel) -> None:
        super().__init__()
        self.alpha = layer.preemphasis_coefficient
        before = torch.diag(layer.window.double())
        self.spectrum = Spectrum(before, FFT, layer.banks, SHIFT)

    def forward(self, x: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L), (N,) -> (N, D, T) and how many of the T are real."""
        if self.alpha:
            x = x - self.alpha * torch.cat([x[:, 1:2], x[:, :-1]], dim=1)
        num_frames = (num_samples - WINDOW) // SHIFT + 1
        return zero_padding((self.spectrum(x) + FLOOR).log(), num_frames), num_frames


def frames_layer(extractor: Features, min_samples: int) -> nn.Module:
    """Make the layer that computes features.

    Args:
        extractor: features of the training.
        min_samples: of a recording, where features are samples.

    Raises:
        AsdkitError: there is no such layer for these features or options.
    """
    if isinstance(extractor, (Fbank, Mfcc)):
        return KaldiFrames(extractor)
    if isinstance(extractor, Lfcc):
        return LfccFrames(extractor)
    if isinstance(extractor, Waveform):
        return SampleFrames(min_samples)
    name = type(extractor).__name__.lower()
    raise AsdkitError(f"features {name} have no graph: {EXPORTED} do")


class GraphFrontEnd(nn.Module):
    """From samples to what a network is fed with.

    Args:
        config: features of the model.
        extractor: what computes them.
        min_samples: the shortest recording, where features are samples.
        crop: the part that is scored; None: all, as it is.

    Raises:
        AsdkitError: the features have no graph.
    """

    def __init__(
        self,
        config: FeatureConfig,
        extractor: Features,
        min_samples: int,
        crop: Cropped | None = None,
    ) -> None:
        super().__init__()
        if config.cmn_window:
            problem = "a sliding mean (--cmn-window) has no graph"
            raise AsdkitError(problem, hint="--cmn-window 0, the mean of the utterance")
        self.frames: Any = frames_layer(extractor, min_samples)
        vad = config.vad if config.voiced else None
        self.vad = None if vad is None else EnergyVad(vad["options"])
        self.deltas = Deltas(config.delta_order) if config.delta_order else None
        self.crop = crop
        self.subtract_mean = config.subtract_mean

    def forward(self, samples: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L), (N,) -> (N, T, D) and how many of the T are real."""
        feats, num_frames = self.frames(samples, num_samples)
        if self.vad is not None:
            feats, num_frames = self.vad(feats, num_frames)
        if self.deltas is not None:
            feats = self.deltas(feats, num_frames)
        if self.crop is not None:
            feats, num_frames = self.crop(feats, num_frames)
        if self.subtract_mean:
            feats = subtract_mean(feats, num_frames)
        return feats, num_frames
