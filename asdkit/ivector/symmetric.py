"""Symmetric matrices stored as lower triangles, row by row.

Half the memory and half the arithmetic wherever a sum of symmetric matrices is
one product of a matrix of weights and a matrix of packed rows.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def packed_dim(dim: int) -> int:
    """Return P = R(R+1)/2 for dimension R."""
    return dim * (dim + 1) // 2


def pack(x: Tensor, out: Tensor | None = None) -> Tensor:
    """(N, R, R) symmetric, of which the lower triangle is read -> (N, P)."""
    num, dim, _ = x.shape
    lower, _ = _positions(dim, x.device)
    return torch.index_select(x.reshape(num, dim * dim), 1, lower, out=out)


def diagonal_of(dim: int) -> Tensor:
    """(R,) where the diagonal of a matrix of dimension R is in its packed form.

    Example:
        >>> diagonal_of(4)
        tensor([0, 2, 5, 9])
    """
    row = torch.arange(dim)
    return row * (row + 3) // 2


def unpack(x: Tensor, dim: int, out: Tensor | None = None) -> Tensor:
    """(N, P) -> (N, R, R), both triangles filled."""
    _, full = _positions(dim, x.device)
    if out is None:
        out = x.new_empty(len(x), dim, dim)
    torch.index_select(x, 1, full, out=out.view(len(x), dim * dim))
    return out


@lru_cache(maxsize=8)
def _positions(dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Tell where packed elements come from, (P,), and where they go, (R * R,)."""
    row, column = torch.tril_indices(dim, dim)
    full = torch.empty(dim, dim, dtype=torch.long)
    full[row, column] = full[column, row] = torch.arange(packed_dim(dim))
    return (row * dim + column).to(device), full.flatten().to(device)
