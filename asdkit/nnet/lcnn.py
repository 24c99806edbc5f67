"""Light CNN (LCNN): max-feature-map convolutions, for countermeasures."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Count, Natural, ProperShare
from asdkit.nnet.network import Network
from asdkit.nnet.padding import zero_padding
from asdkit.nnet.pooling import Pooling, PoolingName

# Kernel, width in halves of the first layer's, whether maps are halved, and normalized.
LAYERS = (
    (5, 2, True, False),
    (1, 2, False, True),
    (3, 3, True, True),
    (1, 3, False, True),
    (3, 4, True, False),
    (1, 4, False, True),
    (3, 2, False, True),
    (1, 2, False, True),
    (3, 2, True, False),
)
SHRUNK = 2 ** sum(halved for _, _, halved, _ in LAYERS)


class Lcnn(Network):
    """Nine convolutions with max-feature-map, recurrent layers beside them, pooling.

    With two recurrent layers and mean pooling it is the LFCC-LCNN-LSTM of the
    ASVspoof 2021 baseline, with none and attention the LCNN-attention beside it.

    Args:
        channels: channels of the first layer, an even number; later layers have up to
            twice as many.
        lstm_layers: number of bidirectional LSTM layers, each with a shortcut around
            it.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp).
        dropout: dropout probability of the last map.
        feat_dim: feature dimension (D); 60 are 20 LFCCs with first and second
            derivatives.
        embedding_dim: embedding dimension.

    Source: X. Wang, J. Yamagishi, "A comparative study on recent neural spoofing
    countermeasures for synthetic speech detection", Interspeech 2021; G. Lavrentyeva
    et al., "STC antispoofing systems for the ASVspoof2019 challenge", Interspeech 2019.
    """

    min_frames = SHRUNK
    frame_stride = SHRUNK
    channels_last = True

    def __init__(
        self,
        channels: Count = 32,
        lstm_layers: Natural = 2,
        pooling: PoolingName = "tap",
        dropout: ProperShare = 0.7,
        feat_dim: Count = 60,
        embedding_dim: Count = 64,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        if channels % 2:
            raise AsdkitError(f"Lcnn needs an even number of channels, got {channels}")
        if feat_dim < SHRUNK:
            raise AsdkitError(
                f"Lcnn needs features of {SHRUNK} numbers or more, got {feat_dim}",
                hint="--delta-order 2 makes three times as many",
            )
        self.layers = nn.ModuleList()
        before = 1
        for kernel, width, halved, normalized in LAYERS:
            after = channels * width // 2
            self.layers.append(MaxConv(before, after, kernel, halved, normalized))
            before = after
        self.dropout = nn.Dropout(dropout)
        width = before * (feat_dim // SHRUNK)
        self.recurrent = nn.ModuleList(BiLstm(width) for _ in range(lstm_layers))
        self.pool = Pooling(pooling, width)
        self.output = nn.Linear(self.pool.out_channels, embedding_dim)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        return self.output(self.pool(*self.frames(x, num_frames)))

    def frames(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, D, T) -> (N, C, T'), and how many of the T' are real."""
        x = x[:, None]  # (N, 1, D, T)
        for layer in self.layers:
            x, num_frames = layer(x, num_frames)
        x = self.dropout(x).flatten(1, 2)  # (N, C * D / 16, T / 16)
        y = x
        for layer in self.recurrent:
            y = layer(y, num_frames)
        if len(self.recurrent):
            x = x + y
        return x, num_frames


class MaxConv(nn.Module):
    """A convolution with max-feature-map: every channel is the larger of two.

    Args:
        in_channels: C of the input.
        channels: C of the output.
        kernel: odd.
        halved: whether the output is max-pooled two by two.
        normalized: whether the output is normalized.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int,
        halved: bool,
        normalized: bool,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2 * channels, kernel, padding=kernel // 2)
        self.norm: nn.Module = nn.Identity()
        if normalized:
            self.norm = nn.BatchNorm2d(channels, affine=False)
        self.halved = halved

    def forward(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, C, D, T), (N,) -> (N, C', D', T') and how many frames are real."""
        x = larger_half(self.conv(x))
        if self.halved:
            x = F.max_pool2d(x, 2)
            num_frames = None if num_frames is None else num_frames // 2
        return zero_padding(self.norm(x), num_frames), num_frames


def larger_half(x: Tensor) -> Tensor:
    """(N, 2C, ...) -> (N, C, ...), the larger of a channel and the one C after it."""
    learns = torch.is_grad_enabled() and x.requires_grad
    if learns and not torch.compiler.is_compiling():
        return _LargerHalf.apply(x)
    half = int(x.shape[1]) // 2  # a number even in a graph, unlike that of a chunk
    return torch.maximum(x[:, :half], x[:, half:])


class _LargerHalf(torch.autograd.Function):
    """The same with a backward pass of its own: torch's takes three times as long.

    Of two equal channels the first one gets the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """(N, 2C, ...) -> (N, C, ...)."""
        first, second = x.chunk(2, dim=1)
        ctx.save_for_backward(first >= second)
        return torch.maximum(first, second)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """(N, C, ...) -> (N, 2C, ...)."""
        (is_first,) = ctx.saved_tensors
        of_first = gradient * is_first
        return torch.cat([of_first, gradient - of_first], dim=1)


class BiLstm(nn.Module):
    """A recurrent layer in both directions, as wide as its input.

    Args:
        channels: C, even.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            channels, channels // 2, batch_first=True, bidirectional=True
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, T) and how many frames are real -> (N, C, T), zero beyond the end."""
        x = x.transpose(1, 2)  # (N, T, C)
        if num_frames is None:
            return self.lstm(x)[0].transpose(1, 2)
        packed = pack_padded_sequence(
            x, num_frames.cpu(), batch_first=True, enforce_sorted=False
        )
        y, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=x.shape[1]
        )
        return y.transpose(1, 2)
