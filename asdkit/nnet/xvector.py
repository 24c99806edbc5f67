"""The x-vector: a time-delay network without padding, the smallest and fastest."""

from __future__ import annotations

from torch import Tensor, nn

from asdkit.base.ranges import Count
from asdkit.nnet.network import Network
from asdkit.nnet.pooling import Pooling, PoolingName

# Context and dilation of the five layers.
LAYERS = ((5, 1), (3, 2), (3, 3), (1, 1), (1, 1))
LOST_FRAMES = sum((context - 1) * dilation for context, dilation in LAYERS)


class XVector(Network):
    """Five layers that see 15 frames at once, statistics, two linear layers.

    Convolutions do not pad, so 14 frames are lost, and the padding of a batch is
    seen only by frames that the pooling leaves out.

    Args:
        channels: channels of all layers but the last.
        last_channels: channels of the last layer before pooling.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp).
        feat_dim: feature dimension (D).
        embedding_dim: embedding dimension.

    Source: D. Snyder et al., "X-vectors", ICASSP 2018; the second embedding layer,
    which is the output, as in WeSpeaker's XVEC.
    """

    min_frames = LOST_FRAMES + 1

    def __init__(
        self,
        channels: Count = 512,
        last_channels: Count = 1500,
        pooling: PoolingName = "stats",
        feat_dim: Count = 80,
        embedding_dim: Count = 256,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.layers = nn.Sequential()
        widths = [feat_dim, *[channels] * (len(LAYERS) - 1), last_channels]
        for i, (context, dilation) in enumerate(LAYERS):
            conv = nn.Conv1d(widths[i], widths[i + 1], context, dilation=dilation)
            self.layers += nn.Sequential(
                conv,
                nn.ReLU(inplace=True),
                nn.BatchNorm1d(widths[i + 1], affine=False),
            )
        self.pool = Pooling(pooling, last_channels)
        self.output = nn.Sequential(
            nn.Linear(self.pool.out_channels, embedding_dim),
            nn.ReLU(inplace=True),
            nn.BatchNorm1d(embedding_dim, affine=False),
            nn.Linear(embedding_dim, embedding_dim),
        )

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        x = self.layers(x)  # (N, C, T - 14)
        if num_frames is not None:
            num_frames = num_frames - LOST_FRAMES
        return self.output(self.pool(x, num_frames))
