"""SENet and ECANet: the narrow residual networks of paper 2's countermeasures."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from asdkit.base.ranges import Count
from asdkit.nnet.attention import EfficientChannelAttention, SqueezeExcitation
from asdkit.nnet.network import Network
from asdkit.nnet.padding import strided, zero_padding
from asdkit.nnet.pooling import Pooling
from asdkit.nnet.residual import (
    BasicBlock,
    Bottleneck,
    ResidualBlock,
    Stages,
    Stride,
    conv_norm_relu,
    init_he,
)


class SeNet(Network):
    """A narrow residual network with channel gates, 16 to 128 channels.

    Published as countermeasures on (45, 600) spectrograms with a classifier of two
    outputs on the pooled channels; with ``embedding_dim`` a linear layer follows.

    Args:
        blocks: residual blocks per stage; (2, 2, 2, 2) is SENet-18.
        bottleneck: blocks of three convolutions, twice as wide at their end.
        gate: squeeze-and-excitation ("se"), or efficient channel attention ("eca").
        channels: channels of the first stage; every further stage doubles them.
        stem: layers before the stages: three 3x3 convolutions (convs), or a strided 7x7
            convolution and max pooling (strided), a fifteenth of the compute.
        feat_dim: number of frequency bins (D).
        embedding_dim: embedding dimension; None: the pooled channels, without a linear
            layer.

    Source: J. Xue et al., "Learning from yourself", ICASSP 2023; C.-I. Lai et al.,
    "ASSERT", Interspeech 2019.
    """

    def __init__(
        self,
        blocks: tuple[int, ...] = (2, 2, 2, 2),
        bottleneck: bool = False,
        gate: Literal["se", "eca"] = "se",
        channels: Count = 16,
        stem: Literal["convs", "strided"] = "convs",
        feat_dim: Count = 45,
        embedding_dim: Count | None = None,
    ) -> None:
        expansion = 2 if bottleneck else 1
        pooled = channels * 2 ** (len(blocks) - 1) * expansion
        super().__init__(feat_dim, embedding_dim or pooled)
        self.frame_stride = 2 ** (len(blocks) - 1)

        def block(in_channels: int, channels: int, stride: Stride) -> ResidualBlock:
            gated = make_gate(gate, channels * expansion)
            if bottleneck:
                return Bottleneck(in_channels, channels, stride, gated, expansion)
            return BasicBlock(in_channels, channels, stride, gated)

        if stem == "convs":
            widths = (1, channels, channels)
            layers = [conv_norm_relu(width, channels) for width in widths]
        else:
            layers = [conv_norm_relu(1, channels, 7, (2, 2))]
        self.stem = nn.ModuleList(layers)
        self.pooled_stem = stem == "strided"
        self.stages = Stages(
            block,
            channels,
            blocks,
            channels=[channels * 2**i for i in range(len(blocks))],
            strides=[(1, 1), *[(2, 2)] * (len(blocks) - 1)],
        )
        self.pool = Pooling("tap", pooled)
        self.output: nn.Module = nn.Identity()
        if embedding_dim is not None:
            self.output = nn.Linear(pooled, embedding_dim)
        init_he(self)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        return self.output(self.pool(*self.frames(x, num_frames)))

    def frames(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, D, T) -> (N, C, T'), and how many of the T' are real."""
        x = x[:, None]  # (N, 1, D, T)
        if self.pooled_stem:
            num_frames = strided(num_frames, 2)
        for layer in self.stem:
            x = zero_padding(layer(x), num_frames)  # (N, C, D, T), or halves of D, T
        if self.pooled_stem:
            num_frames = strided(num_frames, 2)
            x = zero_padding(F.max_pool2d(x, 3, 2, padding=1), num_frames)
        x, num_frames = self.stages(x, num_frames)  # (N, 8 C, D / 8, T / 8)
        return x.mean(dim=2), num_frames


def make_gate(name: str, channels: int) -> nn.Module:
    """Make a gate for so many channels by its name."""
    if name == "se":
        return SqueezeExcitation(channels, max(1, channels // 16), bias=False)
    if name == "eca":
        return EfficientChannelAttention(kernel=3)
    raise ValueError(f"expected gate 'se' or 'eca', got {name!r}")
