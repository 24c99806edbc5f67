"""Block sizes: how much is processed at once.

A CPU keeps a block in its cache from one step to the next, and its memory is not
asked of the system again and again; a GPU needs many matrices to be busy.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

MATRICES = {"cpu": 16, "cuda": 256}  # (R, R); 20 MB in float64 for R = 400
GAUSSIANS = 64  # (N, D) each; 5 MB for 256 utterances and D = 72
ROWS = 4096  # of tall matrices; 13 MB in float64 for R = 400


def matrix_blocks(total: int, device: torch.device) -> Iterator[slice]:
    """Cut range(total), each item of which means an (R, R) matrix, into slices."""
    return _blocks(total, MATRICES[device.type])


def gaussian_blocks(num_gauss: int) -> Iterator[slice]:
    """Cut range(G), each item of which means statistics of a batch, into slices."""
    return _blocks(num_gauss, GAUSSIANS)


def row_blocks(total: int) -> Iterator[slice]:
    """Cut range(total), the rows of a matrix, into slices."""
    return _blocks(total, ROWS)


def _blocks(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
