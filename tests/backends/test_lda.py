import numpy as np
import pytest

from asdkit.backends.lda import Lda
from asdkit.base.errors import FitError


def draw(rng, num_spks=60, per_spk=8, dim=6):
    """Speakers differ in the first two of the hidden dimensions only."""
    mixing = rng.normal(size=(dim, dim))
    spk = np.repeat(np.arange(num_spks), per_spk)
    spread = np.array([5.0, 3.0] + [0.0] * (dim - 2))
    y = rng.normal(size=(num_spks, dim)) * spread
    x = (y[spk] + rng.normal(size=(len(spk), dim))) @ mixing.T + 7
    return x, spk, mixing


def within_and_between(x, spk):
    means = np.array([x[spk == s].mean(axis=0) for s in spk])
    between = means - x.mean(axis=0)
    return (x - means).T @ (x - means) / len(x), between.T @ between / len(x)


def test_the_directions_of_the_speakers_are_found(rng):
    x, spk, mixing = draw(rng)
    lda = Lda(lda_dim=2).fit(x, spk)
    hidden = lda.transform_ @ mixing  # (2, D): what it sees of the hidden axes
    share = np.linalg.norm(hidden[:, :2], axis=1) / np.linalg.norm(hidden, axis=1)
    assert np.all(share > 0.99)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_covariances_become_unit_and_diagonal(rng, factor):
    x, spk, _ = draw(rng)
    lda = Lda(lda_dim=4, total_covariance_factor=factor).fit(x, spk)
    projected = lda.transform(x)
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-12)
    w, b = within_and_between(projected, spk)
    unit = (1 - factor) * w + factor * (w + b)
    np.testing.assert_allclose(unit, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(b, np.diag(np.diag(b)), atol=1e-10 * b[0, 0])
    assert np.all(np.diff(np.diag(b)) <= 0)


def test_golden_transform_up_to_sign(kaldi):
    x = kaldi.train - kaldi.mean
    lda = Lda(lda_dim=8).fit(x, kaldi.spk)
    ours = np.hstack([lda.transform_, lda.offset_[:, None]])
    signs = np.sign(np.sum(ours * kaldi.lda, axis=1, keepdims=True))
    np.testing.assert_allclose(signs * ours, kaldi.lda, atol=2e-6)


def test_fitting_twice_gives_the_same(rng):
    x, spk, _ = draw(rng)
    lda = Lda(lda_dim=2).fit(x, spk)
    first = lda.transform_
    np.testing.assert_array_equal(lda.fit(x, spk).transform_, first)


def test_a_dimension_that_is_constant_in_training_is_left_out_and_said(rng, caplog):
    x, spk, _ = draw(rng)
    x[:, 3] = 1.0
    lda = Lda(lda_dim=2).fit(x, spk)
    assert "lda: embeddings vary in only 5 of 6 directions" in caplog.text
    without = Lda(lda_dim=2).fit(np.delete(x, 3, axis=1), spk)
    y = x + np.eye(6)[3] * rng.normal(size=(len(x), 1))  # it varies in use
    np.testing.assert_allclose(
        np.abs(lda.transform(y)),
        np.abs(without.transform(np.delete(x, 3, axis=1))),  # but for the sign
        atol=1e-9,
    )


def test_a_lower_rank_cannot_give_more_dimensions(rng):
    x, spk, _ = draw(rng)
    flat = x[:, :3] @ rng.normal(size=(3, 6))
    assert Lda(lda_dim=3).fit(flat, spk).transform_.shape == (3, 6)
    with pytest.raises(FitError, match=r"the 3 directions in which .* 4 dimensions"):
        Lda(lda_dim=4).fit(flat, spk)


def test_too_little_variance_within_speakers_is_floored_and_said(rng, caplog):
    x, spk, _ = draw(rng)
    x[:, 3] = rng.normal(size=60)[spk]
    lda = Lda(lda_dim=2).fit(x, spk)
    assert np.all(np.isfinite(lda.transform_))
    assert "lda: floored 1 of 6 eigenvalues of the covariance" in caplog.text


def test_directions_in_which_speakers_do_not_differ_are_said(rng, caplog):
    spk = np.repeat(np.arange(60), 8)
    x = rng.normal(size=(480, 6))
    for dim in range(3, 6):  # one variance among them within every speaker
        x[:, dim] -= np.bincount(spk, x[:, dim])[spk] / 8
    Lda(lda_dim=3).fit(x, spk)
    assert "WARNING" not in caplog.text
    Lda(lda_dim=5).fit(x, spk)
    assert "speakers do not differ in 2 of 5 directions that are kept" in caplog.text


@pytest.mark.parametrize(
    ("lda_dim", "num_spks", "per_spk", "problem"),
    [
        (7, 60, 8, "lda: 6-dimensional embeddings cannot give 7 dimensions"),
        (5, 5, 8, "lda: 5 speakers differ in at most 4 dimensions, not in 5"),
        (2, 5, 2, "lda: 10 utterances of 5 speakers leave .* 6 dimensions singular"),
    ],
)
def test_too_little_data_is_said(rng, lda_dim, num_spks, per_spk, problem):
    x, spk, _ = draw(rng, num_spks, per_spk)
    with pytest.raises(FitError, match=problem) as error:
        Lda(lda_dim=lda_dim).fit(x, spk)
    assert error.value.hint
