"""CAM++: a densely connected time-delay network with context-aware masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.ranges import Count, Positive
from asdkit.nnet.network import Network
from asdkit.nnet.padding import strided, zero_padding
from asdkit.nnet.pooling import VARIANCE_FLOOR, Pooling, PoolingName
from asdkit.nnet.residual import BasicBlock, Stages, conv_norm_relu

# Layers and dilation of the three dense blocks.
BLOCKS = ((12, 1), (24, 2), (16, 2))
SEGMENT_FRAMES = 100


class CamPlusPlus(Network):
    """A small 2-D network, then three dense blocks with halved channels in between.

    Args:
        head_channels: channels of the 2-D network.
        channels: channels of the first layer over time.
        growth: channels that every dense layer adds.
        hidden_dim: channels of the narrow layer in every dense layer.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp).
        unbiased: divide variances over time by one frame fewer, and add the floor, as
            WeSpeaker and 3D-Speaker do.
        variance_floor: least variance over time.
        feat_dim: number of mel bins (D).
        embedding_dim: embedding dimension.

    Source: H. Wang et al., "CAM++", Interspeech 2023; sizes as in WeSpeaker.
    """

    def __init__(
        self,
        head_channels: Count = 32,
        channels: Count = 128,
        growth: Count = 32,
        hidden_dim: Count = 128,
        pooling: PoolingName = "stats",
        unbiased: bool = False,
        variance_floor: Positive = VARIANCE_FLOOR,
        feat_dim: Count = 80,
        embedding_dim: Count = 512,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.stem = conv_norm_relu(1, head_channels)
        self.head = Stages(
            BasicBlock, head_channels, (2, 2), [head_channels] * 2, [(2, 1)] * 2
        )
        self.squeeze = conv_norm_relu(head_channels, head_channels, 3, (2, 1))
        width = head_channels * strided(feat_dim, 8)
        self.first = nn.Sequential(
            nn.Conv1d(width, channels, 5, stride=2, padding=2, bias=False),
            norm_relu(channels),
        )
        self.blocks = nn.ModuleList()
        for depth, dilation in BLOCKS:
            block = DenseBlock(channels, depth, growth, dilation, hidden_dim)
            self.blocks.append(block)
            channels = block.out_channels
        self.last = norm_relu(channels)
        self.pool = Pooling(pooling, channels, None, unbiased, variance_floor)
        self.output = nn.Sequential(
            nn.Linear(self.pool.out_channels, embedding_dim, bias=False),
            nn.BatchNorm1d(embedding_dim, affine=False),
        )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = zero_padding(self.stem(x[:, None]), num_frames)  # (N, C, D, T)
        x, num_frames = self.head(x, num_frames)  # (N, C, D / 4, T)
        x = self.squeeze(x).flatten(1, 2)  # (N, C * D / 8, T)
        x = self.first(zero_padding(x, num_frames))  # (N, C', T / 2)
        num_frames = strided(num_frames, 2)
        for block in self.blocks:
            x = block(x, num_frames)
        return self.output(self.pool(self.last(x), num_frames))


class DenseBlock(nn.Module):
    """Layers that each append channels to all before them; half of these go on.

    Args:
        channels: C of the input.
        depth: number of layers.
        growth: channels that each layer adds.
        dilation: dilation of the convolutions.
        hidden_dim: channels of their narrow layers.

    Attributes:
        out_channels: C of the output.
    """

    def __init__(
        self, channels: int, depth: int, growth: int, dilation: int, hidden_dim: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(depth):
            layer = DenseLayer(channels, growth, dilation, hidden_dim)
            self.layers.append(layer)
            channels += growth
        self.out_channels = channels // 2
        self.halve = nn.Sequential(
            norm_relu(channels), nn.Conv1d(channels, self.out_channels, 1, bias=False)
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, C', T)."""
        for layer in self.layers:
            x = torch.cat([x, layer(x, num_frames)], dim=1)
        return self.halve(x)


class DenseLayer(nn.Module):
    """A narrow layer, then a convolution masked by its context.

    The mask of a frame sees the mean of the utterance plus the mean of the frame's
    segment, so it is computed once per segment.

    Args:
        channels: C of the input.
        growth: G, channels of the output.
        dilation: dilation of the convolution.
        hidden_dim: channels of the narrow layer.
    """

    def __init__(
        self, channels: int, growth: int, dilation: int, hidden_dim: int = 128
    ) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            norm_relu(channels),
            nn.Conv1d(channels, hidden_dim, 1, bias=False),
            norm_relu(hidden_dim),
        )
        self.local = nn.Conv1d(
            hidden_dim, growth, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.mask = nn.Sequential(
            nn.Conv1d(hidden_dim, hidden_dim // 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv1d(hidden_dim // 2, growth, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, G, T)."""
        x = zero_padding(self.narrow(x), num_frames)
        mask = self.mask(context(x, num_frames))  # (N, G, S)
        mask = mask.repeat_interleave(SEGMENT_FRAMES, dim=-1)
        return self.local(x) * mask[..., : x.shape[-1]]


def context(x: Tensor, num_frames: Tensor | None) -> Tensor:
    """Add the mean over the utterance to the mean over each of its segments.

    Args:
        x: (N, C, T) zero beyond an utterance's end.
        num_frames: (N,) how many frames are real, None for all.

    Returns:
        (N, C, S) for S segments of `SEGMENT_FRAMES`, the last one shorter.
    """
    longest = x.shape[-1]
    num_segments = (longest + SEGMENT_FRAMES - 1) // SEGMENT_FRAMES
    missing = num_segments * SEGMENT_FRAMES - longest
    segments = F.pad(x, (0, missing)).unflatten(-1, (num_segments, SEGMENT_FRAMES))
    sums = segments.sum(dim=-1)  # (N, C, S)

    lengths = torch.tensor([longest]) if num_frames is None else num_frames
    lengths = lengths.to(x.device)[:, None, None]  # (N or 1, 1, 1)
    starts = torch.arange(num_segments, device=x.device) * SEGMENT_FRAMES
    in_segment = (lengths - starts).clamp(1, SEGMENT_FRAMES)  # (N or 1, 1, S)
    return sums / in_segment + sums.sum(dim=-1, keepdim=True) / lengths


def norm_relu(channels: int) -> nn.Sequential:
    """Stack batch normalization over (N, C, T) and ReLU."""
    return nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU(inplace=True))
