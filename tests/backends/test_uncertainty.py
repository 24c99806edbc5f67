import numpy as np
import pytest

from asdkit.backends.center import Center
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.uncertainty import transform_posterior_precision


@pytest.fixture
def drawn(rng):
    """60 embeddings of 6 speakers, and how sure one is of them."""
    spk = np.repeat(np.arange(6), 10)
    x = rng.normal(size=(6, 5))[spk] + rng.normal(size=(60, 5))
    return x, spk, np.exp(rng.normal(size=(60, 5)))


def trained(maps, x, spk):
    for step in maps:
        x = step.fit(x, spk).transform(x)
    return maps


def test_no_map_and_centering_change_nothing(drawn):
    x, spk, p = drawn
    np.testing.assert_allclose(transform_posterior_precision([], x, p), p)
    np.testing.assert_allclose(
        transform_posterior_precision(trained([Center()], x, spk), x, p), p
    )


def test_it_is_the_covariance_of_what_the_maps_make_of_draws(drawn, rng):
    """Drawn from the posterior and mapped, with the length of the mean for all."""
    x, spk, p = drawn
    maps = trained([Center(), Lda(lda_dim=3), LengthNorm()], x, spk)
    found = transform_posterior_precision(maps, x, p)
    for u in (0, 17):
        draws = x[u] + rng.normal(size=(200_000, 5)) / np.sqrt(p[u])
        mapped = maps[1].transform(maps[0].transform(draws))
        middle = maps[1].transform(maps[0].transform(x[u : u + 1]))
        mapped *= np.sqrt(3) / np.linalg.norm(middle)
        np.testing.assert_allclose(1 / found[u], mapped.var(axis=0), rtol=0.02)


def test_an_error_weighs_the_same_before_and_after_length_normalization(drawn):
    x, spk, p = drawn
    maps = trained([Center(), LengthNorm()], x, spk)
    found = transform_posterior_precision(maps, x, p)
    error = 0.3 * np.ones_like(x)
    scale = np.sqrt(5) / np.linalg.norm(x - x.mean(axis=0), axis=1, keepdims=True)
    np.testing.assert_allclose((scale * error) ** 2 * found, error**2 * p)


def test_the_order_of_the_maps_matters_only_by_the_length(drawn):
    x, spk, p = drawn
    maps = trained([LengthNorm(), Lda(lda_dim=2)], x, spk)
    scale = np.sqrt(5) / np.linalg.norm(x, axis=1, keepdims=True)
    covariance = scale**2 / p @ (maps[1].transform_ ** 2).T
    np.testing.assert_allclose(
        transform_posterior_precision(maps, x, p), 1 / covariance
    )


def test_a_zero_vector_has_a_precision():
    p = transform_posterior_precision([LengthNorm()], np.zeros((1, 3)), np.ones((1, 3)))
    assert np.isfinite(p).all()
