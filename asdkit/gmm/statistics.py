"""Baum-Welch statistics: sums of posteriors and frames for each Gaussian."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from asdkit.base.blas import matmul
from asdkit.gmm.full import append_one
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.tiles import tiles


def first_order(
    frames: Tensor, posteriors: Posteriors, utt_splits: Tensor | np.ndarray
) -> tuple[Tensor, Tensor]:
    """Sum posteriors, and posteriors times frames, per utterance and Gaussian.

    Args:
        frames: (T, D) float32, the frames of N utterances one after another.
        posteriors: of these frames.
        utt_splits: (N + 1,) integers; utterance i has the frames from its i-th to
            its (i + 1)-th entry.

    Returns:
        n (N, G) and f (N, G, D), float32, not centered.
    """
    splits = torch.as_tensor(utt_splits, device=frames.device)
    num_utts, num_gauss, dim = len(splits) - 1, posteriors.num_gauss, frames.shape[1]
    frame = posteriors.frames()
    utt = torch.bucketize(frame, splits[1:], right=True)
    cell = utt * num_gauss + posteriors.gauss  # (P,) where a pair's share goes
    cells = num_utts * num_gauss
    if frames.device.type == "cpu":
        n = np.bincount(cell.numpy(), posteriors.values.numpy(), minlength=cells)
        # A column per frame: no need to sort, and 8 times faster than index_add_.
        weights = sparse.csc_array(
            (posteriors.values.numpy(), cell.numpy(), posteriors.splits.numpy()),
            shape=(cells, len(frames)),
        )
        f = torch.from_numpy(weights @ frames.numpy())
        occupancy = torch.from_numpy(n).float()
    else:
        occupancy = frames.new_zeros(cells).index_add_(0, cell, posteriors.values)
        share = frames.index_select(0, frame) * posteriors.values[:, None]
        f = frames.new_zeros(cells, dim).index_add_(0, cell, share)
    return occupancy.view(num_utts, num_gauss), f.view(num_utts, num_gauss, dim)


def second_order(frames: Tensor, posteriors: Posteriors) -> tuple[Tensor, Tensor]:
    """Sum posteriors times outer products of frames, per Gaussian.

    Args:
        frames: (T, D) float32.
        posteriors: of these frames.

    Returns:
        n (G,) and s (G, D, D), float64, not centered.
    """
    n, _, s = moments(frames, posteriors)
    return n, s


def moments(frames: Tensor, posteriors: Posteriors) -> tuple[Tensor, Tensor, Tensor]:
    """Sum as `second_order` does, and also the frames themselves.

    Args:
        frames: (T, D) float32.
        posteriors: of these frames.

    Returns:
        n (G,), f (G, D) and s (G, D, D), float64, not centered.
    """
    x1 = append_one(frames)
    dim = x1.shape[1]
    frame = torch.cat([posteriors.frames(), x1.new_zeros(1).long()])
    value = torch.cat([posteriors.values, x1.new_zeros(1)])  # padding weighs nothing
    total = torch.zeros(
        (posteriors.num_gauss, dim, dim), dtype=torch.float64, device=frames.device
    )
    for gauss, pairs in tiles(posteriors.gauss, posteriors.num_gauss):
        x = x1.index_select(0, frame[pairs.flatten()]).view(*pairs.shape, dim)
        outer = matmul((x * value[pairs][:, :, None]).mT, x)  # (B, D + 1, D + 1)
        total.index_add_(0, gauss, outer.double())
    return total[:, -1, -1], total[:, -1, :-1], total[:, :-1, :-1]
