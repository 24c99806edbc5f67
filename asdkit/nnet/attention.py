"""Channel attention: gates computed from statistics of the whole utterance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdkit.nnet.padding import mean_over_time


class SqueezeExcitation(nn.Module):
    """Gate channels by a small network on their averages.

    Args:
        channels: C.
        hidden_dim: dimension between the two layers.
        bias: whether the layers have biases.

    Source: J. Hu et al., "Squeeze-and-excitation networks", CVPR 2018, (2) to (4).
    """

    def __init__(self, channels: int, hidden_dim: int, bias: bool = True) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden_dim, bias),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_dim, channels, bias),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, ..., T) and how many frames are real -> the same shape, weighed."""
        return x * as_gate(self.gate(average(x, num_frames)), x)


class EfficientChannelAttention(nn.Module):
    """Gate channels by a convolution over the averages of their neighbors.

    Args:
        kernel: number of neighboring channels, odd.

    Source: Q. Wang et al., "ECA-Net", CVPR 2020, equation (9).
    """

    def __init__(self, kernel: int = 3) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, ..., T) and how many frames are real -> the same shape, weighed."""
        mixed = self.mix(average(x, num_frames)[:, None])  # (N, 1, C)
        return x * as_gate(torch.sigmoid(mixed[:, 0]), x)  # (9)


def average(x: Tensor, num_frames: Tensor | None) -> Tensor:
    """(N, C, T) or (N, C, D, T) -> (N, C), the mean over all axes but two."""
    if x.dim() == 4:
        x = x.mean(dim=2)
    return mean_over_time(x, num_frames)


def as_gate(weights: Tensor, x: Tensor) -> Tensor:
    """Give (N, C) the trailing axes that it needs to multiply a map."""
    return weights.view(*weights.shape, *[1] * (x.dim() - 2))
