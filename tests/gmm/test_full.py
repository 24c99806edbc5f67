import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from asdkit.base.errors import FitError
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.full import FullGmm


def define_loglikes(gmm, frames):
    """The definition, written out in full."""
    densities = [
        multivariate_normal(mean, covar).logpdf(frames.numpy().astype(float))
        for mean, covar in zip(gmm.means_, gmm.covars_, strict=True)
    ]
    return np.stack(densities, axis=1) + np.log(gmm.weights_)


def aligner(gmm, **options):
    return Aligner(gmm.diagonal(), gmm, min_post=0.0, **options)


def test_loglikes_equal_the_definition(draw_full):
    gmm, frames = draw_full(1500, num_gauss=5, dim=6)
    expected = define_loglikes(gmm, frames)
    np.testing.assert_allclose(gmm.loglikes(frames.double()), expected, rtol=1e-9)
    np.testing.assert_allclose(gmm.loglikes(frames), expected, rtol=1e-5, atol=1e-3)


def test_factors_give_the_loglikes(draw_full):
    gmm, frames = draw_full(300, num_gauss=5, dim=6)
    factor, constant = gmm.factors()
    x1 = torch.cat([frames.double(), torch.ones(300, 1)], dim=1)
    distance = (x1 @ factor).square().sum(dim=2).T  # (T, G)
    expected = define_loglikes(gmm, frames)
    np.testing.assert_allclose(constant - 0.5 * distance, expected, rtol=1e-9)


def test_a_diagonal_mixture_stays_the_same(draw_diag):
    diag, frames = draw_diag(300)
    full = FullGmm.from_diagonal(diag)
    torch.testing.assert_close(
        full.loglikes(frames.double()), diag.loglikes(frames.double())
    )
    np.testing.assert_array_equal(full.diagonal().vars_, diag.vars_)


def test_em_recovers_the_mixture_it_was_drawn_from(draw_full):
    gmm, frames = draw_full(20_000)
    found = FullGmm.of(gmm.weights_, gmm.means_ + 0.5, np.tile(np.eye(3), (4, 1, 1)))
    for _ in range(10):
        found.update(aligner(found).accumulate(frames))
    np.testing.assert_allclose(found.weights_, gmm.weights_, atol=0.02)
    np.testing.assert_allclose(found.means_, gmm.means_, atol=0.1)
    np.testing.assert_allclose(found.covars_, gmm.covars_, atol=0.2)


@pytest.mark.parametrize("num_gselect", [3, 20])
def test_the_likelihood_never_falls(draw_full, num_gselect):
    """Neither with all Gaussians nor with a selection that stays the same."""
    gmm, frames = draw_full(4000, num_gauss=8, spread=1.5)
    diag = gmm.diagonal()
    full = FullGmm.from_diagonal(diag)
    full.min_gaussian_occupancy = full.min_gaussian_weight = 0
    loglikes = []
    for _ in range(10):
        stats = Aligner(diag, full, num_gselect, min_post=0.0).accumulate(frames)
        full.update(stats)
        loglikes.append(stats.loglike_per_frame)
    assert np.diff(loglikes).min() > -1e-5
    assert loglikes[-1] > loglikes[0] + 0.05


def test_eigenvalues_are_floored_and_counted(draw_full, caplog):
    """In a direction without variance, and in one with too little of it."""
    gmm, frames = draw_full(1000, dim=3)
    frames = torch.cat([frames, frames[:, :1], 1e4 * torch.randn(1000, 1)], dim=1)
    one = FullGmm.of(np.ones(1), np.zeros((1, 5)), 100 * np.eye(5)[None])
    caplog.set_level("INFO")
    one.update(aligner(one).accumulate(frames))
    values = np.linalg.eigvalsh(one.covars_[0])
    np.testing.assert_allclose(values[:3], values[-1] / 1e4, rtol=1e-6)
    number = np.sum(values < 1.001 * values[-1] / 1e4)
    assert caplog.messages == [f"GMM: floored {number} of 5 eigenvalues of covariances"]
    assert gmm.num_gauss == 4


def test_update_leaves_a_starved_gaussian_as_it_was(draw_full):
    gmm, frames = draw_full(1000)
    gmm.means_[3] = 500.0
    covar = gmm.covars_[3].copy()
    starved = gmm.update(aligner(gmm).accumulate(frames))
    assert starved.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(gmm.means_[3], 500.0)
    np.testing.assert_array_equal(gmm.covars_[3], covar)
    np.testing.assert_allclose(gmm.weights_.sum(), 1)


def test_no_frames_are_an_error(draw_full):
    gmm, frames = draw_full(10)
    with pytest.raises(FitError, match="there are no frames to train on"):
        aligner(gmm).accumulate(frames[:0]).all_reduce()


@pytest.mark.parametrize(
    ("before", "after", "loglike"), [("0", "1", -153.266), ("1", "final", -135.815)]
)
def test_a_step_of_em_agrees_with_kaldi(
    kaldi_frames, read_full, before, after, loglike
):
    """Covariances count in products of standard deviations, means in these."""
    gmm = read_full(f"full_ubm/{before}.ubm")
    expected = read_full(f"full_ubm/{after}.ubm")
    diag = read_full("full_ubm/0.ubm").diagonal()
    stats = Aligner(diag, gmm, num_gselect=8, min_post=0.0).accumulate(kaldi_frames)
    assert stats.loglike_per_frame == pytest.approx(loglike, abs=6e-4)
    gmm.update(stats)
    deviation = np.sqrt(np.diagonal(expected.covars_, axis1=1, axis2=2))
    np.testing.assert_allclose(gmm.weights_, expected.weights_, rtol=1e-4)
    error = (gmm.means_ - expected.means_) / deviation
    np.testing.assert_allclose(error, 0, atol=1e-4)
    error = (gmm.covars_ - expected.covars_) / deviation[:, :, None]
    np.testing.assert_allclose(error / deviation[:, None], 0, atol=1e-4)


def test_as_many_eigenvalues_are_floored_as_in_kaldi(kaldi_frames, read_full):
    diag = read_full("full_ubm/0.ubm").diagonal()
    for before, number in (("0", 164), ("1", 167)):
        gmm = read_full(f"full_ubm/{before}.ubm")
        gmm.update(Aligner(diag, gmm, 8, min_post=0.0).accumulate(kaldi_frames))
        values = np.linalg.eigvalsh(gmm.covars_)
        floor = np.maximum(0.001, values[:, -1:] / 1e4)
        assert np.sum(values < floor * (1 + 1e-6)) == number
