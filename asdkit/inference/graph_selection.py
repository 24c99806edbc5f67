"""Layers of a graph that choose frames, derive them, and subtract their mean.

Every layer takes (N, T, D) frames and (N,) lengths, and treats an utterance of a padded
batch as if it were alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.batches.crops import Crop
from asdkit.batches.frame_sources import DELTA_WINDOW
from asdkit.features.deltas import delta_weights
from asdkit.nnet.padding import zero_padding


class EnergyVad(nn.Module):
    """Keep the frames that hold speech, in order; see `asdkit.vad.energy`.

    Args:
        options: those of `asdkit.vad.energy.energy_vad`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.threshold = float(options.get("vad_energy_threshold", 5.0))
        self.mean_scale = float(options.get("vad_energy_mean_scale", 0.5))
        self.context = int(options.get("vad_frames_context", 0))
        self.share = float(options.get("vad_proportion_threshold", 0.6))

    def forward(self, feats: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, D), (N,) -> (N, T, D) voiced frames first, and how many there are."""
        times = torch.arange(feats.shape[1], device=feats.device)
        real = times[None] < num_frames[:, None]  # (N, T)
        energy = feats[..., 0]
        mean = (energy * real).sum(dim=1) / num_frames
        loud = (energy > self.threshold + self.mean_scale * mean[:, None]) & real
        least = self.share * self._count(real.float())
        voiced = (self._count(loud.float()) >= least) & real
        # Frames in order, the rejected ones behind all others.
        order = times[None] + feats.shape[1] * (~voiced).long()
        place = order.topk(feats.shape[1], dim=1, largest=False).indices  # (N, T)
        kept = feats.gather(1, place[..., None].expand(-1, -1, feats.shape[2]))
        return kept, voiced.long().sum(dim=1)

    def _count(self, flags: Tensor) -> Tensor:
        """(N, T) -> (N, T) how many are set within the context."""
        if not self.context:
            return flags
        ones = flags.new_ones(1, 1, 2 * self.context + 1)
        return F.conv1d(flags[:, None], ones, padding=self.context)[:, 0]


class Deltas(nn.Module):
    """Append time derivatives; see `asdkit.features.deltas`.

    Args:
        order: order of the highest.
    """

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        for n in range(1, order + 1):
            weights = torch.from_numpy(delta_weights(DELTA_WINDOW, n)).float()
            self.register_buffer(f"weights{n}", weights[None, None])

    def forward(self, feats: Tensor, num_frames: Tensor) -> Tensor:
        """(N, T, D), (N,) -> (N, T, D')."""
        parts = [feats]
        last = (num_frames - 1).clamp(min=0)[:, None]
        for n in range(1, self.order + 1):
            weights = getattr(self, f"weights{n}")
            half = weights.shape[-1] // 2
            times = torch.arange(feats.shape[1] + 2 * half, device=feats.device) - half
            place = torch.minimum(times.clamp(min=0)[None], last)  # (N, T + 2 half)
            around = feats.gather(1, place[..., None].expand(-1, -1, feats.shape[2]))
            rows = around.transpose(1, 2).reshape(-1, 1, around.shape[1])
            slopes = F.conv1d(rows, weights)  # (N D, 1, T)
            slopes = slopes.reshape(-1, feats.shape[2], feats.shape[1])
            parts.append(slopes.transpose(1, 2))
        return torch.cat(parts, dim=2)


class Cropped(nn.Module):
    """The part of an utterance that is scored; see `asdkit.batches.crops`.

    Args:
        crop: which part.
        chunk_frames: its length, unless it is the whole.
        min_frames: to which a whole utterance is repeated.
    """

    def __init__(self, crop: Crop, chunk_frames: int, min_frames: int) -> None:
        super().__init__()
        self.crop = crop
        self.chunk_frames = chunk_frames
        self.min_frames = min_frames

    def forward(self, feats: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, D), (N,) -> (N, T', D) and how many of the T' are real."""
        num_frames = num_frames.clamp(min=1)
        lengths = num_frames[:, None]
        if self.crop == "whole":
            extra = max(self.min_frames - 1, 0)
            times = torch.arange(feats.shape[1] + extra, device=feats.device)[None]
            place = times % lengths
            num_frames = num_frames.clamp(min=self.min_frames)
        else:
            times = torch.arange(self.chunk_frames, device=feats.device)[None]
            start = torch.zeros_like(lengths)
            if self.crop == "center":
                start = ((lengths - self.chunk_frames) // 2).clamp(min=0)
            place = (start + times) % lengths
            num_frames = torch.full_like(num_frames, self.chunk_frames)
        return feats.gather(
            1, place[..., None].expand(-1, -1, feats.shape[2])
        ), num_frames


def subtract_mean(feats: Tensor, num_frames: Tensor) -> Tensor:
    """(N, T, D), (N,) -> (N, T, D) without the mean of the real frames."""
    feats = zero_padding(feats.transpose(1, 2), num_frames)  # (N, D, T)
    mean = feats.sum(dim=2, keepdim=True) / num_frames.clamp(min=1)[:, None, None]
    return (feats - mean).transpose(1, 2)
