import numpy as np
import pytest
from scipy.stats import multivariate_normal

from asdkit.backends.plda import Plda, diagonalize
from asdkit.base.errors import FitError


def draw(rng, num_spks=500, dim=4):
    """Embeddings of the model: 1 to 8 utterances per speaker."""
    b_root, w_root = rng.normal(size=(2, dim, dim))
    spk = np.repeat(np.arange(num_spks), rng.integers(1, 9, num_spks))
    y = rng.normal(size=(num_spks, dim)) @ b_root.T
    x = 3 + y[spk] + rng.normal(size=(len(spk), dim)) @ w_root.T
    return x, spk, b_root @ b_root.T, w_root @ w_root.T


def covariances(plda):
    a_inv = np.linalg.inv(plda.transform_)
    return a_inv * plda.psi_ @ a_inv.T, a_inv @ a_inv.T


def joint_loglike(vectors, mean, b, w, labels):
    """The definition: one large Gaussian, B wherever two labels are the same."""
    same = np.equal.outer(labels, labels)
    covariance = np.kron(same, b) + np.kron(np.eye(len(labels)), w)
    centered = np.concatenate([v - mean for v in vectors])
    return multivariate_normal(cov=covariance).logpdf(centered)


def test_fit_recovers_the_covariances_it_was_drawn_from(rng):
    x, spk, b, w = draw(rng, num_spks=3000)
    plda = Plda(num_iters=30).fit(x, spk)
    found_b, found_w = covariances(plda)
    np.testing.assert_allclose(found_w, w, atol=0.05 * np.trace(w))
    np.testing.assert_allclose(found_b, b, atol=0.05 * np.trace(b))
    np.testing.assert_allclose(plda.mean_, 3, atol=0.2)


def test_every_em_iteration_raises_the_likelihood(rng, caplog):
    x, spk, *_ = draw(rng, num_spks=50)
    caplog.set_level("INFO")
    Plda(num_iters=15).fit(x, spk)
    assert not [r for r in caplog.records if r.levelname == "WARNING"]
    messages = [m for m in caplog.messages if "loglike" in m]
    objf = [float(message.rpartition(" ")[2]) for message in messages]
    assert len(objf) == 15
    assert np.all(np.diff(objf) >= 0)


def test_the_logged_likelihood_is_that_of_joint_gaussians(rng, caplog):
    x, spk, *_ = draw(rng, num_spks=12, dim=3)
    caplog.set_level("INFO")
    before = Plda(num_iters=2).fit(x, spk)
    Plda(num_iters=3).fit(x, spk)
    expected = joint_loglike(x, before.mean_, *covariances(before), spk) / len(x)
    logged = float(caplog.messages[-1].rpartition(" ")[2])
    assert logged == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("num_enroll", [1, 3])
def test_score_equals_the_ratio_of_joint_gaussians(rng, num_enroll):
    """Kaldi's closed form must agree with the definition, written out in full."""
    x, spk, *_ = draw(rng)
    plda = Plda(num_iters=5, normalize_length=False).fit(x, spk)
    enroll, test = x[:num_enroll], x[10]
    model = plda.mean_, *covariances(plda)
    vectors = [*enroll, test]
    expected = joint_loglike(vectors, *model, [0] * num_enroll + [0])
    expected -= joint_loglike(vectors, *model, [0] * num_enroll + [1])

    mean = enroll.mean(axis=0, keepdims=True)
    score = plda.score(mean, np.array([num_enroll]), test[None])
    np.testing.assert_allclose(score.item(), expected, rtol=1e-8)


def test_models_of_different_sizes_score_as_each_alone(rng):
    x, spk, *_ = draw(rng)
    plda = Plda().fit(x, spk)
    n = np.array([1, 3, 3, 7])
    scores = plda.score(x[:4], n, x[10:30])
    alone = [plda.score(x[i : i + 1], n[i : i + 1], x[10:30])[0] for i in range(4)]
    np.testing.assert_allclose(scores, alone, rtol=1e-10, atol=1e-10)


def test_smoothing_adds_between_to_within(rng):
    x, spk, *_ = draw(rng)
    plda = Plda(smoothing=0.1, normalize_length=False).fit(x, spk)
    b, w = covariances(plda)
    widened = Plda(normalize_length=False)
    rotation, widened.psi_ = diagonalize(b, w + 0.1 * b)
    widened.mean_, widened.transform_ = plda.mean_, rotation
    n = np.ones(5)
    expected = widened.score(x[:5], n, x[5:10])
    np.testing.assert_allclose(plda.score(x[:5], n, x[5:10]), expected, rtol=1e-8)


def test_lengths_are_what_the_model_expects(rng):
    x, spk, *_ = draw(rng)
    plda = Plda().fit(x, spk)
    n = rng.integers(1, 9, len(x))
    z = plda.transform(x, n)
    energy = np.sum(z**2 / (plda.psi_ + 1 / n[:, None]), axis=1)
    np.testing.assert_allclose(energy, 4, rtol=1e-12)
    plain = Plda(normalize_length=False).fit(x, spk).transform(x)
    cosine = np.sum(z * plain, axis=1)
    cosine /= np.linalg.norm(z, axis=1) * np.linalg.norm(plain, axis=1)
    np.testing.assert_allclose(cosine, 1, rtol=1e-12)

    z = Plda(simple_length_norm=True).fit(x, spk).transform(x, n)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 2, rtol=1e-12)


def test_the_mean_itself_has_no_direction(rng):
    x, spk, *_ = draw(rng)
    plda = Plda().fit(x, spk)
    np.testing.assert_array_equal(plda.transform(plda.mean_[None]), np.zeros((1, 4)))


def golden_input(kaldi):
    x = (kaldi.train - kaldi.mean) @ kaldi.lda[:, :-1].T + kaldi.lda[:, -1]
    return x * np.sqrt(x.shape[1]) / np.linalg.norm(x, axis=1, keepdims=True)


def test_golden_training(kaldi):
    plda = Plda().fit(golden_input(kaldi), kaldi.spk)
    np.testing.assert_allclose(plda.psi_, kaldi.plda.psi, rtol=1e-6)
    np.testing.assert_allclose(plda.mean_, kaldi.plda.mean, atol=1e-7)
    signs = np.sign(np.sum(plda.transform_ * kaldi.plda.transform, axis=1))
    np.testing.assert_allclose(
        signs[:, None] * plda.transform_, kaldi.plda.transform, atol=1e-5
    )


def test_diagonalize_does_both_at_once(rng):
    roots = rng.normal(size=(2, 5, 5))
    b, w = roots @ roots.transpose(0, 2, 1)
    a, psi = diagonalize(b, w)
    np.testing.assert_allclose(a @ w @ a.T, np.eye(5), atol=1e-10)
    np.testing.assert_allclose(a @ b @ a.T, np.diag(psi), atol=1e-10 * psi[0])
    assert np.all(np.diff(psi) <= 0)


def test_a_singular_covariance_is_said():
    with pytest.raises(FitError, match="within-speaker covariance is singular"):
        diagonalize(np.eye(3), np.diag([1.0, 1.0, 0.0]))


def scores_of(plda, x, num_enroll=5):
    n = np.array([1, 2, 1, 3, 1])
    return plda.score(x[:num_enroll], n, x[num_enroll:30])


def test_a_dimension_that_is_constant_in_training_does_not_matter_in_use(rng, caplog):
    """Once its variance shrank with every iteration, and outweighed all others."""
    x, spk, *_ = draw(rng)
    wide = np.insert(x, 2, 7.0, axis=1)
    plda = Plda().fit(wide, spk)
    assert "plda: embeddings vary in only 4 of 5 directions" in caplog.text
    assert "converge" not in caplog.text
    wide[:, 2] += 0.05 * rng.normal(size=len(x))
    expected = scores_of(Plda().fit(x, spk), x)
    np.testing.assert_allclose(scores_of(plda, wide), expected, rtol=1e-9)


def test_a_projection_of_lower_rank_changes_no_score(rng, caplog):
    x, spk, *_ = draw(rng)
    basis = np.linalg.qr(rng.normal(size=(9, 4)))[0].T
    plda = Plda().fit(x @ basis, spk)
    assert plda.transform_.shape == (4, 9)
    assert "plda: embeddings vary in only 4 of 9 directions" in caplog.text
    np.testing.assert_allclose(
        scores_of(plda, x @ basis), scores_of(Plda().fit(x, spk), x), rtol=1e-8
    )


def test_utterances_that_are_all_copies_are_refused(rng):
    x = rng.normal(size=(200, 5))
    with pytest.raises(FitError, match="plda: all embeddings of a speaker are the sa"):
        Plda().fit(np.repeat(x, 2, axis=0), np.repeat(np.arange(200), 2))


def test_a_dimension_that_is_constant_within_speakers_is_floored_and_said(rng, caplog):
    x, spk, *_ = draw(rng)
    x = np.hstack([x, rng.normal(size=500)[spk, None]])
    plda = Plda(num_iters=100).fit(x, spk)
    assert "plda: within speakers: floored 1 of 5 eigenvalues" in caplog.text
    assert "converge" not in caplog.text
    _, w = covariances(plda)
    variances = np.linalg.eigvalsh(w)
    assert 1e-6 < variances[0] / variances[-1] < 1e-5


def test_em_that_does_not_settle_says_so(rng, caplog):
    x, spk, *_ = draw(rng)
    x = np.hstack([x, rng.normal(size=500)[spk, None]])
    Plda(num_iters=5).fit(x, spk)
    assert "plda: EM does not converge: its last iteration raised" in caplog.text


def test_too_little_data_is_said(rng):
    with pytest.raises(FitError, match="plda: expected a speaker with two utterances"):
        Plda().fit(rng.normal(size=(9, 3)), np.arange(9))
    with pytest.raises(FitError, match="plda: 8 utterances cannot fill 8 dimensions"):
        Plda().fit(rng.normal(size=(8, 8)), np.arange(8) // 2)
