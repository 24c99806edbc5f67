"""Axes of i-vectors scaled by how surely an utterance determines them."""

from __future__ import annotations

import numpy as np

from asdkit.base.errors import FitError
from asdkit.base.ranges import Share


class PosteriorWhitening:
    """Whiten i-vectors by an average posterior covariance, for a cosine.

    An i-vector is the mean of a posterior whose covariance is L^-1.  In a direction of
    which speech says little, that covariance is near the prior's, and what an i-vector
    has there is mostly noise; yet a cosine counts all directions alike.
    ``L^(whiten / 2)``, here up to a factor, makes that noise the same in all directions
    if ``whiten`` is 1, and more alike if it is less.  LDA and PLDA learn this from the
    data; see egs/speechocean762/v1/RESULTS.md for what a cosine gains.

    Args:
        whiten: share of the whitening by the posterior covariance, in [0, 1]; 0: none.
            A cosine gains most with about a half.

    Attributes:
        transform_: (R, R) symmetric; it keeps the power of vectors whose elements are
            equally large and independent.
    """

    transform_: np.ndarray

    def __init__(self, whiten: Share = 0.5) -> None:
        self.whiten = whiten

    @property
    def input_dim(self) -> int:
        """R, the dimension of the i-vectors."""
        return len(self.transform_)

    def know(self, precision: np.ndarray) -> PosteriorWhitening:
        """Take the extractor's (R, R) average posterior precision L, before `fit`."""
        values, axes = np.linalg.eigh(precision)
        scales = values**self.whiten
        scales /= scales.mean()
        self.transform_ = (axes * np.sqrt(scales)) @ axes.T
        return self

    def fit(self, x: np.ndarray, spk: np.ndarray | None = None) -> PosteriorWhitening:
        """Learn nothing from (U, R) i-vectors, but look whether they can be whitened.

        Raises:
            FitError: no extractor is known, or one of another dimension.
        """
        if not hasattr(self, "transform_"):
            problem = "posterior-whiten: the extractor of these i-vectors is not known"
            raise FitError(problem, hint="name its directory by --extractor")
        if self.input_dim != x.shape[1]:
            raise FitError(
                f"posterior-whiten: expected i-vectors of the extractor's dimension "
                f"{self.input_dim}, got {x.shape[1]}"
            )
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(U, R) i-vectors -> (U, R) whitened."""
        return x @ self.transform_
