"""Utterances of different lengths in one batch: masks of the real frames.

A map is (N, ..., T), time last.  ``num_frames`` (N,) says how many of its T frames
are real; None says that all are, and then nothing below costs anything.

What holds: in evaluation mode, an utterance has the same embedding alone and in a
padded batch, to float32 rounding.  Alone, a convolution finds zeros beyond the
utterance's end.  So the frames beyond it must be zero wherever a convolution looks
at its neighbors, and every layer whose bias or normalization would leave something
there is followed by `zero_padding`, one pass over the map.  Means over time and
attention leave those frames out.

What does not hold: in training mode batch normalization takes padding for frames.
Train on chunks of equal length.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

SizeT = TypeVar("SizeT", int, Tensor, Tensor | None)


def strided(size: SizeT, stride: int) -> SizeT:
    """Size left by a convolution of odd kernel, padded by half of it; None stays None.

    Two halvings in a row are one of stride 4, whatever the size.

    Example:
        >>> strided(81, 2), strided(strided(81, 2), 2), strided(81, 4)
        (41, 21, 21)
    """
    return size if size is None else (size + stride - 1) // stride


def zero_padding(x: Tensor, num_frames: Tensor | None) -> Tensor:
    """Zero the frames beyond the end of every utterance.

    Args:
        x: (N, ..., T) a map, finite.
        num_frames: (N,) how many of the T frames are real, None for all.

    Returns:
        (N, ..., T) a copy, or the map itself where there is no padding.
    """
    if num_frames is None:
        return x
    real = torch.arange(x.shape[-1], device=x.device) < num_frames[:, None]  # (N, T)
    # Not a view, whose shape an ONNX graph would keep.
    real = real[(slice(None), *[None] * (x.dim() - 2))]
    return x * real.to(x.dtype)  # five times as fast as masked_fill


def mirror_padding(x: Tensor, num_frames: Tensor | None, margin: int) -> Tensor:
    """Continue every utterance at both ends by its mirror image.

    Args:
        x: (N, C, T) a map.
        num_frames: (N,) how many of the T frames are real, None for all; each more than
            ``margin``.
        margin: frames to add at each end; the first and the last are not repeated.

    Returns:
        (N, C, T + 2 margin).

    Example:
        >>> x = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 0]]])
        >>> mirror_padding(x, torch.tensor([3]), 1)[0]
        tensor([[2, 1, 2, 3, 2, 1],
                [6, 5, 6, 7, 6, 5]])
    """
    if not margin:
        return x
    longest = x.shape[-1]
    last = torch.full_like(x[:, 0, 0], longest).long()  # (N,)
    last = (last if num_frames is None else num_frames)[:, None] - 1
    place = torch.arange(-margin, longest + margin, device=x.device).abs()[None]
    place = (last - (place - last).abs()).clamp(min=0)  # (N, T + 2 margin)
    return x.gather(2, place[:, None].expand(-1, x.shape[1], -1))


def mean_over_time(x: Tensor, num_frames: Tensor | None) -> Tensor:
    """(N, C, T) and how many frames are real -> (N, C), the mean of the real ones."""
    if num_frames is None:
        return x.mean(dim=-1)
    return zero_padding(x, num_frames).sum(dim=-1) / num_frames[:, None]
