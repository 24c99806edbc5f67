"""Scores of all pairs of utterances, tile by tile, never all at once.

Utterances are in the order of their speakers, so that the targets of a row of the
matrix of scores stand together, and all that is behind them are nontargets.  A pair is
scored once, the one that comes first as the enrolled one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from asdkit.backends.normalization import CohortStats
from asdkit.backends.pipeline import Pipeline

TILE = 4_000_000  # scores at a time: 32 MB


class AllPairs:
    """Score all unordered pairs of different utterances.

    Args:
        backend: trained.
        x: (U, D) embeddings.
        speaker: (U,) integer, rising.
        stats: (U,) statistics of each against a cohort, for AS-norm; None for none.
    """

    def __init__(
        self,
        backend: Pipeline,
        x: np.ndarray,
        speaker: np.ndarray,
        stats: CohortStats | None = None,
    ) -> None:
        x = backend.transform(x)
        ones = np.ones(len(x), np.int64)
        self._a, self._b = backend.steps[-1].factors(x, ones, x)
        # The end of each utterance's speaker.
        self._ends = np.searchsorted(speaker, speaker, "right")
        self._stats = None
        if stats is not None:
            # (s - mu_e) / 2 sd_e + (s - mu_t) / 2 sd_t
            scale = 0.5 / stats.std
            self._stats = scale, scale * stats.mean

    def targets(self) -> np.ndarray:
        """Score the pairs of one speaker: (N,)."""
        found = [np.empty(0)]
        starts = np.flatnonzero(np.diff(self._ends, prepend=-1))
        for start in starts.tolist():
            end = int(self._ends[start])
            scores = self._tile(slice(start, end), slice(start, end))
            found.append(scores[np.triu_indices(end - start, k=1)])
        return np.concatenate(found)

    def nontargets(self) -> Iterator[np.ndarray]:
        """Score the pairs of two speakers: (P,) at a time, which may be overwritten."""
        num_utts, top = len(self._ends), 0
        while top < num_utts and (left := int(self._ends[top])) < num_utts:
            bottom = min(num_utts, top + max(1, TILE // (num_utts - left)))
            tile = self._tile(slice(top, bottom), slice(left, num_utts))
            first = self._ends[top:bottom] - left  # column of each row
            if not first.any():
                yield tile.ravel()
            else:
                yield tile[np.arange(tile.shape[1]) >= first[:, None]]
            top = bottom

    def _tile(self, rows: slice, columns: slice) -> np.ndarray:
        """Score a part of the matrix."""
        scores = self._a[rows] @ self._b[columns].T
        if self._stats is not None:
            scale, shift = self._stats
            scores *= scale[rows, None] + scale[columns]
            scores -= shift[rows, None] + shift[columns]
        return scores
