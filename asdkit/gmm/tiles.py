"""Pairs of frame and Gaussian, grouped by Gaussian into equal tiles.

What is done to a pair (a full-covariance log-likelihood, an outer product) needs
the D x D matrix of its Gaussian.  Grouped by Gaussian, pairs become matrix
products; cut into tiles of a few heights, they become a handful of batched ones,
with neither a loop over Gaussians nor a dense (T, G) intermediate.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

STEP = 16  # heights are multiples of this: at most 15 rows of a tile are padding
TALLEST = 128  # rows per tile
ROWS = 4096  # rows per batch of tiles, so that it stays in the cache


def tiles(gauss: Tensor, num_gauss: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Group pairs by Gaussian.

    Args:
        gauss: (P,) integer, the Gaussian of every pair.
        num_gauss: G.

    Yields:
        (B,) the Gaussian of each of B tiles, and (B, H) the positions of its
        pairs in ``gauss``, both int64.  The last rows of a tile may be padding,
        which points to position P: give what you index one more, idle entry.
    """
    num_pairs = len(gauss)
    key = gauss.cpu().numpy()
    small = num_gauss < np.iinfo(np.int16).max
    # numpy sorts 16-bit integers by radix
    order = np.argsort(key.astype(np.int16) if small else key, kind="stable")
    count = np.bincount(key, minlength=num_gauss)

    num_tiles = -(-count // TALLEST)
    owner = np.repeat(np.arange(num_gauss), num_tiles)
    before = np.cumsum(num_tiles) - num_tiles
    index = np.arange(len(owner)) - before[owner]  # of a tile among its Gaussian's
    start = (np.cumsum(count) - count)[owner] + TALLEST * index
    size = np.minimum(count[owner] - TALLEST * index, TALLEST)
    height = -(-size // STEP) * STEP

    for h in np.unique(height):
        alike = np.flatnonzero(height == h)
        row = np.arange(h)
        batch = max(1, ROWS // h)
        for i in range(0, len(alike), batch):
            tile = alike[i : i + batch, None]  # (B, 1)
            position = np.minimum(start[tile] + row, num_pairs - 1)  # (B, H)
            pairs = np.where(row < size[tile], order[position], num_pairs)
            yield (
                torch.from_numpy(owner[tile[:, 0]]).to(gauss.device),
                torch.from_numpy(pairs).to(gauss.device),
            )
