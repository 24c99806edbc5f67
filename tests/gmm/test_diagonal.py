import numpy as np
import pytest
import torch
from scipy.stats import norm

from asdkit.base.errors import FitError
from asdkit.gmm.diagonal import DiagGmm


def define_loglikes(gmm, frames):
    """The definition, written out in full."""
    x = frames.numpy().astype(float)[:, None]
    return np.log(gmm.weights_) + norm.logpdf(x, gmm.means_, np.sqrt(gmm.vars_)).sum(2)


def test_loglikes_equal_the_definition(draw_diag):
    gmm, frames = draw_diag(1500, num_gauss=7, dim=5)
    expected = define_loglikes(gmm, frames)
    np.testing.assert_allclose(gmm.loglikes(frames.double()), expected, rtol=1e-10)
    np.testing.assert_allclose(gmm.loglikes(frames), expected, rtol=1e-5, atol=1e-3)


def test_statistics_equal_the_definition(draw_diag, device):
    gmm, frames = draw_diag(1500, num_gauss=7, dim=5, spread=1.0)
    loglikes = define_loglikes(gmm, frames)
    total = np.logaddexp.reduce(loglikes, axis=1)
    posteriors = np.exp(loglikes - total[:, None])
    x = frames.numpy().astype(float)
    stats = gmm.accumulate(frames.to(device))
    np.testing.assert_allclose(stats.n.cpu(), posteriors.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(stats.f.cpu(), posteriors.T @ x, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(stats.s.cpu(), posteriors.T @ x**2, rtol=1e-5)
    np.testing.assert_allclose(stats.loglike.cpu(), total.sum(), rtol=1e-6)


def test_statistics_of_parts_add_up(draw_diag):
    gmm, frames = draw_diag(1500, spread=1.0)
    whole = gmm.accumulate(frames)
    parts = [gmm.accumulate(part) for part in frames.split([1, 700, 0, 799])]
    total = parts[0] + parts[1] + parts[2]
    total += parts[3]
    for name in ("n", "f", "s", "loglike"):
        expected, got = getattr(whole, name), getattr(total, name)
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-2)


def test_a_selection_of_all_is_no_selection(draw_diag):
    gmm, frames = draw_diag(600, spread=1.0)
    every = torch.arange(4).expand(600, 4)
    expected, got = gmm.accumulate(frames), gmm.accumulate(frames, every)
    torch.testing.assert_close(got.s, expected.s)


def test_only_selected_gaussians_have_posteriors(draw_diag):
    gmm, frames = draw_diag(600, spread=0.5)
    stats = gmm.accumulate(frames, torch.full((600, 1), 2))
    np.testing.assert_allclose(stats.n, [0, 0, 600, 0])


def test_selects_the_best(draw_diag):
    gmm, frames = draw_diag(1500, num_gauss=64, spread=1.0)
    expected = np.sort(np.argsort(-gmm.loglikes(frames).numpy(), axis=1)[:, :5], axis=1)
    np.testing.assert_array_equal(gmm.select(frames, 5), expected)


def test_fit_recovers_the_mixture_it_was_drawn_from(draw_diag):
    gmm, frames = draw_diag(20_000)
    starts = [DiagGmm(num_gauss=4, num_iters=30, seed=i).fit(frames) for i in range(5)]
    found = max(starts, key=lambda gmm: gmm.accumulate(frames).loglike)
    order = np.argsort(found.means_[:, 0])
    expected = np.argsort(gmm.means_[:, 0])
    for name, atol in (("weights_", 0.02), ("means_", 0.1), ("vars_", 0.15)):
        got, drawn = getattr(found, name)[order], getattr(gmm, name)[expected]
        np.testing.assert_allclose(got, drawn, atol=atol)


def test_fit_does_not_depend_on_chance(draw_diag):
    _, frames = draw_diag(500)
    first, second = (DiagGmm(num_gauss=8, num_iters=5).fit(frames) for _ in "ab")
    other = DiagGmm(num_gauss=8, num_iters=5, seed=1).fit(frames)
    np.testing.assert_array_equal(first.means_, second.means_)
    assert not np.array_equal(first.means_, other.means_)


def test_the_likelihood_never_falls(draw_diag):
    """EM proper, with neither floors nor starving Gaussians in the way."""
    _, frames = draw_diag(3000, num_gauss=6, spread=2.0)
    gmm = DiagGmm(5, 1, min_gaussian_weight=0, min_gaussian_occupancy=0).fit(frames)
    loglikes = []
    for _ in range(15):
        stats = gmm.accumulate(frames)
        gmm.update(stats)
        loglikes.append(stats.loglike_per_frame)
    assert np.diff(loglikes).min() > -1e-6
    assert loglikes[-1] > loglikes[0] + 0.01


def test_a_starving_gaussian_is_dropped_and_another_split(draw_diag):
    """Started at a frame far away, a Gaussian would stay there, alone."""
    _, frames = draw_diag(2000, num_gauss=2)
    frames[0] = 1000.0
    for seed in range(2000):
        start = np.random.default_rng(seed).choice(len(frames), 4, replace=False)
        if 0 in start:
            break
    once = DiagGmm(num_gauss=4, num_iters=1, seed=seed).fit(frames)
    assert once.means_.max() > 900
    gmm = DiagGmm(num_gauss=8, num_iters=5, seed=seed).fit(frames)
    assert gmm.means_.max() < 100
    assert len(gmm.weights_) == 8
    np.testing.assert_allclose(gmm.weights_.sum(), 1)


def test_splitting_keeps_weights_even(draw_diag):
    """As Kaldi's start does; Gaussians that starve in full covariance are few."""
    _, frames = draw_diag(20_000, num_gauss=3, dim=8)
    gmm = DiagGmm(num_gauss=32).fit(frames)
    assert gmm.weights_.max() < 4 * gmm.weights_.min()


def test_update_leaves_a_starved_gaussian_as_it_was(draw_diag):
    gmm, frames = draw_diag(1000)
    gmm.means_[3] = 500.0
    gmm.vars_[3] = 2.0
    starved = gmm.update(gmm.accumulate(frames))
    assert starved.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(gmm.means_[3], 500.0)
    np.testing.assert_array_equal(gmm.vars_[3], 2.0)
    np.testing.assert_allclose(gmm.weights_.sum(), 1)
    np.testing.assert_allclose(gmm.weights_[3], 1e-4, rtol=1e-3)


def test_variances_are_floored(draw_diag):
    gmm, frames = draw_diag(1000)
    frames[:, 1] = 7.0
    gmm.means_[:, 1] = 7.0
    assert not gmm.update(gmm.accumulate(frames)).any()
    np.testing.assert_array_equal(gmm.vars_[:, 1], 0.001)


def test_a_dimension_that_does_not_vary_is_said(draw_diag, caplog):
    _, frames = draw_diag(500)
    DiagGmm(num_gauss=4, num_iters=2).fit(frames)
    assert "WARNING" not in caplog.text
    frames[:, 1] = 3.0
    DiagGmm(num_gauss=4, num_iters=2).fit(frames)
    assert (
        f"1 of {frames.shape[1]} dimensions of the frames hardly vary: " in caplog.text
    )
    assert "dimension 1, with a variance of 0, ..." in caplog.text


def test_fewer_than_ten_frames_per_gaussian_are_refused(draw_diag):
    _, frames = draw_diag(79)
    with pytest.raises(FitError, match="8 Gaussians need at least 80 frames, got 79"):
        DiagGmm(num_gauss=8).fit(frames)


def test_frames_that_are_not_finite_are_refused(draw_diag):
    _, frames = draw_diag(100)
    frames[3, 1] = torch.nan
    with pytest.raises(FitError, match="log-likelihood of the frames is nan"):
        DiagGmm(num_gauss=4).fit(frames)


STEPS = [
    ("0", "1", -153.29),
    ("1", "2", -153.283),
    ("2", "3", -153.276),
    ("3", "final", -153.271),
]


@pytest.mark.parametrize(("before", "after", "loglike"), STEPS)
def test_a_step_of_em_agrees_with_kaldi(
    kaldi_frames, read_diag, read_selection, before, after, loglike
):
    gmm = read_diag(f"diag_ubm/{before}.dubm")
    expected = read_diag(f"diag_ubm/{after}.dubm")
    selection = read_selection("diag_ubm/gselect.gz")
    stats = gmm.accumulate(kaldi_frames, selection)
    assert stats.loglike_per_frame == pytest.approx(loglike, abs=6e-4)
    gmm.update(stats)
    np.testing.assert_allclose(gmm.weights_, expected.weights_, rtol=1e-4)
    np.testing.assert_allclose(gmm.vars_, expected.vars_, rtol=1e-4)
    # Means lie around zero: they count in standard deviations.
    deviation = np.sqrt(expected.vars_)
    np.testing.assert_allclose(
        gmm.means_ / deviation, expected.means_ / deviation, atol=1e-4
    )


def test_the_selection_agrees_with_kaldi(kaldi_frames, read_diag, read_selection):
    theirs = read_selection("diag_ubm/gselect.gz").sort(dim=1).values
    ours = read_diag("diag_ubm/0.dubm").select(kaldi_frames, 8)
    np.testing.assert_array_equal(ours, theirs)


def test_densities_equal_the_definition(draw_diag, device):
    gmm, frames = draw_diag(1500, num_gauss=7, dim=5)
    expected = np.logaddexp.reduce(define_loglikes(gmm, frames), axis=1)
    found = gmm.densities(frames.to(device)).cpu()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
