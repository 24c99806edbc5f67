"""ECAPA-TDNN: a time-delay network with multi-scale blocks and channel attention."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from asdkit.base.ranges import Count, Positive
from asdkit.nnet.attention import SqueezeExcitation
from asdkit.nnet.network import Network
from asdkit.nnet.padding import mirror_padding, zero_padding
from asdkit.nnet.pooling import (
    VARIANCE_FLOOR,
    ChannelAttention,
    Pooling,
    PoolingName,
)

BlockInput = Literal["sum", "previous"]
STEM_KERNEL = 5
DILATIONS = (2, 3, 4)  # of the blocks
ATTENTION_DIM = 128


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
        mirrored: continue utterances by their mirror image, not by zeros, and normalize
            the last layer before pooling and the attention's hidden layer, as
            SpeechBrain and 3D-Speaker do.
        unbiased: divide variances in the context by one frame fewer, and add the floor,
            as WeSpeaker does.
        variance_floor: least variance over time.
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
        mirrored: bool = False,
        unbiased: bool = False,
        variance_floor: Positive = VARIANCE_FLOOR,
        feat_dim: Count = 80,
        embedding_dim: Count = 192,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.block_input = block_input
        if mirrored:
            self.min_frames = max(DILATIONS) + 1
        self.stem = conv_relu_norm(feat_dim, channels, STEM_KERNEL, padded=not mirrored)
        self.stem_margin = STEM_KERNEL // 2 if mirrored else 0
        self.blocks = nn.ModuleList(
            SeRes2Block(channels, dilation, mirrored=mirrored) for dilation in DILATIONS
        )
        self.merge = nn.Sequential(
            nn.Conv1d(3 * channels, pooled_channels, 1), nn.ReLU(inplace=True)
        )
        squash: nn.Module | None = None
        if mirrored:
            self.merge.append(nn.BatchNorm1d(pooled_channels))
            norm = nn.BatchNorm1d(ATTENTION_DIM)
            squash = nn.Sequential(nn.ReLU(inplace=True), norm, nn.Tanh())
        variance = unbiased, variance_floor
        attention = ChannelAttention(
            pooled_channels, ATTENTION_DIM, squash, context, *variance
        )
        self.pool = Pooling(pooling, pooled_channels, attention, *variance)
        self.output = nn.Sequential(
            nn.BatchNorm1d(self.pool.out_channels),
            nn.Linear(self.pool.out_channels, embedding_dim),
        )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        if self.stem_margin:
            x = mirror_padding(x, num_frames, self.stem_margin)
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
        mirrored: mirror the frames at the ends.

    Source: S.-H. Gao et al., "Res2Net", TPAMI 2021, equation (1), where it is the
    first group that is not convolved.
    """

    def __init__(
        self, channels: int, dilation: int, scale: int = 8, mirrored: bool = False
    ) -> None:
        super().__init__()
        if channels % scale:
            raise ValueError(f"expected a multiple of {scale} channels, got {channels}")
        self.width = channels // scale
        self.margin = dilation if mirrored else 0
        self.before = conv_relu_norm(channels, channels)
        self.cascade = nn.ModuleList(
            conv_relu_norm(self.width, self.width, 3, dilation, padded=not mirrored)
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
            if self.margin:
                group = mirror_padding(group, num_frames, self.margin)
            else:
                group = zero_padding(group, num_frames)
            convolved.append(convolve(group))
        y = self.after(torch.cat([*convolved, last], dim=1))
        return x + self.gate(y, num_frames)


def conv_relu_norm(
    in_channels: int,
    channels: int,
    kernel: int = 1,
    dilation: int = 1,
    padded: bool = True,
) -> nn.Sequential:
    """Stack a convolution, ReLU and normalization; padded, it keeps the length."""
    padding = dilation * (kernel // 2) if padded else 0
    return nn.Sequential(
        nn.Conv1d(in_channels, channels, kernel, padding=padding, dilation=dilation),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(channels),
    )
