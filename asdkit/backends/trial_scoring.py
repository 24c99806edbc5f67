"""Score listed trials from factors: ``a @ b.T``, evaluated only where listed."""

from __future__ import annotations

import numpy as np

# Above this share of all pairs, computing all and picking the listed ones is faster
# than fetching two rows per trial (tools/bench/scoring.py).
DENSE = 0.05
TILE = 8_000_000  # pairs at a time: 64 MB
CHUNK = 1024  # trials at a time: few enough for the cache


def score_listed(
    a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Compute chosen elements of ``a @ b.T`` in bounded memory.

    Args:
        a: (M, E) factors of the models.
        b: (U, E) factors of the test utterances.
        rows: (N,) the model of every trial.
        columns: (N,) the test utterance of every trial.

    Returns:
        (N,) scores.
    """
    order = np.argsort(rows, kind="stable")
    rows, columns = rows[order], columns[order]
    is_dense = len(rows) > DENSE * len(a) * len(b)
    scores = np.empty(len(rows))
    scores[order] = (_all_pairs if is_dense else _single_pairs)(a, b, rows, columns)
    return scores


def _all_pairs(
    a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Multiply tile by tile; pick the trials from each.  ``rows`` rises."""
    scores = np.empty(len(rows))
    height = max(1, TILE // len(b))
    for top in range(0, len(a), height):
        tile = a[top : top + height] @ b.T  # (height, U)
        first, last = np.searchsorted(rows, (top, top + height))
        scores[first:last] = tile[rows[first:last] - top, columns[first:last]]
    return scores


def _single_pairs(
    a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Multiply the two rows of every trial.  ``rows`` rises, for the cache."""
    scores = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        now = slice(start, start + CHUNK)
        scores[now] = np.einsum("ne,ne->n", a[rows[now]], b[columns[now]])
    return scores
