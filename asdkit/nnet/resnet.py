"""Residual networks on log-mel maps, the standard of today's toolkits."""

from __future__ import annotations

from torch import Tensor, nn

from asdkit.base.ranges import Count, Positive
from asdkit.nnet.network import Network
from asdkit.nnet.padding import strided, zero_padding
from asdkit.nnet.pooling import VARIANCE_FLOOR, Pooling, PoolingName
from asdkit.nnet.residual import BasicBlock, Bottleneck, Stages, conv_norm_relu


class ResNet(Network):
    """Treat the features as an image of one channel; halve it from stage to stage.

    Args:
        blocks: residual blocks per stage; (3, 4, 6, 3) is ResNet-34.
        bottleneck: blocks of three convolutions, as in the deep variants.
        channels: channels of the first stage; every further stage doubles them.
        stem_stride: stride of the first convolution, in time and frequency; 2 costs a
            quarter of the compute.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp).
        unbiased: divide variances over time by one frame fewer, and add the floor, as
            WeSpeaker does.
        variance_floor: least variance over time.
        two_layers: a second linear layer, behind ReLU and normalization, that gives the
            embedding.
        feat_dim: number of mel bins (D).
        embedding_dim: embedding dimension.

    Source: K. He et al., "Deep residual learning", CVPR 2016; H. Zeinali et al.,
    "BUT system description to VoxSRC 2019", for these widths and strides.
    """

    channels_last = True

    def __init__(
        self,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        bottleneck: bool = False,
        channels: Count = 32,
        stem_stride: Count = 1,
        pooling: PoolingName = "stats",
        unbiased: bool = False,
        variance_floor: Positive = VARIANCE_FLOOR,
        two_layers: bool = False,
        feat_dim: Count = 80,
        embedding_dim: Count = 256,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.stem_stride = stem_stride
        self.stem = conv_norm_relu(1, channels, stride=(stem_stride, stem_stride))
        num_halvings = len(blocks) - 1
        self.frame_stride = stem_stride * 2**num_halvings
        self.stages = Stages(
            Bottleneck if bottleneck else BasicBlock,
            channels,
            blocks,
            channels=[channels * 2**i for i in range(len(blocks))],
            strides=[(1, 1), *[(2, 2)] * num_halvings],
        )
        height = strided(feat_dim, self.frame_stride)
        width = self.stages.out_channels * height
        self.pool = Pooling(pooling, width, None, unbiased, variance_floor)
        first = nn.Linear(self.pool.out_channels, embedding_dim)
        self.output: nn.Module = first
        if two_layers:
            self.output = nn.Sequential(
                first,
                nn.ReLU(inplace=True),
                nn.BatchNorm1d(embedding_dim, affine=False),
                nn.Linear(embedding_dim, embedding_dim),
            )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        return self.output(self.pool(*self.frames(x, num_frames)))

    def frames(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, D, T) -> (N, C, T'), and how many of the T' are real."""
        num_frames = strided(num_frames, self.stem_stride)
        x = zero_padding(self.stem(x[:, None]), num_frames)  # (N, C, D, T)
        x, num_frames = self.stages(x, num_frames)  # (N, C', D', T')
        return x.flatten(1, 2), num_frames
