"""Solve the linear systems of many Gaussians, some of them nearly singular.

The M-step maximizes, per Gaussian i and over M_i, the auxiliary function

    tr(M_i' S_i^-1 Y_i) - tr(S_i^-1 M_i R_i M_i') / 2                               (1)

whose maximum is ``Y_i R_i^-1``.  Where few utterances speak in a Gaussian, R_i hardly
grows in some directions, and dividing by that would blow up what rounding left of Y_i.
There the eigenvalues of ``C = D^-1/2 R_i D^-1/2``, with D the diagonal of R_i, are
floored at a share of the largest, and the system is solved for the change of M_i, which
is then zero where there is no data.

Eigenvalues of all R_i would cost several times the solution.  So a Cholesky
decomposition of C less the floor asks first whether there are any below it.

Source: Kaldi, SolveQuadraticMatrixProblem in src/matrix/sp-matrix.cc; H. Wolkowicz and
G. Styan, "Bounds for eigenvalues using traces", Linear Algebra Appl. 29, 1980, (2.31).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

MAX_CONDITION = 1e4  # Kaldi's SolverOptions.K
MARGIN = 1.5  # float32 may make R eps = 0.00002 of the largest eigenvalue of it


class Solution(NamedTuple):
    """The solutions of G' systems.

    Attributes:
        m: (G', D, R) M.
        explained: (G', D, D) ``M Y' + Y M' - M R M'``, by which M lessens the scatter.
        num_floored: (G',) int64, how many eigenvalues of C were raised.
        is_kept: (G',) bool, whether M was kept since (1) would have fallen.
    """

    m: Tensor
    explained: Tensor
    num_floored: Tensor
    is_kept: Tensor


def solve_quadratic(r: Tensor, y: Tensor, m: Tensor, covars: Tensor) -> Solution:
    """Maximize (1) of several Gaussians.

    Args:
        r: (G', R, R) float64 symmetric.
        y: (G', D, R) float64.
        m: (G', D, R) what M was, of any precision.
        covars: (G', D, D) float64 S_i.

    Raises:
        torch.linalg.LinAlgError: a number is not finite.
    """
    chol, info = torch.linalg.cholesky_ex(r)
    half = torch.linalg.solve_triangular(chol, y.mT, upper=False)  # (G', R, D)
    explained = half.mT @ half
    solved = torch.linalg.solve_triangular(chol.mT, half, upper=True).mT
    num_floored = torch.zeros_like(info, dtype=torch.int64)
    is_kept = torch.zeros_like(info, dtype=torch.bool)

    scale = r.diagonal(dim1=1, dim2=2).clamp(min=torch.finfo(r.dtype).tiny).rsqrt()
    at = (_may_be_low(r, scale) | (info > 0)).nonzero()[:, 0]
    if len(at):
        c = r[at] * scale[at, :, None] * scale[at, None, :]
        values, vectors = torch.linalg.eigh(c)
        least = values[:, -1:] / MAX_CONDITION
        num_floored[at] = (values < least).sum(1)
        is_low = (num_floored[at] > 0) | (info[at] > 0)
        at, c, values, vectors = (x[is_low] for x in (at, c, values, vectors))
        values = torch.maximum(values, least[is_low])
        before = m[at].to(r) / scale[at, None, :]
        scaled = y[at] * scale[at, None, :]
        rest = scaled - before @ c
        change = ((rest @ vectors) / values[:, None, :]) @ vectors.mT
        gain = change @ rest.mT - change @ c @ change.mT / 2  # of (1), for S_i = I
        gain = torch.cholesky_solve(gain, torch.linalg.cholesky(covars[at]))
        is_kept[at] = gain.diagonal(dim1=1, dim2=2).sum(1) < 0
        after = before + change * ~is_kept[at, None, None]
        cross = after @ scaled.mT
        explained[at] = cross + cross.mT - after @ c @ after.mT
        solved[at] = after * scale[at, None, :]
    return Solution(solved, explained, num_floored, is_kept)


def _may_be_low(r: Tensor, scale: Tensor) -> Tensor:
    """Tell where an eigenvalue of C may lie below the floor.

    Single precision is enough to tell, with a margin for its rounding.

    Args:
        r: (G', R, R).
        scale: (G', R) diagonals of D^-1/2.

    Returns:
        (G',) bool.
    """
    scale = scale.float()
    c = r.float().mul_(scale[:, :, None]).mul_(scale[:, None, :])
    size, diagonal = c.shape[1], c.diagonal(dim1=1, dim2=2)
    mean = diagonal.mean(1)
    spread = torch.linalg.vector_norm(c, dim=(1, 2)).square() / size - mean**2
    largest = mean + (spread.clamp(min=0) * (size - 1)).sqrt()  # or less, by (2.31)
    diagonal.sub_(MARGIN * largest[:, None] / MAX_CONDITION)
    return torch.linalg.cholesky_ex(c).info > 0
