"""AASIST: graph attention over frequency and over time, and across both."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdkit.base.ranges import Count, Positive, PositiveShare
from asdkit.nnet.graph_attention import (
    GraphAttention,
    GraphPool,
    HeterogeneousAttention,
    zero_nodes,
)
from asdkit.nnet.padding import mean_over_time, zero_padding
from asdkit.nnet.sinc import (
    POOLED,
    WaveformNetwork,
    pool_squares,
    pool_thirds,
    thirds,
)

WAY_DROPOUT = 0.2
DROPOUT = 0.5


class Aasist(WaveformNetwork):
    """Sinc filters, residual blocks, two graphs, and two ways of joining them.

    The published sizes, 297,866 and 85,306 (AASIST-L), are with a linear classifier of
    two outputs with bias, which is `asdkit.losses.classification.CrossEntropy`.  They
    count a normalization at the beginning of every block but the first, whose result
    the published code discards: its 512 or 272 parameters have no effect on any output.
    With ``pre_norm`` the convolutions see it; without, there is none, and the network
    computes what the published one does.

    Args:
        num_filters: number of sinc filters.
        filter_size: length of a filter in samples.
        first_channels: channels of the first two blocks.
        last_channels: channels of the last four blocks.
        graph_dim: node dimension of each graph.
        joint_dim: node dimension of the joined graphs.
        spectral_ratio: share of the nodes over frequency to keep.
        temporal_ratio: share of the nodes over time to keep.
        joint_ratio: share of the nodes of the joined graphs to keep.
        temperature: temperature of the attention within a graph.
        joint_temperature: temperature of the attention between graphs.
        pre_norm: normalize the input of every residual block but the first; false: feed
            it to the convolutions as it is, as the authors' code does.
        feat_dim: 1: samples (D).
        embedding_dim: embedding dimension; None: 5 times joint_dim, as published.

    Source: J. Jung et al., "AASIST: audio anti-spoofing using integrated
    spectro-temporal graph attention networks", ICASSP 2022; sizes as in
    github.com/clovaai/aasist.
    """

    channels_last = True

    def __init__(
        self,
        num_filters: Count = 70,
        filter_size: Count = 129,
        first_channels: Count = 32,
        last_channels: Count = 64,
        graph_dim: Count = 64,
        joint_dim: Count = 32,
        spectral_ratio: PositiveShare = 0.5,
        temporal_ratio: PositiveShare = 0.7,
        joint_ratio: PositiveShare = 0.5,
        temperature: Positive = 2.0,
        joint_temperature: Positive = 100.0,
        pre_norm: bool = True,
        feat_dim: Count = 1,
        embedding_dim: Count | None = None,
    ) -> None:
        widths = [first_channels] * 2 + [last_channels] * 4
        read_dim = 5 * joint_dim
        super().__init__(
            feat_dim, embedding_dim or read_dim, num_filters, filter_size, len(widths)
        )
        self.stem = nn.Sequential(nn.BatchNorm2d(1), nn.SELU(inplace=True))
        before = [1, *widths[:-1]]
        self.blocks = nn.ModuleList(
            Block(*sizes, pre_norm=pre_norm)
            for sizes in zip(before, widths, strict=True)
        )
        self.position = nn.Parameter(
            torch.randn(1, num_filters // POOLED, last_channels)
        )
        self.spectral = GraphAttention(last_channels, graph_dim, temperature)
        self.spectral_pool = GraphPool(graph_dim, spectral_ratio)
        self.temporal = GraphAttention(last_channels, graph_dim, temperature)
        self.temporal_pool = GraphPool(graph_dim, temporal_ratio)
        self.ways = nn.ModuleList(
            Way(graph_dim, joint_dim, joint_ratio, joint_temperature) for _ in range(2)
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.output: nn.Module = nn.Identity()
        if embedding_dim is not None:
            self.output = nn.Linear(read_dim, embedding_dim)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        x = pool_squares(self.filters(x).abs())  # (N, 1, filters / 3, T)
        num_frames = self.frames_of(num_frames)
        x = zero_padding(self.stem(x), num_frames)
        for block in self.blocks:
            x, num_frames = block(x, num_frames)  # (N, C, filters / 3, T)
        x = x.abs()
        spectral = x.amax(dim=3).transpose(1, 2) + self.position  # (N, V, C)
        spectral, _ = self.spectral_pool(self.spectral(spectral, None))
        temporal = self.temporal(x.amax(dim=2).transpose(1, 2), num_frames)
        temporal, num_frames = self.temporal_pool(temporal, num_frames)
        (s1, t1, m1, num_frames), (s2, t2, m2, _) = (
            way(spectral, temporal, num_frames) for way in self.ways
        )
        parts = [
            *read_out(torch.maximum(t1, t2), num_frames),
            *read_out(torch.maximum(s1, s2), None),
            torch.maximum(m1, m2)[:, 0],
        ]
        return self.output(self.dropout(torch.cat(parts, dim=1)))


class Block(nn.Module):
    """Two convolutions over (frequency, time) with a shortcut, pooled to a third.

    Args:
        in_channels: C of the input; 1 is the waveform's, normalized already.
        channels: C of the output.
        pre_norm: normalize the input of the convolutions, if it is not the waveform's.
    """

    def __init__(self, in_channels: int, channels: int, pre_norm: bool = True) -> None:
        super().__init__()
        self.before: nn.Module = nn.Identity()
        if pre_norm and in_channels > 1:
            self.before = norm_selu(in_channels)
        # One row more than the input has, then one fewer.
        self.first = nn.Conv2d(in_channels, channels, (2, 3), padding=(1, 1))
        self.between = norm_selu(channels)
        self.second = nn.Conv2d(channels, channels, (2, 3), padding=(0, 1))
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != channels:
            self.shortcut = nn.Conv2d(in_channels, channels, (1, 3), padding=(0, 1))

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, V, T), (N,) -> (N, C', V, T / 3) and how many frames are real."""
        y = self.first(zero_padding(self.before(x), num_frames))
        y = self.second(zero_padding(self.between(y), num_frames))
        y = pool_thirds(y + self.shortcut(x))
        num_frames = thirds(num_frames)
        return zero_padding(y, num_frames), num_frames


class Way(nn.Module):
    """Join the graphs twice, with its own master node; fewer nodes the second time.

    Args:
        in_dim: C of the nodes.
        dim: C where they are joined.
        ratio: share of the nodes to keep after the first time.
        temperature: temperature of the attention.
    """

    def __init__(self, in_dim: int, dim: int, ratio: float, temperature: float) -> None:
        super().__init__()
        self.master = nn.Parameter(torch.randn(1, 1, in_dim))
        self.join = HeterogeneousAttention(in_dim, dim, temperature)
        self.spectral_pool = GraphPool(dim, ratio)
        self.temporal_pool = GraphPool(dim, ratio)
        self.again = HeterogeneousAttention(dim, dim, temperature)
        self.dropout = nn.Dropout(WAY_DROPOUT)

    def forward(
        self, spectral: Tensor, temporal: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Join nodes over frequency (N, V, C) and over time (N, V', C).

        Returns:
            fewer nodes of both kinds, the master (N, 1, C'), and how many nodes over
            time are real; the others are zero.
        """
        x, y, master = self.join(spectral, temporal, self.master, num_frames)
        x, _ = self.spectral_pool(x)
        y, num_frames = self.temporal_pool(y, num_frames)
        more_x, more_y, more = self.again(x, y, master, num_frames)
        y = zero_nodes(y + more_y, num_frames)
        x, y, master = map(self.dropout, (x + more_x, y, master + more))
        return x, y, master, num_frames


def read_out(x: Tensor, num_nodes: Tensor | None) -> tuple[Tensor, Tensor]:
    """(N, V, C), zero where not real -> (N, C) largest magnitudes and (N, C) means."""
    return x.abs().amax(dim=1), mean_over_time(x.transpose(1, 2), num_nodes)


def norm_selu(channels: int) -> nn.Sequential:
    """Stack batch normalization over (N, C, V, T) and SELU."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.SELU(inplace=True))
