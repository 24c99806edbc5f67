"""Initialization of EM: principal components, or random numbers.

Take the statistics of utterance u around the UBM's means, whitened and divided by
the square root of their number of frames,

    z_ui = L_i^-1 (F_ui - n_ui m_i) / sqrt(n_ui),        S_i = L_i L_i'.

Whatever n_ui is, z_ui is ``sqrt(n_ui) L_i^-1 T_i v`` plus noise of unit variance.
Were n_ui the same in all utterances, this would be a model of principal components;
so with the eigenvectors V and eigenvalues of the average z z' (G * D dimensions),

    T_i = L_i V_i sqrt(lambda - 1) / (average of sqrt(n_ui))

is a start that is right but for that.  (Dividing by the utterance's expected share
instead of n_ui leaves the fluctuations of n_ui in z; EM then needs twice as many
iterations.)  The eigenvectors are found by subspace iteration, which needs only
products of the matrix of all z_u with a few vectors: one pass of GEMMs over the
statistics each, in memory that does not depend on the number of utterances, and
sums that ranks can add.

Source: M. Tipping and C. Bishop, "Probabilistic principal component analysis",
J. Royal Stat. Soc. B 61(3), 1999; N. Halko, P. Martinsson and J. Tropp, "Finding
structure with randomness", SIAM Review 53(2), 2011, Algorithm 4.4, for the iteration;
J. Tropp et al., "Fixed-rank approximation of a positive-semidefinite matrix from
streaming data", NeurIPS 2017, Algorithm 3, for its last step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import add_matmul, matmul
from asdkit.base.distributed import all_reduce
from asdkit.ivector.blocks import matrix_blocks, row_blocks
from asdkit.ivector.em import Batch, Totals

if TYPE_CHECKING:
    from asdkit.gmm.full import FullGmm

logger = logging.getLogger(__name__)

OVERSAMPLING = 20  # vectors beyond those wanted, for the accuracy of the last ones


def random_columns(ubm: FullGmm, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Draw (G, D, dim) standard normal projections, as Kaldi does."""
    return rng.standard_normal((*ubm.means_.shape, dim))


def principal_columns(
    ubm: FullGmm,
    dim: int,
    batches: Iterable[Batch],
    totals: Totals,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    num_passes: int = 4,
) -> np.ndarray:
    """Find the directions in which utterances differ most.

    Args:
        ubm: whose means the statistics are centered on.
        dim: how many directions, R - 1.
        batches: this rank's statistics; read ``num_passes`` times.
        totals: of all ranks.
        rng: draws the subspace to start from.
        dtype: of the products.
        num_passes: passes over the statistics; more give better last directions.

    Returns:
        (G, D, dim) projections T_i of that dtype, by decreasing variance.
    """
    scatter = _Scatter(ubm, batches, totals)
    num_rows = ubm.means_.size
    num_vectors = min(dim + OVERSAMPLING, num_rows, totals.num_utts)
    drawn = rng.standard_normal((num_rows, num_vectors), dtype=np.float32)
    basis = _orthonormal(torch.from_numpy(drawn).to(totals.n.device, dtype))
    for _ in range(num_passes - 1):
        basis = _orthonormal(_pull(scatter, basis))
    values, vectors = _eigen(basis, scatter @ basis)  # (K,), (G * D, K)
    logger.info(
        "ivector-extractor: pca: variance/noise = %.4g, ..., %.4g",
        values[0],
        values[dim - 1],
    )
    # A direction with no more variance than noise starts small, but not dead.
    scales = (values - 1).clamp(min=1e-2).sqrt()
    return scatter.projections(vectors, scales)[:, :, :dim]


class _Scatter:
    """The average z z' of all utterances, known by its products only."""

    def __init__(self, ubm: FullGmm, batches: Iterable[Batch], totals: Totals) -> None:
        device = totals.n.device
        self.batches = batches
        self.num_utts = totals.num_utts
        self.means = torch.from_numpy(ubm.means_).to(device)
        self.chol = torch.linalg.cholesky(torch.from_numpy(ubm.covars_).to(device))
        self.roots = torch.zeros_like(totals.n)  # (G,) average of sqrt(n_ui)

    def __matmul__(self, basis: Tensor) -> Tensor:
        """(G * D, K) -> (G * D, K) in one pass over the statistics."""
        means = self.means.to(basis.dtype)
        # Whiten the basis, not the statistics: z' basis = f' folded.
        folded = self._whiten(basis.clone(), transposed=True)
        product = torch.zeros_like(basis)
        self.roots.zero_()
        for n, f in self.batches:
            n, f = n.to(basis.dtype), f.to(basis.dtype)
            root = n.sqrt()
            z = f / root.clamp(min=1e-2)[:, :, None]
            z = z.addcmul_(root[:, :, None], means, value=-1).flatten(1)
            add_matmul(product, z.mT, matmul(z, folded))
            self.roots += root.sum(0, dtype=torch.float64)
        all_reduce(self.roots).div_(self.num_utts)
        return self._whiten(all_reduce(product)).div_(self.num_utts)

    def projections(self, columns: Tensor, scales: Tensor) -> np.ndarray:
        """(G * D, K), (K,) -> (G, D, K) scales L_i columns_i / average sqrt(n_ui)."""
        shape = (*self.means.shape, len(scales))
        columns = columns.view(shape)
        projections = np.empty(shape, dtype=columns.cpu().numpy().dtype)
        roots = self.roots.clamp(min=1e-3 * self.roots.mean())  # hardly ever needed
        for block in matrix_blocks(shape[0], columns.device):
            factors = self.chol[block] / roots[block, None, None]
            projections[block] = (factors @ columns[block].double() * scales).cpu()
        return projections

    def _whiten(self, columns: Tensor, transposed: bool = False) -> Tensor:
        """Multiply (G * D, K) by L_i^-1, or by its transpose, in place."""
        blockwise = columns.view(*self.means.shape, -1)
        for block in matrix_blocks(len(blockwise), columns.device):
            chol = self.chol[block]
            blockwise[block] = torch.linalg.solve_triangular(
                chol.mT if transposed else chol,
                blockwise[block].double(),
                upper=transposed,
            )
        return columns


def _pull(scatter: _Scatter, basis: Tensor) -> Tensor:
    """Multiply an orthonormal basis (G * D, K), and shift the matrix to do it better.

    Less half of the least eigenvalue that is wanted, those that are not fall faster.
    """
    product = scatter @ basis
    shift = torch.linalg.eigvalsh(_symmetric(_gram(basis, product)))[0] / 2
    return product.add_(basis, alpha=-float(shift))


def _orthonormal(x: Tensor) -> Tensor:
    """(M, K) -> (M, K) orthonormal columns that span the same space."""
    values, vectors = torch.linalg.eigh(_gram(x, x))
    scales = values.clamp(min=1e-12 * float(values[-1])).rsqrt()
    return matmul(x, (vectors * scales).to(x.dtype))


def _eigen(basis: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    """Find the largest eigenvalues of a matrix known by ``product = C @ basis``.

    Nystrom's approximation ``product (basis' product)^-1 product'``, which is that
    of one more iteration; eigenvalues of the matrix in the middle that rounding may
    have made are not inverted, so that a basis larger than the data's space is fine.

    Returns:
        (K,) float64 eigenvalues, decreasing, and (M, K) eigenvectors.
    """
    values, vectors = torch.linalg.eigh(_symmetric(_gram(basis, product)))
    least = 10 * torch.finfo(product.dtype).eps * float(values[-1])
    root = vectors * values.clamp(min=least).rsqrt()  # (K, K)
    values, vectors = torch.linalg.eigh(root.mT @ _gram(product, product) @ root)
    scales = values.clamp(min=1e-12 * float(values[-1])).rsqrt()
    turn = (root @ (vectors * scales)).flip(1)
    return values.flip(0), matmul(product, turn.to(product.dtype))


def _gram(x: Tensor, y: Tensor) -> Tensor:
    """(M, K) and (M, K) -> (K, K) float64 x' y."""
    total = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64, device=x.device)
    for block in row_blocks(len(x)):
        add_matmul(total, x[block].double().mT, y[block].double())
    return total


def _symmetric(x: Tensor) -> Tensor:
    """(K, K) symmetric but for rounding -> exactly so."""
    return (x + x.mT) / 2
