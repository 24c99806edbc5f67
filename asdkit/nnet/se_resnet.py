"""ResNet-34 with squeeze-and-excitation: the teacher and the student of paper 0.

Both see log-mels normalized over the utterance, per bin, which is part of the model and
has no parameters; pre-emphasis (the teacher's) is the front end's.  That removes the
channel, along with everything else in an utterance's mean spectrum; where that costs
too much, there is an alternative (``normalized``).

Source: J. S. Chung et al., "In defence of metric learning for speaker recognition",
Interspeech 2020 (Fast ResNet-34); Y. Kwon et al., "The ins and outs of speaker
recognition", ICASSP 2021 (H/ASP); sizes and order of layers as in
github.com/clovaai/voxceleb_trainer, ResNetSE34V2 and ResNetSE34L.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from asdkit.base.ranges import Count
from asdkit.nnet.attention import SqueezeExcitation
from asdkit.nnet.network import Network
from asdkit.nnet.padding import mean_over_time, strided, zero_padding
from asdkit.nnet.pooling import ChannelAttention, FrameAttention, Pooling, PoolingName
from asdkit.nnet.residual import BasicBlock, Stages, Stride, conv_norm_relu, init_he

BLOCKS = (3, 4, 6, 3)
SE_REDUCTION = 8
Normalized = Literal["bin", "utterance"]


class ResNetSe(Network):
    """The ResNet-34 of H/ASP: full width, with attention; 4.6 GMAC for 4 s.

    Args:
        channels: channels of the first stage; every further stage doubles them.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp); attention weights per channel.
        normalized: normalization over time: each feature on its own (bin), or all
            features of an utterance together (utterance).
        feat_dim: number of mel bins (D).
        embedding_dim: embedding dimension.
    """

    def __init__(
        self,
        channels: Count = 32,
        pooling: PoolingName = "sap",
        normalized: Normalized = "bin",
        feat_dim: Count = 40,
        embedding_dim: Count = 512,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.normalized: Normalized = normalized
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(channels),
        )
        strides: list[Stride] = [(1, 1), (2, 2), (2, 2), (2, 2)]
        self.stages = se_stages(channels, strides)
        pooled = self.stages.out_channels * strided(feat_dim, 8)
        relu_norm = nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm1d(128))
        attention = ChannelAttention(pooled, 128, relu_norm)
        self.pool = Pooling(pooling, pooled, attention)
        self.output = nn.Linear(self.pool.out_channels, embedding_dim)
        init_he(self)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = normalize_over_time(x, num_frames, self.normalized)
        x = x[:, None]  # (N, 1, D, T)
        x = zero_padding(self.stem(x), num_frames)  # (N, C, D, T)
        x, num_frames = self.stages(x, num_frames)  # (N, 8 C, D / 8, T / 8)
        return self.output(self.pool(x.flatten(1, 2), num_frames))


class FastResNetSe(Network):
    """Fast ResNet-34: a fifth of the parameters and of the time.

    Half as wide, half as high from the first layer on; features are averaged
    before pooling.

    Args:
        channels: channels of the first stage; every further stage doubles them.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp); attention weights per frame.
        normalized: normalization over time: each feature on its own (bin), or all
            features of an utterance together (utterance).
        feat_dim: number of mel bins (D).
        embedding_dim: embedding dimension.
    """

    def __init__(
        self,
        channels: Count = 16,
        pooling: PoolingName = "sap",
        normalized: Normalized = "bin",
        feat_dim: Count = 40,
        embedding_dim: Count = 512,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.normalized: Normalized = normalized
        self.stem = conv_norm_relu(1, channels, 7, (2, 1))
        strides: list[Stride] = [(1, 1), (2, 2), (2, 2), (1, 1)]
        self.stages = se_stages(channels, strides)
        pooled = self.stages.out_channels
        self.pool = Pooling(pooling, pooled, FrameAttention(pooled, pooled))
        self.output = nn.Linear(self.pool.out_channels, embedding_dim)
        init_he(self)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = normalize_over_time(x, num_frames, self.normalized)
        x = x[:, None]  # (N, 1, D, T)
        x = zero_padding(self.stem(x), num_frames)  # (N, C, D / 2, T)
        x, num_frames = self.stages(x, num_frames)  # (N, 8 C, D / 8, T / 4)
        return self.output(self.pool(x.mean(dim=2), num_frames))


def se_stages(channels: int, strides: list[Stride]) -> Stages:
    """Make the four stages of ResNet-34 that both networks have."""

    def block(in_channels: int, channels: int, stride: Stride) -> BasicBlock:
        gate = SqueezeExcitation(channels, max(1, channels // SE_REDUCTION))
        return BasicBlock(in_channels, channels, stride, gate, norm_last=True)

    widths = [channels * 2**i for i in range(len(BLOCKS))]
    return Stages(block, channels, BLOCKS, widths, strides)


def normalize_over_time(
    x: Tensor,
    num_frames: Tensor | None,
    normalized: Normalized = "bin",
    eps: float = 1e-5,
) -> Tensor:
    """Give every feature of every utterance mean 0 and variance 1.

    Args:
        x: (N, D, T) zero beyond an utterance's end.
        num_frames: (N,) how many frames are real, None for all.
        normalized: "bin": every feature on its own, as published; "utterance": all
            features together, which removes the level and keeps the mean spectrum.
        eps: added to the variance.

    Returns:
        (N, D, T) zero beyond an utterance's end.
    """
    mean = mean_over_time(x, num_frames)[..., None]  # (N, D, 1)
    if normalized == "utterance":
        mean = mean.mean(dim=1, keepdim=True)
    centered = zero_padding(x - mean, num_frames)
    variance = mean_over_time(centered.square(), num_frames)[..., None]
    if normalized == "utterance":
        variance = variance.mean(dim=1, keepdim=True)
    return centered * (variance + eps).rsqrt()
