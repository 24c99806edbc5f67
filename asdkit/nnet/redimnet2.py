"""ReDimNet2: one map kept as (C F, T), and read by each stage as (C', F', T')."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.ranges import Count, Natural
from asdkit.nnet.network import Network
from asdkit.nnet.padding import strided, zero_padding
from asdkit.nnet.pooling import ChannelAttention, Pooling

TIME_STRIDE = 4  # of the last stages
KERNELS = (7, 19, 31, 59)  # over time
NUM_HEADS = 4
EPSILON = 1e-6


class StageShape(NamedTuple):
    """Strides of a stage, its number of blocks, and their channels over its own."""

    freq_stride: int
    time_stride: int
    num_blocks: int
    expansion: int


STAGES = (
    StageShape(1, 1, 2, 2),
    StageShape(2, 1, 3, 1),
    StageShape(1, 2, 4, 1),
    StageShape(2, 1, 5, 1),
    StageShape(1, 2, 4, 1),
    StageShape(2, 1, 3, 1),
)


class ReDimNet2(Network):
    """Six stages that each see the weighted sum of all maps before them.

    Between stages a map is (N, C F, T); a stage reads it as (N, C', F', T), where
    C' F' = C F and C' grows as F' shrinks; it halves or quarters the time, computes in
    two dimensions, then over time, and repeats its frames to T.  Frames beyond a
    multiple of four are left out.

    The weights that were published are of this form; that of a later training has group
    normalizations behind every stage, which are not here.

    Args:
        reductions: divisors of C F, the channels that each stage has over time.
        head_channels: channels before pooling; 0: as many as the last stage has.
        channels: channels C of the first map.
        feat_dim: number of mel bins (D); F is the next multiple of 8.
        embedding_dim: embedding dimension.

    Source: "ReDimNet2: Scaling speaker verification via time-pooled dimension
    reshaping", submitted to Interspeech 2026, and its code (PalabraAI/redimnet2), whose
    filter banks have 72 bins up to 7,600 Hz.
    """

    min_frames = TIME_STRIDE

    def __init__(
        self,
        reductions: tuple[int, ...] = (36, 36, 36, 36, 18, 18),
        head_channels: Natural = 0,
        channels: Count = 12,
        feat_dim: Count = 72,
        embedding_dim: Count = 192,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        freq_stride = math.prod(stage.freq_stride for stage in STAGES)
        num_bins = strided(feat_dim, freq_stride) * freq_stride
        self.missing_bins = num_bins - feat_dim
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.stem_norm = ChannelNorm(channels)
        self.stages = nn.ModuleList()
        self.sums = nn.ModuleList()
        size, time_stride = channels * num_bins, 1
        shape = channels, num_bins
        for number, (stage, reduction) in enumerate(
            zip(STAGES, reductions, strict=True)
        ):
            time_stride *= stage.time_stride
            self.sums.append(WeightedSum(number + 1, size))
            self.stages.append(Stage(shape, stage, time_stride, reduction))
            shape = shape[0] * stage.freq_stride, shape[1] // stage.freq_stride
        self.sums.append(WeightedSum(len(STAGES) + 1, size))
        self.shape = shape
        self.head: nn.Module = nn.Identity()
        if head_channels:
            self.head = nn.Conv2d(shape[0], head_channels, 1)
        width = (head_channels or shape[0]) * shape[1]
        self.pool = Pooling("asp", width, ChannelAttention(width, context=True))
        self.output = nn.Sequential(
            nn.BatchNorm1d(2 * width), nn.Linear(2 * width, embedding_dim)
        )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = x[..., : x.shape[-1] // TIME_STRIDE * TIME_STRIDE]
        if num_frames is not None:
            num_frames = num_frames // TIME_STRIDE * TIME_STRIDE
        x = F.pad(zero_padding(x, num_frames), (0, 0, 0, self.missing_bins))
        x = self.stem_norm(self.stem(x[:, None]))  # (N, C, F, T)
        maps = [zero_padding(as_series(x), num_frames)]  # (N, C F, T)
        for combine, stage in zip(self.sums, self.stages, strict=False):
            maps.append(stage(combine(maps), num_frames))
        x = self.head(as_image(self.sums[-1](maps), self.shape))
        return self.output(self.pool(x.flatten(1, 2), num_frames))


class Stage(nn.Module):
    """Compute in two dimensions, then over time, on fewer frames.

    Args:
        shape: C' and F' of the input.
        stage: what the stage does to it.
        time_stride: frames of the input that one of the stage's stands for.
        reduction: by what C' F' is divided where it looks over time.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        stage: StageShape,
        time_stride: int,
        reduction: int,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.time_stride = time_stride
        channels = shape[0] * stage.freq_stride
        wide = channels * stage.expansion
        stride = stage.freq_stride, time_stride
        groups = math.gcd(shape[0], wide)
        self.stride = nn.Conv2d(shape[0], wide, stride, stride, groups=groups)
        self.blocks = nn.ModuleList(
            DepthwiseBlock(wide) for _ in range(stage.num_blocks)
        )
        self.narrow: nn.Module = nn.Identity()
        if stage.expansion > 1:
            self.narrow = nn.Sequential(
                nn.Conv2d(wide, channels, 1), nn.BatchNorm2d(channels, eps=EPSILON)
            )
        self.context = TimeContext(math.prod(shape), reduction)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C F, T) and how many frames are real -> the same shape, zero beyond."""
        if num_frames is not None:
            num_frames = num_frames // self.time_stride
        x = self.stride(as_image(x, self.shape))
        for block in self.blocks:
            x = block(x, num_frames)
        x = self.context(as_series(self.narrow(x)), num_frames)
        scale = float(self.time_stride)
        return F.interpolate(zero_padding(x, num_frames), scale_factor=scale)


class DepthwiseBlock(nn.Module):
    """A residual block of two separable convolutions.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = separable(channels)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = separable(channels)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, F, T) and how many frames are real -> the same shape."""
        y = self.first(zero_padding(x, num_frames))
        y = self.first_norm(torch.relu(y))  # in this order
        y = self.second_norm(self.second(zero_padding(y, num_frames)))
        return torch.relu(x + y)


class TimeContext(nn.Module):
    """Look over time on few channels: four convolutions, then attention.

    Args:
        channels: C of the map.
        reduction: by what C is divided.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden_dim = max(NUM_HEADS, channels // reduction // NUM_HEADS * NUM_HEADS)
        self.narrow = nn.Sequential(
            nn.Conv1d(channels, hidden_dim, 1), ChannelNorm(hidden_dim)
        )
        self.local = nn.ModuleList(TimeBlock(hidden_dim, kernel) for kernel in KERNELS)
        self.attention = SelfAttention(hidden_dim)
        self.widen = nn.Conv1d(hidden_dim, channels, 1)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> the same shape."""
        y = self.narrow(x)
        for block in self.local:
            y = block(y, num_frames)
        return x + self.widen(self.attention(y, num_frames))


class TimeBlock(nn.Module):
    """A depthwise convolution over time, and a residual connection.

    Args:
        channels: C.
        kernel: frames, odd.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        half = kernel // 2
        self.depthwise = nn.Conv1d(
            channels, channels, kernel, padding=half, groups=channels
        )
        self.norm = nn.BatchNorm1d(channels)
        self.pointwise = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> the same shape."""
        y = self.norm(self.depthwise(zero_padding(x, num_frames)))
        return x + self.pointwise(F.gelu(y))


class SelfAttention(nn.Module):
    """Attention over time and two layers per frame, each normalized after its sum.

    Args:
        channels: C, a multiple of the number of heads.

    Source: A. Vaswani et al., "Attention is all you need", 2017, (1), without
    positions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)
        self.attention_norm = nn.LayerNorm(channels, EPSILON)
        self.layers = nn.Sequential(
            nn.Linear(channels, channels),
            nn.GELU(approximate="tanh"),
            nn.Linear(channels, channels),
        )
        self.norm = nn.LayerNorm(channels, EPSILON)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> the same shape."""
        x = x.transpose(1, 2)  # (N, T, C)
        num_utts, length, channels = x.shape
        split = num_utts, length, NUM_HEADS, channels // NUM_HEADS
        query, key, value = (
            layer(x).reshape(split).transpose(1, 2)  # (N, H, T, C / H)
            for layer in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(key.shape[-1])  # (N, H, T, T)
        if num_frames is not None:
            frames = torch.arange(x.shape[1], device=x.device)
            padding = frames >= num_frames[:, None, None, None]
            scores = scores.masked_fill(padding, -torch.inf)
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(x.shape)
        x = self.attention_norm(x + self.output(mixed))
        return self.norm(x + self.layers(x)).transpose(1, 2)


class WeightedSum(nn.Module):
    """Add maps, each channel with weights of its own that add to 1.

    Args:
        num_maps: number of maps; one is left as it is.
        channels: C.
    """

    def __init__(self, num_maps: int, channels: int) -> None:
        super().__init__()
        shape = num_maps, channels, 1
        self.weights = nn.Parameter(torch.zeros(shape)) if num_maps > 1 else None

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, T) -> (N, C, T)."""
        if self.weights is None:
            return maps[0]
        weights = self.weights.softmax(dim=0)
        total = weights[0] * maps[0]
        for weight, x in zip(weights[1:], maps[1:], strict=True):
            total = total + weight * x
        return total


class ChannelNorm(nn.Module):
    """Normalize over the channels of every place of a map.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> the same shape."""
        return self.norm(x.transpose(1, -1)).transpose(1, -1)


def as_image(x: Tensor, shape: tuple[int, int]) -> Tensor:
    """(N, F C, T), and C and F -> (N, C, F, T)."""
    # Not unflatten, whose shape an ONNX graph would keep.
    image = x.reshape(x.shape[0], shape[1], shape[0], x.shape[2])
    return image.transpose(1, 2)


def as_series(x: Tensor) -> Tensor:
    """(N, C, F, T) -> (N, F C, T)."""
    return x.transpose(1, 2).flatten(1, 2)


def separable(channels: int) -> nn.Sequential:
    """Stack a depthwise 3 x 3 and a pointwise convolution."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1),
    )
