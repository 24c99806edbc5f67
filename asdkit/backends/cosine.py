"""Scoring without training: cosine and dot product."""

from __future__ import annotations

import numpy as np

from asdkit.backends.length_norm import unit


class Dot:
    """Score pairs of embeddings by their dot product.

    After length normalization this is D times the cosine, the number in the score
    files of Kaldi's recipes.

    Source: Kaldi, ivector-compute-dot-products.
    """

    def fit(self, x: np.ndarray, spk: np.ndarray | None = None) -> Dot:
        """Ignore the (U, D) embeddings: there are no parameters."""
        return self

    def factors(
        self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Express all scores as one matrix product.

        Args:
            enroll: (M, D) models, each the mean of its utterances.
            n: (M,) numbers of averaged utterances; ignored here.
            test: (U, D) embeddings.

        Returns:
            (M, D) a and (U, D) b, such that the scores are a @ b.T.
        """
        return enroll, test

    def score(self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray) -> np.ndarray:
        """(M, D) models of (M,) utterances, (U, D) embeddings -> (M, U) scores."""
        a, b = self.factors(enroll, n, test)
        return a @ b.T


class Cosine(Dot):
    """Score pairs of embeddings by the cosine of the angle between them.

    Example:
        >>> Cosine().score(np.array([[2.0, 0.0]]), np.ones(1), np.array([[3.0, 3.0]]))
        array([[0.70710678]])
    """

    def factors(
        self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Express all scores as one matrix product; arguments as in `Dot.factors`."""
        return unit(enroll), unit(test)
