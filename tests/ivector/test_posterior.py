import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from asdkit.ivector import posterior as module
from asdkit.ivector.em import loglike_at_zero
from asdkit.ivector.symmetric import unpack


@pytest.mark.parametrize(("precision", "rtol"), [("float64", 1e-9), ("float32", 2e-6)])
def test_the_posterior_equals_its_definition(
    draw, make, define, precision, rtol, device
):
    """float32 keeps its digits although the offset is large and means are far."""
    drawn = draw(num_utts=40)
    extractor = make(drawn, precision=precision)
    posterior = extractor.posterior(device)
    moments = posterior.moments(drawn.n.to(device), drawn.f.to(device))
    second = unpack(moments.second, 5).cpu().numpy()
    means = moments.mean.cpu().numpy()
    for u in range(40):
        mean, covar = define(extractor, drawn.n[u], drawn.f[u])
        v = mean - extractor.offset_ * np.eye(5)[0]
        expected = covar + np.outer(v, v)
        scale = np.linalg.norm(v)
        np.testing.assert_allclose(means[u], v, rtol=0, atol=rtol * scale)
        np.testing.assert_allclose(second[u], expected, rtol=0, atol=rtol * scale**2)


def test_the_mean_alone_is_the_same(draw, make, device):
    drawn = draw(num_utts=40)
    posterior = make(drawn).posterior(device)
    n, f = drawn.n.to(device), drawn.f.to(device)
    expected = posterior.moments(n, f).mean.clone()
    torch.testing.assert_close(posterior.mean(n, f), expected)


def test_the_precision_is_the_diagonal_of_the_inverse_covariance(
    draw, make, define, device
):
    drawn = draw(num_utts=40)
    extractor = make(drawn)
    found = extractor.posterior(device).precision(drawn.n.to(device)).cpu().numpy()
    for u in range(40):
        _, covar = define(extractor, drawn.n[u], drawn.f[u])
        np.testing.assert_allclose(found[u], np.diag(np.linalg.inv(covar)), rtol=1e-5)
    nothing = extractor.posterior(device).precision(0 * drawn.n[:1].to(device))
    assert (nothing == 1).all()


def test_the_likelihood_is_that_of_all_frames_together(draw, make):
    """The frames of an utterance are jointly Gaussian, given their Gaussians."""
    drawn = draw(num_utts=1, frames=(50, 51))
    extractor = make(draw())
    g, x = drawn.utts[0]
    rows = extractor.m_[g].reshape(-1, 5)  # (T * D, R)
    noise = np.zeros((len(g), 4, len(g), 4))
    noise[np.arange(len(g)), :, np.arange(len(g))] = extractor.covars_[g]
    joint = multivariate_normal(
        rows[:, 0] * extractor.offset_, rows @ rows.T + noise.reshape(len(rows), -1)
    )
    gain = extractor.posterior().moments(drawn.n, drawn.f).loglike
    at_zero = loglike_at_zero(
        extractor.m_, extractor.covars_, float(extractor.offset_), drawn.totals
    )
    assert at_zero + float(gain) == pytest.approx(joint.logpdf(x.ravel()), rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_ivector_does_not_depend_on_its_batch(draw, make, precision, monkeypatch):
    monkeypatch.setitem(module.MATRICES, "cpu", 3)
    drawn = draw(num_utts=20)
    posterior = make(drawn, precision=precision).posterior()
    one_by_one = [
        posterior.mean(drawn.n[u : u + 1], drawn.f[u : u + 1]).clone()
        for u in range(20)
    ]
    together = posterior.mean(drawn.n, drawn.f).clone()
    tolerance = {"float32": 1e-5, "float64": 1e-12}[precision]
    torch.testing.assert_close(together, torch.cat(one_by_one), rtol=0, atol=tolerance)
    again = posterior.mean(drawn.n[:7], drawn.f[:7])
    torch.testing.assert_close(again, together[:7], rtol=0, atol=tolerance)


def test_an_utterance_without_frames_has_the_priors_mean(draw, make):
    posterior = make(draw(num_utts=5)).posterior()
    moments = posterior.moments(torch.zeros(1, 8), torch.zeros(1, 8, 4))
    assert torch.all(moments.mean == 0)
    assert torch.equal(unpack(moments.second, 5)[0], torch.eye(5).double())
    assert float(moments.loglike) == 0


def test_statistics_are_centered_in_blocks(draw, make, monkeypatch):
    """More Gaussians than a block holds: G = 8 in blocks of 3."""
    drawn = draw(num_utts=20)
    extractor = make(drawn)
    expected = extractor.posterior().mean(drawn.n, drawn.f)
    monkeypatch.setattr("asdkit.ivector.blocks.GAUSSIANS", 3)
    posterior = extractor.posterior()
    parts = [(rows, x.clone()) for rows, x in posterior.centered(drawn.n, drawn.f)]
    assert [(rows.start, rows.stop) for rows, _ in parts] == [
        (0, 12),
        (12, 24),
        (24, 32),
    ]
    centers = extractor.offset_ * extractor.m_[:, :, 0]
    centered = drawn.f.double() - drawn.n.double()[:, :, None] * torch.from_numpy(
        centers
    )
    torch.testing.assert_close(torch.cat([x for _, x in parts], 1), centered.flatten(1))
    torch.testing.assert_close(posterior.mean(drawn.n, drawn.f), expected)


def test_two_threads_decompose_large_precisions(draw, make):
    """LU decompositions hang here with MKL and two threads; Cholesky does not."""
    drawn = draw(num_utts=20)
    extractor = make(drawn, rank=210)
    threads = torch.get_num_threads()
    found = []
    for number in (1, 2):
        torch.set_num_threads(number)
        found.append(extractor.posterior().moments(drawn.n, drawn.f).second)
    torch.set_num_threads(threads)
    torch.testing.assert_close(*found)
