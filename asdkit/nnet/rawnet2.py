"""RawNet2 for countermeasures: waveform to embedding by convolutions over time."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.ranges import Count
from asdkit.nnet.padding import mean_over_time, zero_padding
from asdkit.nnet.sinc import POOLED, WaveformNetwork, thirds


class RawNet2(WaveformNetwork):
    """Sinc filters, six residual blocks with gates, a recurrent network.

    Args:
        num_filters: number of sinc filters, and channels of the first two blocks.
        filter_size: length of a filter in samples.
        channels: channels of the last four blocks.
        gru_dim: dimension of the recurrent layers.
        gru_layers: number of recurrent layers.
        feat_dim: 1: samples (D).
        embedding_dim: embedding dimension.

    Source: H. Tak et al., "End-to-end anti-spoofing with RawNet2", ICASSP 2021, as
    it is the baseline of ASVspoof 2021, whose classifier is the loss's here.
    """

    def __init__(
        self,
        num_filters: Count = 20,
        filter_size: Count = 1025,
        channels: Count = 128,
        gru_dim: Count = 1024,
        gru_layers: Count = 3,
        feat_dim: Count = 1,
        embedding_dim: Count = 1024,
    ) -> None:
        widths = [num_filters] * 2 + [channels] * 4
        super().__init__(feat_dim, embedding_dim, num_filters, filter_size, len(widths))
        self.stem = nn.Sequential(nn.BatchNorm1d(num_filters), nn.SELU(inplace=True))
        self.blocks = nn.ModuleList()
        before = num_filters
        for index, width in enumerate(widths):
            self.blocks.append(GatedBlock(before, width, is_first=index == 0))
            before = width
        self.last = nn.Sequential(nn.BatchNorm1d(channels), nn.SELU(inplace=True))
        self.gru = nn.GRU(channels, gru_dim, gru_layers, batch_first=True)
        self.output = nn.Linear(gru_dim, embedding_dim)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        x = F.max_pool1d(self.filters(x).abs(), POOLED)  # (N, C, T)
        num_frames = self.frames_of(num_frames)
        x = zero_padding(self.stem(x), num_frames)
        for block in self.blocks:
            x, num_frames = block(x, num_frames)  # (N, C', T')
        states, _ = self.gru(self.last(x).transpose(1, 2))  # (N, T', gru_dim)
        return self.output(last_of(states, num_frames))


class GatedBlock(nn.Module):
    """Two convolutions with a shortcut, pooling to a third of the frames, a gate.

    The gate of a channel multiplies it and is added to it.

    Args:
        in_channels: C of the input.
        channels: C of the output.
        is_first: whether the input has just been normalized.
    """

    def __init__(self, in_channels: int, channels: int, is_first: bool) -> None:
        super().__init__()
        self.before: nn.Module = nn.Identity()
        if not is_first:
            self.before = norm_relu(in_channels)
        self.first = nn.Conv1d(in_channels, channels, 3, padding=1)
        self.between = norm_relu(channels)
        self.second = nn.Conv1d(channels, channels, 3, padding=1)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != channels:
            self.shortcut = nn.Conv1d(in_channels, channels, 1)
        self.gate = nn.Sequential(nn.Linear(channels, channels), nn.Sigmoid())

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, T), (N,) -> (N, C', T / 3) and how many of its frames are real."""
        y = self.first(zero_padding(self.before(x), num_frames))
        y = self.second(zero_padding(self.between(y), num_frames))
        y = F.max_pool1d(y + self.shortcut(x), POOLED)
        num_frames = thirds(num_frames)
        gate = self.gate(mean_over_time(y, num_frames))[..., None]  # (N, C', 1)
        return zero_padding(y * gate + gate, num_frames), num_frames


def norm_relu(channels: int) -> nn.Sequential:
    """Stack batch normalization over (N, C, T) and a ReLU with a slope below zero."""
    return nn.Sequential(nn.BatchNorm1d(channels), nn.LeakyReLU(0.3, inplace=True))


def last_of(x: Tensor, num_frames: Tensor | None) -> Tensor:
    """(N, T, C) and how many frames are real -> (N, C), the last of the real ones."""
    if num_frames is None:
        return x[:, -1]
    index = (num_frames - 1)[:, None, None].expand(-1, 1, x.shape[2])
    return x.gather(1, index)[:, 0]
