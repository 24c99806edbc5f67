"""Embeddings in two dimensions, to look at."""

from __future__ import annotations

import numpy as np

PERPLEXITY = 20.0
NUM_STEPS, EXAGGERATED = 400, 100  # in the first ones, clusters are pulled together
RATE = 100.0


def principal_plane(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project on the two directions of largest variance.

    Args:
        x: (U, D) embeddings, one row per utterance.

    Returns:
        (U, 2) coordinates, and (2,) the shares of the variance.
    """
    centered = x - x.mean(axis=0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    total = float((s**2).sum()) or 1.0
    places = u[:, :2] * s[:2]
    if places.shape[1] < 2:
        places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
        s = np.pad(s, (0, 2))
    return places, s[:2] ** 2 / total


def tsne(x: np.ndarray, perplexity: float = PERPLEXITY, seed: int = 0) -> np.ndarray:
    """Place embeddings so that near ones stay near; distances afar mean nothing.

    Exact, with all pairs: for some hundreds of utterances, which take two seconds.

    Args:
        x: (U, D) embeddings.
        perplexity: effective number of neighbors; less where there are few.
        seed: of what is added to the principal plane at the start.

    Returns:
        (U, 2) coordinates.

    Source: L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 2008;
    equation (4) for neighbors in the plane.
    """
    num = len(x)
    if num < 4:
        return principal_plane(x)[0]
    p = affinities(_squared_distances(x), min(perplexity, (num - 1) / 3))
    p = np.maximum((p + p.T) / (2 * num), 1e-12)
    y = principal_plane(x)[0]
    y = 1e-2 * y / (y.std() or 1.0)
    y = y + 1e-4 * np.random.default_rng(seed).normal(size=y.shape)
    step, gains = np.zeros_like(y), np.ones_like(y)
    for i in range(NUM_STEPS):
        pull = 4.0 if i < EXAGGERATED else 1.0
        q = 1 / (1 + _squared_distances(y))
        np.fill_diagonal(q, 0)
        force = (pull * p - q / q.sum()) * q  # (U, U); q / q.sum() is (4)
        gradient = 4 * (force.sum(axis=1)[:, None] * y - force @ y)
        gains = np.where(gradient * step < 0, gains + 0.2, gains * 0.8).clip(0.01)
        step = (0.5 if i < EXAGGERATED else 0.8) * step - RATE * gains * gradient
        y = y + step
        y = y - y.mean(axis=0)
    return y


def affinities(distances: np.ndarray, perplexity: float) -> np.ndarray:
    """(U, U) squared distances -> (U, U) probabilities of neighbors, rows sum to 1.

    The width of every row's Gaussian is found by bisection.
    """
    num = len(distances)
    scale = float(distances.mean()) or 1.0
    low, high = np.zeros(num), np.full(num, np.inf)
    beta = np.full(num, 1 / scale)
    others = ~np.eye(num, dtype=bool)
    wanted = np.log(perplexity)
    p = np.zeros_like(distances)
    for _ in range(60):
        nearest = np.where(others, distances, np.inf).min(axis=1, keepdims=True)
        p = np.exp(-np.maximum(distances - nearest, 0) * beta[:, None]) * others
        p /= p.sum(axis=1, keepdims=True)
        entropy = -np.sum(p * np.log(np.maximum(p, 1e-300)), axis=1)
        is_wide = entropy > wanted
        low = np.where(is_wide, beta, low)
        high = np.where(is_wide, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    return p


def _squared_distances(x: np.ndarray) -> np.ndarray:
    """(U, D) -> (U, U)."""
    squares = (x * x).sum(axis=1)
    return np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)
