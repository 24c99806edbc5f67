"""The E- and M-step of the i-vector extractor, and the objective of EM.

The E-step sums over utterances, with ``v`` and centered statistics f_i as in
`asdkit.ivector.posterior`:

    a_i = sum n_i E[v v'],   b_i = sum n_i E[v],   y_i = sum f_i E[v]'.

The M-step needs them for ``w = v + o e_0`` and statistics F_i = f_i + n_i c_i as they
are.  With gamma_i = sum n_i and F_i now summed over utterances, too,

    R_i = a_i + o (e_0 b_i' + b_i e_0') + o^2 gamma_i e_0 e_0',
    Y_i = y_i + c_i b_i' + o F_i e_0',

which is done in float64, so that float32 never sees o^2 or c_i c_i'.

Source: Kaldi, src/ivector/ivector-extractor.cc, whose updates these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import add_matmul, matmul
from asdkit.base.distributed import all_reduce
from asdkit.ivector.blocks import MATRICES, matrix_blocks, row_blocks
from asdkit.ivector.posterior import IvectorPosterior, whiten_columns
from asdkit.ivector.quadratic import solve_quadratic
from asdkit.ivector.symmetric import packed_dim, unpack

Batch = tuple[Tensor, Tensor]  # n (N, G) and f (N, G, D) of N utterances


class Totals(NamedTuple):
    """Statistics of all utterances together, constant over iterations.

    Float64 tensors on the device that EM runs on.
    """

    num_utts: int
    n: Tensor  # (G,) gamma_i
    f: Tensor  # (G, D) sums of frames, not centered
    s: Tensor  # (G, D, D) sums of x x', not centered


@dataclass
class EmStats:
    """Sums over utterances from one E-step; they add across batches and ranks.

    Attributes:
        a: (G, P) sum of n_i E[v v'], packed.
        y: (G * D, R) sum of f_i E[v]'.
        b: (G, R) float64, sum of n_i E[v].
        v: (R,) float64, sum of E[v].
        vv: (P,) float64, sum of E[v v'], packed.
        loglike: () float64, relative to v = 0.
    """

    a: Tensor
    y: Tensor
    b: Tensor
    v: Tensor
    vv: Tensor
    loglike: Tensor

    @classmethod
    def zeros(
        cls, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str
    ) -> EmStats:
        """Make empty statistics for M of ``shape`` (G, D, R)."""
        num_gauss, feat_dim, dim = shape
        wide = torch.zeros(0, dtype=torch.float64, device=device).new_zeros
        new = torch.zeros(0, dtype=dtype, device=device).new_zeros
        return cls(
            a=new(num_gauss, packed_dim(dim)),
            y=new(num_gauss * feat_dim, dim),
            b=wide(num_gauss, dim),
            v=wide(dim),
            vv=wide(packed_dim(dim)),
            loglike=wide(()),
        )

    def add(self, posterior: IvectorPosterior, n: Tensor, f: Tensor) -> None:
        """Add a batch of utterances: (N, G) and (N, G, D)."""
        moments = posterior.moments(n, f)
        n = n.to(self.a.dtype)
        add_matmul(self.a, n.mT, moments.second)
        for rows, centered in posterior.centered(n, f):
            add_matmul(self.y[rows], centered.mT, moments.mean)
        add_matmul(self.b, n.mT, moments.mean)
        self.v += moments.mean.sum(0, dtype=torch.float64)
        add_matmul(self.vv[None], n.new_ones(1, len(n)), moments.second)
        self.loglike += moments.loglike.sum()

    def __add__(self, other: EmStats) -> EmStats:
        return EmStats(*(x + y for x, y in zip(self, other, strict=True)))

    def __iter__(self) -> Iterator[Tensor]:
        return (getattr(self, field.name) for field in fields(self))

    def all_reduce(self) -> EmStats:
        """Sum over all ranks, in place."""
        for tensor in self:
            all_reduce(tensor)
        return self


def loglike_at_zero(
    m: np.ndarray, covars: np.ndarray, offset: float, totals: Totals
) -> float:
    """Compute the log-likelihood of all frames for v = 0, posteriors as weights.

    With `EmStats.loglike` added it is that of the model, exactly, given which
    Gaussian every frame belongs to: the objective of EM, which never falls.

    Args:
        m: (G, D, R) projections M_i.
        covars: (G, D, D) residual covariances S_i.
        offset: mean of the prior along e_0.
        totals: statistics of all utterances.
    """
    device = totals.n.device
    centers = torch.from_numpy(offset * m[:, :, 0]).to(totals.f)
    chol = torch.linalg.cholesky(torch.from_numpy(covars).to(device))
    logdets = 2 * chol.diagonal(dim1=1, dim2=2).log().sum(1)
    constants = m.shape[1] * np.log(2 * np.pi) + logdets  # (G,)
    inverse = torch.cholesky_inverse(chol)
    scaled = (inverse @ centers[:, :, None])[:, :, 0]  # (G, D) S_i^-1 c_i
    cross = (scaled * (totals.n[:, None] * centers - 2 * totals.f)).sum()
    distance = (inverse * totals.s).sum() + cross
    return float(-((totals.n * constants).sum() + distance) / 2)


class Update(NamedTuple):
    """Results of `update_projections` besides the projections.

    Attributes:
        scatter: (G, D, D) float64 residual scatter, which is the expected sum of
            (x - M_i w)(x - M_i w)'.
        num_floored: (G,) int64 eigenvalues of the preconditioned R_i that were raised.
        is_kept: (G,) bool, whether M_i was kept although it has frames.
    """

    scatter: Tensor
    num_floored: Tensor
    is_kept: Tensor


def update_projections(
    m: np.ndarray,
    covars: np.ndarray,
    offset: float,
    stats: EmStats,
    totals: Totals,
    min_count: float,
) -> Update:
    """Set M_i = Y_i R_i^-1, in place, for Gaussians with enough frames.

    Where R_i is close to singular, `solve_quadratic` takes care.

    Args:
        m: (G, D, R) the projections that the statistics were made with.
        covars: (G, D, D) the residual covariances, likewise.
        offset: o, likewise.
        stats: sums over utterances.
        totals: of the same utterances.
        min_count: Gaussians with fewer frames keep their projection.
    """
    num_gauss, _, dim = m.shape
    device = totals.n.device
    update = Update(
        torch.empty_like(totals.s),
        torch.zeros(num_gauss, dtype=torch.int64, device=device),
        torch.zeros(num_gauss, dtype=torch.bool, device=device),
    )
    square = totals.s.new_empty(min(MATRICES[device.type], num_gauss), dim, dim)
    for block in matrix_blocks(num_gauss, device):
        n, f, b = totals.n[block], totals.f[block], stats.b[block]
        old = torch.from_numpy(m[block]).to(device)
        centers = torch.from_numpy(offset * m[block, :, 0]).to(f)
        r = unpack(stats.a[block].double(), dim, out=square[: len(n)])  # (G', R, R)
        r[:, 0, :] += offset * b
        r[:, :, 0] += offset * b
        r[:, 0, 0] += offset**2 * n
        y = stats.y.view(m.shape)[block].to(torch.float64, copy=True)  # (G', D, R)
        y += centers[:, :, None] * b[:, None, :]
        y[:, :, 0] += offset * f

        enough = n >= min_count
        r[~enough] = torch.eye(dim).to(r)
        covar = torch.from_numpy(covars[block]).to(device)
        solved, explained, num_floored, is_kept = solve_quadratic(r, y, old, covar)
        update.scatter[block] = totals.s[block] - explained
        update.num_floored[block], update.is_kept[block] = num_floored, is_kept
        m[block][enough.cpu().numpy()] = solved[enough].cpu().numpy()
    return update


def update_covars(
    covars: np.ndarray,
    scatter: Tensor,
    n: Tensor,
    min_count: float,
    variance_floor_factor: float,
) -> int:
    """Set S_i to the residual covariance, in place, but not below a floor.

    The floor is a share of the average covariance: no direction of S_i may have
    less variance than it.

    Args:
        covars: (G, D, D) residual covariances to update.
        scatter: (G, D, D) residual scatter, from `update_projections`.
        n: (G,) gamma_i.
        min_count: Gaussians with fewer frames keep their covariance.
        variance_floor_factor: the share.

    Returns:
        how many Gaussians were floored.
    """
    enough = n >= min_count
    covar = scatter[enough] / n[enough, None, None]
    floor = variance_floor_factor * scatter[enough].sum(0) / n[enough].sum()
    floor = _floor_eigenvalues(floor, 1e-4 * torch.linalg.eigvalsh(floor)[-1])
    chol = torch.linalg.cholesky(floor)
    # Where S - F is positive definite there is nothing to floor.
    low = torch.linalg.cholesky_ex(covar - floor).info > 0
    if low.any():
        inverse = torch.linalg.inv_ex(chol).inverse
        relative = _floor_eigenvalues(inverse @ covar[low] @ inverse.mT, 1.0)
        covar[low] = chol @ relative @ chol.mT
    covars[enough.cpu().numpy()] = covar.cpu().numpy()
    return int(low.sum())


def _floor_eigenvalues(x: Tensor, least: Tensor | float) -> Tensor:
    """(..., D, D) symmetric -> the same with no eigenvalue below ``least``."""
    values, vectors = torch.linalg.eigh(x)
    return (vectors * values.clamp(min=least)[..., None, :]) @ vectors.mT


def minimize_divergence(
    m: np.ndarray,
    covars: np.ndarray,
    weights: np.ndarray,
    offset: float,
    stats: EmStats,
    num_utts: int,
) -> float:
    """Transform w so that its average posterior is the prior again; M in place.

    Of all transforms that do it, the one that leaves the mean along e_0 and that
    diagonalizes the average ``sum_i weight_i M_i' S_i^-1 M_i`` in the other
    dimensions, largest first.

    Args:
        m: (G, D, R) projections M_i, overwritten.
        covars: (G, D, D) residual covariances S_i.
        weights: (G,) weights of the Gaussians.
        offset: mean of the prior along e_0.
        stats: sums of the E-step.
        num_utts: number of utterances in them.

    Returns:
        the new offset.
    """
    dim, device = m.shape[2], stats.v.device
    v = (stats.v / num_utts).cpu().numpy()
    covar = unpack(stats.vv[None] / num_utts, dim)[0].cpu().numpy() - np.outer(v, v)
    values, vectors = np.linalg.eigh(covar)
    scales = np.sqrt(np.maximum(values, 1e-7))
    mean = (vectors.T @ (v + offset * np.eye(dim)[0])) / scales  # covariance is I

    # Householder: reflect the mean onto e_0.
    length = np.linalg.norm(mean)
    mirror = mean / length - np.eye(dim)[0]
    norm = max(mirror @ mirror, np.finfo(float).tiny)
    reflection = np.eye(dim) - 2 * np.outer(mirror, mirror) / norm

    # Rotate the other dimensions.  Inverting only their block of the transform, where
    # columns of the whole inverse would do as well, is Kaldi's.
    back = np.linalg.inv((reflection[1:] @ (vectors / scales).T)[:, 1:])
    average = average_posterior_precision(m, covars, weights, device)
    precision = back.T @ average[1:, 1:] @ back
    rotation = np.eye(dim)
    rotation[1:, 1:] = np.linalg.eigh(precision)[1][:, ::-1]
    inverse = (vectors * scales) @ reflection @ rotation  # w = inverse @ new w
    flat = m.reshape(-1, dim)
    assert np.shares_memory(flat, m)
    # The sign of an axis is free; let rounding not decide it.
    sums = flat.sum(0, dtype=np.float64) @ inverse  # (R,)
    inverse[:, 1:] *= np.where(sums[1:] < 0, -1, 1)
    turn = torch.from_numpy(inverse).to(device)
    for block in row_blocks(len(flat)):
        rows = torch.from_numpy(flat[block]).to(device, torch.float64)
        flat[block] = matmul(rows, turn).cpu()
    return float(length)


def average_posterior_precision(
    m: np.ndarray,
    covars: np.ndarray,
    weights: np.ndarray,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """(G, D, R), (G, D, D), (G,) -> (R, R) sum of weight_i M_i' S_i^-1 M_i."""
    dim = m.shape[2]
    total = torch.zeros(dim, dim, dtype=torch.float64, device=device)
    for block in matrix_blocks(len(m), total.device):
        _, half = whiten_columns(m[block], covars[block], total.device)
        half *= torch.from_numpy(weights[block, None, None]).to(total).sqrt()
        half = half.reshape(-1, dim)  # (G' * D, R)
        add_matmul(total, half.mT, half)
    return total.cpu().numpy()
