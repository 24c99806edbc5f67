"""Layers shared by waveform networks: fixed sinc filters, pooling by three."""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.nnet.network import Network

POOLED = 3  # frames that become one, after the filters and in every block


class SincFilters(nn.Module):
    """Split a waveform into neighboring bands, evenly spaced on the mel scale.

    A band is an ideal one cut off by a Hamming window.  It is not learned, nor kept
    in a model's file.

    Args:
        num_filters: C.
        size: length of a filter in samples.
        sample_frequency: in Hz; the bands reach from 0 to its half.

    Source: H. Tak et al., "End-to-end anti-spoofing with RawNet2", ICASSP 2021;
    M. Ravanelli, Y. Bengio, "Speaker recognition from raw waveform with SincNet",
    SLT 2018.
    """

    filters: Tensor

    def __init__(
        self, num_filters: int, size: int, sample_frequency: float = 16000.0
    ) -> None:
        super().__init__()
        double = torch.float64
        top = 2595 * math.log10(1 + sample_frequency / 2 / 700)
        mels = torch.arange(num_filters + 1, dtype=double) / num_filters * top
        edges = 700 * (10 ** (mels / 2595) - 1)  # (C + 1,) Hz
        times = torch.arange(size, dtype=double) - (size - 1) / 2
        widths = 2 * edges[:, None] / sample_frequency  # (C + 1, 1)
        low_passes = widths * torch.sinc(widths * times)  # (C + 1, size)
        window = torch.hamming_window(size, periodic=False, dtype=double)
        filters = (low_passes.diff(dim=0) * window).float()[:, None]
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, L) -> (N, C, L - size + 1)."""
        return F.conv1d(x, self.filters)


class WaveformNetwork(Network):
    """A network on samples: its features have dimension 1, its frames are samples.

    Args:
        feat_dim: D, which must be 1.
        embedding_dim: E.
        num_filters: C of the first layer.
        filter_size: length of a filter in samples.
        num_blocks: number of poolings by three after the first.

    Attributes:
        filters: the first layer.
        min_frames: the shortest utterance that has a frame in the end, in samples.

    Raises:
        AsdkitError: ``feat_dim`` is not 1.
    """

    def __init__(
        self,
        feat_dim: int,
        embedding_dim: int,
        num_filters: int,
        filter_size: int,
        num_blocks: int,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.require_samples(feat_dim)
        self.filters = SincFilters(num_filters, filter_size)
        self.lost_samples = filter_size - 1
        self.min_frames = self.lost_samples + POOLED ** (num_blocks + 1)

    def frames_of(self, num_samples: Tensor | None) -> Tensor | None:
        """(N,) samples -> (N,) real frames after the filters and the first pooling."""
        return thirds(
            num_samples if num_samples is None else num_samples - self.lost_samples
        )


def pool_thirds(x: Tensor) -> Tensor:
    """(N, C, V, T) -> (N, C, V, T / 3), the largest of each three frames.

    On a CPU and without gradients, torch is many times as fast with rows as with maps.
    """
    # channels_last is to stay; and a graph of rows would keep their number.
    if not x.is_contiguous() or torch.jit.is_tracing():
        return F.max_pool2d(x, (1, POOLED))
    return F.max_pool1d(x.flatten(1, 2), POOLED).unflatten(1, x.shape[1:3])


def pool_squares(x: Tensor) -> Tensor:
    """(N, C, L) -> (N, 1, C / 3, L / 3), the largest of three channels by three frames.

    Rows, then columns: on a CPU six times as fast as ``F.max_pool2d`` of one channel.
    """
    if torch.jit.is_tracing():  # a graph has the one operator
        return F.max_pool2d(x[:, None], POOLED)
    num_rows = x.shape[1] // POOLED
    rows = x[:, : num_rows * POOLED].unflatten(1, (num_rows, POOLED)).unbind(dim=2)
    return F.max_pool1d(functools.reduce(torch.maximum, rows), POOLED)[:, None]


def thirds(num_frames: Tensor | None) -> Tensor | None:
    """(N,) real frames -> (N,) after pooling; those left over are dropped."""
    return None if num_frames is None else num_frames // POOLED
