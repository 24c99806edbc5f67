"""Centering: subtract the mean of the training embeddings."""

from __future__ import annotations

import numpy as np


class Center:
    """Subtract the mean over all training utterances.

    Attributes:
        mean_: (D,) that mean; every utterance counts once.

    Source: Kaldi, ivector-mean and ivector-subtract-global-mean.
    """

    mean_: np.ndarray

    @property
    def input_dim(self) -> int:
        """D, the dimension of the embeddings."""
        return len(self.mean_)

    def fit(self, x: np.ndarray, spk: np.ndarray | None = None) -> Center:
        """Take the mean of (U, D) embeddings; speakers do not matter."""
        self.mean_ = np.asarray(x, dtype=np.float64).mean(axis=0)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(U, D) embeddings -> (U, D) centered."""
        return x - self.mean_
