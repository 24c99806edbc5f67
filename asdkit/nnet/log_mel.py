"""Networks on waveforms with a built-in log-mel front end.

So an adversary that changes samples gets gradients from the network.  Frames that reach
beyond an utterance's end are dropped, not padded.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor, nn

from asdkit.base.filterbanks import htk_mel_banks, num_empty
from asdkit.base.ranges import Count
from asdkit.nnet.network import Network
from asdkit.nnet.padding import zero_padding
from asdkit.nnet.se_resnet import FastResNetSe, ResNetSe

logger = logging.getLogger(__name__)

SAMPLE_FREQUENCY = 16000
WINDOW, SHIFT, FFT = 400, 160, 512  # samples: 25 and 10 ms
FLOOR = 1e-6


class LogMel(nn.Module):
    """Compute log-mels of samples, with gradients.

    Args:
        num_mel_bins: number of mel bands (D).
        preemphasis_coefficient: pre-emphasis: share of a sample to subtract from the
            next.

    Source: github.com/clovaai/voxceleb_trainer: torchaudio's mel spectrogram (power,
    Hamming window, HTK's scale from 0 Hz up) plus 1e-6, after pre-emphasis that
    reflects the first sample.
    """

    banks: Tensor
    window: Tensor

    def __init__(
        self, num_mel_bins: int = 40, preemphasis_coefficient: float = 0.0
    ) -> None:
        super().__init__()
        self.preemphasis_coefficient = preemphasis_coefficient
        top = SAMPLE_FREQUENCY / 2
        with torch.device("cpu"):  # meta has no numbers to look at
            banks = htk_mel_banks(FFT, 0, top, num_mel_bins, SAMPLE_FREQUENCY)
        if empty := num_empty(banks):
            logger.warning(
                "log-mel: %d of %d bands fall between the frequencies of a frame and "
                "stay constant",
                empty,
                num_mel_bins,
            )
        self.register_buffer("banks", banks, persistent=False)
        window = torch.hamming_window(WINDOW)
        self.register_buffer("window", window, persistent=False)

    def forward(
        self, x: Tensor, num_samples: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, L) samples and how many are real -> (N, D, T) and how many of T are."""
        if self.preemphasis_coefficient:
            before = torch.cat([x[:, 1:2], x[:, :-1]], dim=1)
            x = x - self.preemphasis_coefficient * before
        frames = x.unfold(1, WINDOW, SHIFT) * self.window  # (N, T, W)
        spectrum = torch.view_as_real(torch.fft.rfft(frames, FFT))
        power = spectrum.square().sum(dim=-1)  # (N, T, F)
        log_mel = (power @ self.banks + FLOOR).log().mT  # (N, D, T)
        if num_samples is None:
            return log_mel, None
        num_frames = (num_samples - WINDOW) // SHIFT + 1
        return zero_padding(log_mel, num_frames), num_frames


class OnSamples(Network):
    """Mix-in that puts a log-mel front end before a network.

    Args:
        num_mel_bins: number of mel bands that the network takes.
        feat_dim: 1: samples (D).
        network: options of the network.
    """

    min_frames = WINDOW
    preemphasis_coefficient = 0.0

    def __init__(
        self, num_mel_bins: Count = 40, feat_dim: Count = 1, **network: Any
    ) -> None:
        self.require_samples(feat_dim)
        super().__init__(feat_dim=num_mel_bins, **network)
        self.feat_dim = feat_dim
        self.log_mel = LogMel(num_mel_bins, self.preemphasis_coefficient)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        return super().embed(*self.log_mel(x[:, 0], num_frames))


class SampledResNetSe(OnSamples, ResNetSe):
    """`ResNetSe` on samples, with its pre-emphasis."""

    preemphasis_coefficient = 0.97


class SampledFastResNetSe(OnSamples, FastResNetSe):
    """`FastResNetSe` on samples."""
