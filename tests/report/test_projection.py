"""Embeddings in two dimensions: what is near stays near."""

import numpy as np
import pytest

from asdkit.report.projection import affinities, principal_plane, tsne


def test_the_plane_is_that_of_the_covariance(rng):
    x = rng.normal(size=(50, 6)) * [5, 3, 1, 1, 1, 1]
    places, shares = principal_plane(x)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    expected = (x - x.mean(axis=0)) @ vectors[:, ::-1][:, :2]
    np.testing.assert_allclose(np.abs(places), np.abs(expected))
    np.testing.assert_allclose(shares, values[::-1][:2] / values.sum())


def test_one_dimension_has_a_plane():
    assert principal_plane(np.array([[1.0], [2.0]]))[0].shape == (2, 2)


def test_every_row_has_as_many_neighbors_as_asked_for(rng):
    x = rng.normal(size=(40, 3))
    distances = ((x[:, None] - x) ** 2).sum(-1)
    p = affinities(distances, 10)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(np.diag(p), 0)
    entropy = -np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300)), 0), axis=1)
    np.testing.assert_allclose(np.exp(entropy), 10, rtol=1e-6)


def test_neighbors_are_of_the_same_cluster(rng):
    labels = np.repeat(np.arange(8), 15)
    x = 3 * rng.normal(size=(8, 20))[labels] + rng.normal(size=(120, 20))
    y = tsne(x)
    distances = ((y[:, None] - y) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    assert np.mean(labels[nearest] == labels) > 0.95
    np.testing.assert_array_equal(y, tsne(x))


@pytest.mark.parametrize("num", [1, 2, 3, 4, 5])
def test_a_few_points_and_equal_ones_are_placed(rng, num):
    assert np.isfinite(tsne(rng.normal(size=(num, 3)))).all()
    assert np.isfinite(tsne(np.ones((num, 3)))).all()
