import numpy as np
import pytest
import torch

from asdkit.ivector.init import principal_columns, random_columns


def whitened(drawn):
    """(U, G, D) statistics around the UBM's means, with noise of unit variance."""
    n, f = drawn.n.double().numpy(), drawn.f.double().numpy()
    inverse = np.linalg.inv(np.linalg.cholesky(drawn.ubm.covars_))
    centered = f - n[:, :, None] * drawn.ubm.means_
    root = np.sqrt(np.maximum(n, 1e-3))[:, :, None]
    return (inverse @ (centered / root)[..., None])[..., 0]


def angles(a, b):
    """Cosines of the angles between the spaces that two sets of columns span."""
    a, b = (np.linalg.qr(x.reshape(-1, x.shape[-1]))[0] for x in (a, b))
    return np.linalg.svd(a.T @ b)[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_components_are_the_eigenvectors(draw, rng, dtype):
    """Streamed and iterated, or decomposed at once, up to sign; also below a frame."""
    drawn = draw(num_utts=300, num_gauss=16, rank=3, size=1.0)
    for x in (drawn.n, drawn.f):
        x *= 0.05  # the batches are views
    t = principal_columns(drawn.ubm, 3, drawn.batches, drawn.totals, rng, dtype)
    z = whitened(drawn).reshape(300, -1)
    values, vectors = np.linalg.eigh(z.T @ z / 300)
    values, vectors = values[::-1][:3], vectors[:, ::-1][:, :3]
    vectors = (vectors * np.sqrt(values - 1)).reshape(16, 4, 3)
    roots = np.sqrt(drawn.n.numpy()).mean(0)[:, None, None]
    expected = np.linalg.cholesky(drawn.ubm.covars_) @ vectors / roots
    sign = np.sign((t * expected).sum((0, 1)))
    np.testing.assert_allclose(t * sign, expected, atol=1e-3 * np.abs(expected).max())


def test_the_components_span_what_was_drawn(draw, rng):
    drawn = draw(num_utts=500, num_gauss=16, rank=3, size=1.0)
    t = principal_columns(drawn.ubm, 3, drawn.batches, drawn.totals, rng)
    assert angles(t, drawn.t).min() > 0.95


def test_a_gaussian_nobody_uses_moves_nobody(draw, rng):
    drawn = draw(num_utts=50)
    for n, f in drawn.batches:
        n[:, 2], f[:, 2] = 0, 0
    drawn.totals.n[2] = 0
    t = principal_columns(drawn.ubm, 3, drawn.batches, drawn.totals, rng)
    assert np.all(np.isfinite(t))
    assert np.all(t[2] == 0)


def test_more_directions_than_the_data_has_stay_finite(draw, rng):
    """Twenty utterances, ten times the same two."""
    drawn = draw(num_utts=20)
    n, f = drawn.n[:2].repeat(10, 1), drawn.f[:2].repeat(10, 1, 1)
    t = principal_columns(drawn.ubm, 15, [(n, f)], drawn.totals, rng)
    assert t.shape == (8, 4, 15)
    assert np.all(np.isfinite(t))


def test_random_columns_are_standard_normal(draw, rng):
    drawn = draw(num_utts=5, num_gauss=50)
    t = random_columns(drawn.ubm, 30, rng)
    assert t.shape == (50, 4, 30)
    assert abs(t.mean()) < 0.05
    assert t.std() == pytest.approx(1, abs=0.05)
