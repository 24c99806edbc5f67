import logging

import numpy as np

from asdkit.backends.covariances import floor_variances, live_axes


def covariance(rng, dim=6, rank=6):
    x = rng.standard_normal((200, rank)) @ rng.standard_normal((rank, dim))
    return np.cov(x.T)


def test_a_full_rank_covariance_is_left_alone(rng, caplog):
    total = covariance(rng)
    assert live_axes(total, 1e-9, "test") is None
    variances, axes, num_floored = floor_variances(total, 1e-9, "test")
    assert num_floored == 0
    np.testing.assert_allclose(axes * variances @ axes.T, total, atol=1e-12)
    assert not caplog.records


def test_directions_without_variance_are_left_out_with_a_warning(rng, caplog):
    total = covariance(rng, rank=4)
    axes = live_axes(total, 1e-9, "plda")
    assert axes.shape == (6, 4)
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(axes @ axes.T @ total, total, atol=1e-9)
    assert "plda: embeddings vary in only 4 of 6 directions" in caplog.text


def test_small_eigenvalues_are_raised_to_the_floor_and_counted(rng, caplog):
    caplog.set_level(logging.WARNING)
    variances, _, num_floored = floor_variances(covariance(rng, rank=4), 1e-3, "w")
    assert num_floored >= 2
    assert variances.min() == 1e-3 * variances.max()
    assert f"w: floored {num_floored} of 6 eigenvalues" in caplog.text
