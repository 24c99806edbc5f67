"""ECAPA-TDNN: a time-delay network with multi-scale blocks and channel attention."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from asdkit.base.ranges import Count
from asdkit.nnet.attention import SqueezeExcitation
from asdkit.nnet.network import Network
from asdkit.nnet.padding import zero_padding
from asdkit.nnet.pooling import ChannelAttention, Pooling, PoolingName

BlockInput = Literal["sum", "previous"]


class EcapaTdnn(Network):
    """Three blocks of growing dilation, whose outputs are pooled together.

    Args:
        channels: channels of the blocks; 512 and 1024 are published.
        pooled_channels: channels of the last layer before pooling.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp); attention weights per channel.
        context: feed the utterance's mean and standard deviation to the attention.
        block_input: input of a block: the sum of all before it, as in the paper (sum),
            or the one before it alone, as in WeSpeaker and UniSpeech (previous).
        feat_dim: number of mel bins (D).
        embedding_dim: embedding dimension.

    Source: B. Desplanques et al., "ECAPA-TDNN", Interspeech 2020; without the batch
    normalization of the embedding, as in WeSpeaker.
    """

    def __init__(
        self,
        channels: Count = 512,
        pooled_channels: Count = 1536,
        pooling: PoolingName = "asp",
        context: bool = True,
        block_input: BlockInput = "sum",
        feat_dim: Count = 80,
        embedding_dim: Count = 192,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.block_input = block_input
        self.stem = conv_relu_norm(feat_dim, channels, 5)
        self.blocks = nn.ModuleList(
            SeRes2Block(channels, dilation) for dilation in (2, 3, 4)
        )
        self.merge = nn.Sequential(
            nn.Conv1d(3 * channels, pooled_channels, 1), nn.ReLU(inplace=True)
        )
        attention = ChannelAttention(pooled_channels, context=context)
        self.pool = Pooling(pooling, pooled_channels, attention)
        self.output = nn.Sequential(
            nn.BatchNorm1d(self.pool.out_channels),
            nn.Linear(self.pool.out_channels, embedding_dim),
        )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = self.stem(x)  # (N, C, T)
        outputs = []
        for block in self.blocks:
            outputs.append(block(x, num_frames))
            x = x + outputs[-1] if self.block_input == "sum" else outputs[-1]
        x = self.merge(torch.cat(outputs, dim=1))  # (N, P, T)
        return self.output(self.pool(x, num_frames))


class SeRes2Block(nn.Module):
    """Convolve groups of channels in a cascade, then gate; added to the input.

    Args:
        channels: C.
        dilation: dilation of the convolutions.
        scale: number of groups; all but the last are convolved, each with the result
            of the one before it added.

    Source: S.-H. Gao et al., "Res2Net", TPAMI 2021.
    """

    def __init__(self, channels: int, dilation: int, scale: int = 8) -> None:
        super().__init__()
        if channels % scale:
            raise ValueError(f"expected a multiple of {scale} channels, got {channels}")
        self.width = channels // scale
        self.before = conv_relu_norm(channels, channels)
        self.cascade = nn.ModuleList(
            conv_relu_norm(self.width, self.width, 3, dilation)
            for _ in range(scale - 1)
        )
        self.after = conv_relu_norm(channels, channels)
        self.gate = SqueezeExcitation(channels, hidden_dim=128)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, C, T)."""
        *groups, last = self.before(x).split(self.width, dim=1)
        convolved: list[Tensor] = []
        for group, convolve in zip(groups, self.cascade, strict=True):
            if convolved:
                group = group + convolved[-1]
            convolved.append(convolve(zero_padding(group, num_frames)))
        y = self.after(torch.cat([*convolved, last], dim=1))
        return x + self.gate(y, num_frames)


def conv_relu_norm(
    in_channels: int, channels: int, kernel: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Stack a convolution that keeps the length, ReLU and batch normalization."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv1d(in_channels, channels, kernel, padding=padding, dilation=dilation),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(channels),
    )
