"""Length normalization: keep only the direction of an embedding."""

from __future__ import annotations

import numpy as np


class LengthNorm:
    """Scale every embedding to the length sqrt(D), that of white noise.

    An i-vector's length tells how long the utterance was; without it, what is left
    is closer to the Gaussians that PLDA expects.

    Source: D. Garcia-Romero and C. Espy-Wilson, "Analysis of i-vector length
    normalization in speaker recognition systems", Interspeech 2011; Kaldi,
    ivector-normalize-length.
    """

    def fit(self, x: np.ndarray, spk: np.ndarray | None = None) -> LengthNorm:
        """Ignore the (U, D) embeddings: there are no parameters."""
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(U, D) embeddings -> (U, D) of length sqrt(D); zeros stay zeros.

        Example:
            >>> LengthNorm().transform(np.array([[3.0, 4.0], [0.0, 0.0]])).round(3)
            array([[0.849, 1.131],
                   [0.   , 0.   ]])
        """
        return np.sqrt(x.shape[1]) * unit(x)


def unit(x: np.ndarray) -> np.ndarray:
    """(U, D) -> (U, D) with rows of length 1; zeros stay zeros."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1)
