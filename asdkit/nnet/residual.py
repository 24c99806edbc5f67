"""Residual blocks over (N, C, D, T) maps, and stages of them.

Every block takes and gives a map that is zero beyond the end of its utterances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.nnet.padding import strided, zero_padding

Stride = tuple[int, int]  # along features, along time


def conv_norm(
    in_channels: int, channels: int, kernel: int = 3, stride: Stride = (1, 1)
) -> nn.Sequential:
    """Stack a convolution without bias and batch normalization."""
    conv = Pointwise if kernel == 1 else nn.Conv2d
    return nn.Sequential(
        conv(in_channels, channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
    )


def conv_norm_relu(
    in_channels: int, channels: int, kernel: int = 3, stride: Stride = (1, 1)
) -> nn.Sequential:
    """Stack a convolution without bias, batch normalization and ReLU."""
    layers = conv_norm(in_channels, channels, kernel, stride)
    return layers.append(nn.ReLU(inplace=True))


class Pointwise(nn.Conv2d):
    """A 1x1 convolution that drops first what its stride would skip.

    With its stride, torch 2.11 on a CPU writes beyond its arrays in the backward pass,
    if it has less than 16 channels and these are last.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, D, T) -> (N, C', D', T')."""
        along_features, along_time = self.stride
        return F.conv2d(x[..., ::along_features, ::along_time], self.weight, self.bias)


class ResidualBlock(nn.Module):
    """Add a block's layers to its input: ``relu(f(x) + shortcut(x))``.

    Args:
        in_channels: C of the input.
        out_channels: C of the output; the shortcut is a 1x1 convolution where the
            shape changes.
        stride: stride along features and time.
        gate: gate of the channels of f(x); None for none.

    Source: K. He et al., "Deep residual learning", CVPR 2016, (1).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: Stride,
        gate: nn.Module | None,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.time_stride = stride[1]
        self.gate = gate
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != (1, 1) or in_channels != out_channels:
            self.shortcut = conv_norm(in_channels, out_channels, 1, stride)

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, D, T), (N,) -> (N, C', D', T') and how many of its frames are real."""
        shorter = strided(num_frames, self.time_stride)
        y = self.residual(x, num_frames, shorter)
        if self.gate is not None:
            y = self.gate(y, shorter)
        return zero_padding(self.relu(y + self.shortcut(x)), shorter), shorter

    def residual(
        self, x: Tensor, num_frames: Tensor | None, shorter: Tensor | None
    ) -> Tensor:
        """(N, C, D, T) -> (N, C', D', T'), f(x).

        ``num_frames``, (N,), are real before the stride, ``shorter``, (N,), after; what
        it leaves beyond an utterance's end does not matter.
        """
        raise NotImplementedError


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions.

    Args:
        in_channels: C of the input.
        channels: C of the output.
        stride: of the first convolution.
        gate: see `ResidualBlock`.
        norm_last: order after the first convolution: ReLU, then normalization.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: Stride = (1, 1),
        gate: nn.Module | None = None,
        norm_last: bool = False,
    ) -> None:
        super().__init__(in_channels, channels, stride, gate)
        conv, norm = conv_norm(in_channels, channels, 3, stride)
        relu = nn.ReLU(inplace=True)
        self.first = nn.Sequential(conv, *((relu, norm) if norm_last else (norm, relu)))
        self.second = conv_norm(channels, channels)

    def residual(
        self, x: Tensor, num_frames: Tensor | None, shorter: Tensor | None
    ) -> Tensor:
        """(N, C, D, T) -> (N, C', D', T'), see `ResidualBlock.residual`."""
        return self.second(zero_padding(self.first(x), shorter))


class Bottleneck(ResidualBlock):
    """A 3x3 convolution between two 1x1 that narrow and widen.

    Args:
        in_channels: C of the input.
        channels: C between the narrow convolutions.
        stride: of the 3x3 convolution.
        gate: see `ResidualBlock`.
        expansion: C of the output is this times ``channels``.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: Stride = (1, 1),
        gate: nn.Module | None = None,
        expansion: int = 4,
    ) -> None:
        super().__init__(in_channels, expansion * channels, stride, gate)
        self.narrow = conv_norm_relu(in_channels, channels, 1)
        self.middle = conv_norm_relu(channels, channels, 3, stride)
        self.widen = conv_norm(channels, self.out_channels, 1)

    def residual(
        self, x: Tensor, num_frames: Tensor | None, shorter: Tensor | None
    ) -> Tensor:
        """(N, C, D, T) -> (N, C', D', T'), see `ResidualBlock.residual`."""
        return self.widen(self.middle(zero_padding(self.narrow(x), num_frames)))


class Stage(nn.Module):
    """Blocks in a row.

    Args:
        blocks: each takes what the one before it gives.
    """

    def __init__(self, blocks: Iterable[ResidualBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, D, T), (N,) -> (N, C', D', T') and how many of its frames are real."""
        for block in self.blocks:
            x, num_frames = block(x, num_frames)
        return x, num_frames


class Stages(nn.Module):
    """Stages in a row; the first block of each may stride and widen.

    Args:
        block: builds a block from its input channels, its channels and its stride.
        in_channels: C of the input.
        blocks: number of blocks of each stage.
        channels: the channels of each stage's blocks.
        strides: the stride of each stage.

    Attributes:
        out_channels: C of the output.
    """

    def __init__(
        self,
        block: Callable[[int, int, Stride], ResidualBlock],
        in_channels: int,
        blocks: Sequence[int],
        channels: Sequence[int],
        strides: Sequence[Stride],
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        self.out_channels = in_channels
        for depth, width, stride in zip(blocks, channels, strides, strict=True):
            first = block(self.out_channels, width, stride)
            self.out_channels = first.out_channels
            rest = (block(self.out_channels, width, (1, 1)) for _ in range(1, depth))
            self.stages.append(Stage([first, *rest]))

    def maps(
        self, x: Tensor, num_frames: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the map after every stage and how many of its frames are real.

        Args:
            x: (N, C, D, T) zero beyond an utterance's end.
            num_frames: (N,) or None, where all T are real.
        """
        for stage in self.stages:
            x, num_frames = stage(x, num_frames)
            yield x, num_frames

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, D, T), (N,) -> the last stage's (N, C', D', T') and its lengths."""
        *_, last = self.maps(x, num_frames)
        return last


def init_he(network: nn.Module) -> None:
    """Draw the weights of all 2-D convolutions from He's normal distribution.

    Source: K. He et al., "Delving deep into rectifiers", ICCV 2015, equation (14): the
    backward case.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
