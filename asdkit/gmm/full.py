"""Gaussian mixtures with full covariances, the accurate half of a UBM.

With x1 = [x, 1] and the Cholesky factor of Gaussian g's covariance S = L L', its
log-likelihood is

    log w N(x; m, S) = c - |x1 A|^2 / 2,   A = [L^-T; -m' L^-T]   (D + 1, D)
    c = log w - D/2 log 2 pi - log det L

which suits a few chosen Gaussians per frame.  It is also a linear function of the
products of two elements of x1, which suits all Gaussians of every frame at once:
one matrix product that a GPU does faster than it could choose.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import matmul
from asdkit.gmm.accumulators import GmmStats
from asdkit.gmm.diagonal import DiagGmm

logger = logging.getLogger(__name__)

# Frames per matrix product of `loglikes`: their (D + 1)(D + 2) / 2 products of
# elements take 11 kB per frame at D = 72.
CHUNK = {"cpu": 1024, "cuda": 32768}


class FullGmm:
    """A mixture of Gaussians with full covariances.

    Args:
        num_gauss: G.
        min_gaussian_weight: share of the frames below which a Gaussian is not updated.
        min_gaussian_occupancy: number of frames below which a Gaussian is not updated.
        variance_floor: floor of the eigenvalues of every covariance.
        max_condition: largest ratio of two eigenvalues.

    Attributes:
        weights_: (G,) priors; they sum to one.
        means_: (G, D).
        covars_: (G, D, D) covariances.

    Source: Kaldi, src/gmm/mle-full-gmm.cc, for the floors and their names.
    """

    weights_: np.ndarray
    means_: np.ndarray
    covars_: np.ndarray

    def __init__(
        self,
        num_gauss: int = 2048,
        min_gaussian_weight: float = 1e-4,
        min_gaussian_occupancy: float = 100.0,
        variance_floor: float = 0.001,
        max_condition: float = 1e4,
    ) -> None:
        self.num_gauss = num_gauss
        self.min_gaussian_weight = min_gaussian_weight
        self.min_gaussian_occupancy = min_gaussian_occupancy
        self.variance_floor = variance_floor
        self.max_condition = max_condition

    @classmethod
    def of(cls, weights: np.ndarray, means: np.ndarray, covars: np.ndarray) -> FullGmm:
        """Wrap existing (G,) weights, (G, D) means and (G, D, D) covariances."""
        gmm = cls(num_gauss=len(weights))
        gmm.weights_ = np.array(weights, dtype=np.float64)
        gmm.means_ = np.array(means, dtype=np.float64)
        gmm.covars_ = np.array(covars, dtype=np.float64)
        return gmm

    @classmethod
    def from_diagonal(cls, diag: DiagGmm) -> FullGmm:
        """Start from a mixture with diagonal covariances."""
        covars = np.eye(diag.vars_.shape[1]) * diag.vars_[:, None]
        return cls.of(diag.weights_, diag.means_, covars)

    def diagonal(self) -> DiagGmm:
        """Keep only the variances, for Gaussian selection."""
        variances = np.diagonal(self.covars_, axis1=1, axis2=2)
        return DiagGmm.of(self.weights_, self.means_, variances)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Factor every covariance, in float64.

        Returns:
            (G, D + 1, D) A and (G,) c of the module's first formula.
        """
        dim = self.means_.shape[1]
        lower = torch.linalg.cholesky(torch.from_numpy(self.covars_))
        eye = torch.eye(dim, dtype=torch.float64)
        root = torch.linalg.solve_triangular(lower, eye, upper=False).mT  # L^-T
        shift = -torch.from_numpy(self.means_)[:, None] @ root  # (G, 1, D)
        weight = torch.from_numpy(np.log(self.weights_))
        logdet = lower.diagonal(dim1=1, dim2=2).log().sum(dim=1)  # of L
        constant = weight - 0.5 * dim * np.log(2 * np.pi) - logdet
        return torch.cat([root, shift], dim=1), constant

    def projection(self) -> Tensor:
        """(P, G) float64 weights of the (T, P) `products`, P = (D + 1)(D + 2) / 2.

        Products times weights are the (T, G) log-likelihoods.
        """
        factor, constant = self.factors()
        form = -0.5 * factor @ factor.mT  # (G, D + 1, D + 1)
        form[:, -1, -1] += constant
        row, column = torch.triu_indices(form.shape[1], form.shape[1])
        return (form[:, row, column] * (1 + (row != column))).T

    def loglikes(self, frames: Tensor) -> Tensor:
        """(T, D) frames -> (T, G) log of weight times density, for all Gaussians."""
        projection = self.projection().to(frames)
        chunks = frames.split(CHUNK[frames.device.type])
        return torch.cat([matmul(products(x), projection) for x in chunks])

    def update(self, stats: GmmStats) -> np.ndarray:
        """Maximize the likelihood given the statistics.

        Returns:
            (G,) bool, which Gaussians had too little data and stayed as they were,
            but for their weight.
        """
        self.weights_, fed = stats.weights(
            self.min_gaussian_weight, self.min_gaussian_occupancy
        )
        n = stats.n.cpu().numpy()[fed]
        mean = stats.f.cpu().numpy()[fed] / n[:, None]
        covar = stats.s.cpu().numpy()[fed] / n[:, None, None]
        covar -= mean[:, :, None] * mean[:, None, :]
        self.means_[fed] = mean
        self.covars_[fed] = self._floor(covar)
        return ~fed

    def _floor(self, covar: np.ndarray) -> np.ndarray:
        """Raise the eigenvalues of (K, D, D) covariances that are too small."""
        values, vectors = np.linalg.eigh(covar)
        largest = values[:, -1:]
        floor = np.maximum(self.variance_floor, largest / self.max_condition)
        num_floored = int(np.sum(values < floor))
        if num_floored:
            logger.info(
                "GMM: floored %d of %d eigenvalues of covariances",
                num_floored,
                values.size,
            )
        return (vectors * np.maximum(values, floor)[:, None]) @ vectors.swapaxes(1, 2)


def products(frames: Tensor) -> Tensor:
    """(T, D) -> (T, (D + 1)(D + 2) / 2) products of two elements of [x, 1]."""
    x1 = append_one(frames)
    row, column = torch.triu_indices(x1.shape[1], x1.shape[1], device=frames.device)
    return x1[:, row] * x1[:, column]


def append_one(frames: Tensor) -> Tensor:
    """(T, D) x -> (T, D + 1) [x, 1]."""
    return torch.cat([frames, frames.new_ones(len(frames), 1)], dim=1)
