"""Sums that one EM pass over the frames collects, for diagonal and full mixtures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from asdkit.base.distributed import all_reduce
from asdkit.base.errors import FitError


@dataclass(frozen=True)
class GmmStats:
    """Sufficient statistics of a Gaussian mixture, all float64.

    Attributes:
        n: (G,) occupation counts; they sum to the number of frames.
        f: (G, D) sum of posterior times frame.
        s: (G, D) sum of posterior times squared frame, or (G, D, D) times the
            frame's outer product.
        loglike: () sum of the frames' log-likelihoods.
    """

    n: Tensor
    f: Tensor
    s: Tensor
    loglike: Tensor

    @classmethod
    def zeros(
        cls, num_gauss: int, dim: int, full: bool, device: torch.device | str
    ) -> GmmStats:
        """Make empty statistics."""
        n = torch.zeros(num_gauss, dtype=torch.float64, device=device)
        s = n.new_zeros((num_gauss, dim, dim) if full else (num_gauss, dim))
        return cls(n, n.new_zeros(num_gauss, dim), s, n.new_zeros(()))

    def __add__(self, other: GmmStats) -> GmmStats:
        return GmmStats(
            self.n + other.n,
            self.f + other.f,
            self.s + other.s,
            self.loglike + other.loglike,
        )

    def __iadd__(self, other: GmmStats) -> GmmStats:
        self.n.add_(other.n)
        self.f.add_(other.f)
        self.s.add_(other.s)
        self.loglike.add_(other.loglike)
        return self

    def all_reduce(self) -> GmmStats:
        """Sum over all ranks.

        Raises:
            FitError: there was no frame, or the likelihood is not finite.
        """
        parts = (self.n, self.f, self.s, self.loglike)
        total = GmmStats(*(all_reduce(part.contiguous()) for part in parts))
        if not torch.isfinite(total.loglike):
            raise FitError(
                f"GMM: the log-likelihood of the frames is {total.loglike.item()}",
                hint="look for huge values in the features; float32 cannot square them",
            )
        if not total.n.sum() > 0:
            raise FitError("GMM: there are no frames to train on")
        return total

    def weights(
        self, min_weight: float, min_occupancy: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimate the weights, as Kaldi does.

        Args:
            min_weight: least share of the frames.
            min_occupancy: least number of frames.

        Returns:
            (G,) weights that sum to one, and (G,) bool, which Gaussians have more
            than the least.
        """
        n = self.n.cpu().numpy()
        weights = n / n.sum()
        fed = (n > min_occupancy) & (weights > min_weight)
        weights[~fed] = np.maximum(weights[~fed], min_weight)
        return weights / weights.sum(), fed

    @property
    def loglike_per_frame(self) -> float:
        """The objective of EM, under the model that collected the statistics."""
        return float(self.loglike / self.n.sum())
