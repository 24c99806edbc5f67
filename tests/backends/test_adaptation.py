import numpy as np
import pytest

from asdkit.backends.adaptation import adapt_plda
from asdkit.backends.plda import Plda
from asdkit.base.errors import FitError


@pytest.fixture
def plda(rng):
    model = Plda(smoothing=0.25)
    model.mean_ = rng.normal(size=5)
    model.transform_ = rng.normal(size=(5, 5))
    model.psi_ = np.array([9.0, 4.0, 2.0, 1.0, 0.5])
    return model


def covariances(plda):
    a_inv = np.linalg.inv(plda.transform_)
    return a_inv * plda.psi_ @ a_inv.T, a_inv @ a_inv.T


def draw_like(plda, rng, num=200, scale=1.0):
    """Embeddings with exactly the model's mean, and its total covariance scaled."""
    z = rng.normal(size=(num, 5))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / num)).T
    root = np.linalg.cholesky(scale * sum(covariances(plda)))
    return plda.mean_ + z @ root.T


def test_golden_model(kaldi):
    x = (kaldi.test.x - kaldi.mean) @ kaldi.lda[:, :-1].T + kaldi.lda[:, -1]
    x *= np.sqrt(x.shape[1]) / np.linalg.norm(x, axis=1, keepdims=True)
    model = Plda()
    model.mean_, model.transform_, model.psi_ = kaldi.plda
    adapted = adapt_plda(model, x, within_covar_scale=0.75, between_covar_scale=0.25)
    np.testing.assert_allclose(adapted.psi_, kaldi.adapted.psi, rtol=1e-6)
    np.testing.assert_allclose(adapted.mean_, kaldi.adapted.mean, atol=1e-6)
    signs = np.sign(np.sum(adapted.transform_ * kaldi.adapted.transform, axis=1))
    np.testing.assert_allclose(
        signs[:, None] * adapted.transform_, kaldi.adapted.transform, atol=1e-5
    )


def test_a_domain_that_the_model_expects_changes_nothing(plda, rng):
    x = draw_like(plda, rng, scale=1 - 1e-9)
    adapted = adapt_plda(plda, x)
    for found, expected in zip(covariances(adapted), covariances(plda), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_a_narrower_domain_moves_the_mean_only(plda, rng):
    x = draw_like(plda, rng, scale=0.5) + 1e-3
    adapted = adapt_plda(plda, x)
    np.testing.assert_allclose(adapted.mean_, plda.mean_ + 1e-3, rtol=1e-9)
    np.testing.assert_allclose(adapted.psi_, plda.psi_, rtol=1e-9)


def test_the_excess_is_divided_as_asked(plda, rng):
    """Twice the variance everywhere: the excess is the model's own total."""
    adapted = adapt_plda(plda, draw_like(plda, rng, scale=2.0), 0.4, 0.6)
    b, w = covariances(plda)
    new_b, new_w = covariances(adapted)
    np.testing.assert_allclose(new_w, w + 0.4 * (b + w), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(new_b, b + 0.6 * (b + w), rtol=1e-6, atol=1e-9)


def test_a_shift_counts_as_variance_as_much_as_asked(plda, rng):
    shift = 10 * rng.normal(size=5)
    x = draw_like(plda, rng, scale=1 - 1e-9) + shift
    b, _ = covariances(plda)
    for scale in (0.0, 1.0):
        adapted = adapt_plda(plda, x, 0.0, 1.0, mean_diff_scale=scale)
        expected = b + scale * np.outer(shift, shift)
        np.testing.assert_allclose(covariances(adapted)[0], expected, atol=1e-5)


def test_the_model_itself_and_its_options_stay(plda, rng):
    before = plda.psi_.copy(), plda.transform_.copy(), plda.mean_.copy()
    adapted = adapt_plda(plda, draw_like(plda, rng, scale=3.0))
    for array, old in zip(
        (plda.psi_, plda.transform_, plda.mean_), before, strict=True
    ):
        np.testing.assert_array_equal(array, old)
    assert adapted.smoothing == 0.25
    assert not np.allclose(adapted.psi_, plda.psi_)


def test_one_embedding_is_too_little(plda):
    with pytest.raises(FitError, match="plda: cannot adapt to 1 embeddings"):
        adapt_plda(plda, np.zeros((1, 5)))


def test_a_model_that_leaves_directions_out_is_adapted_in_the_others(rng):
    spk = np.repeat(np.arange(100), 4)
    x = rng.normal(size=(100, 3))[spk] + 0.5 * rng.normal(size=(400, 3))
    basis = np.linalg.qr(rng.normal(size=(7, 3)))[0].T
    new = 2 * rng.normal(size=(50, 3)) + 1
    wide = adapt_plda(Plda().fit(x @ basis, spk), new @ basis)
    expected = adapt_plda(Plda().fit(x, spk), new)
    n = np.ones(5)
    np.testing.assert_allclose(
        wide.score(x[:5] @ basis, n, x[5:] @ basis),
        expected.score(x[:5], n, x[5:]),
        rtol=1e-8,
    )
