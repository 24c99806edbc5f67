import numpy as np
import pytest
import torch

from asdkit.gmm import aligner as module
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm
from asdkit.gmm.posteriors import Posteriors
from asdkit.io.kaldi_posteriors import read_posteriors


@pytest.fixture
def ubm(draw_full):
    full, frames = draw_full(700, num_gauss=40, dim=5, spread=1.5)
    return full.diagonal(), full, frames


def define(diag, full, frames, num_gselect, min_post):
    """Kaldi's posteriors, written out in full: (T, G)."""
    selected = np.argsort(-diag.loglikes(frames).numpy(), axis=1)[:, :num_gselect]
    loglikes = full.loglikes(frames.double()).numpy()
    dense = np.zeros((len(frames), full.num_gauss))
    for t, chosen in enumerate(selected):
        values = np.exp(loglikes[t, chosen] - loglikes[t, chosen].max())
        values /= values.sum()
        values[values < min_post] = 0.0
        dense[t, chosen] = values / values.sum()
    return dense


def to_dense(posteriors):
    dense = np.zeros((len(posteriors.splits) - 1, posteriors.num_gauss))
    dense[posteriors.frames(), posteriors.gauss] = posteriors.values
    return dense


@pytest.mark.parametrize("num_gselect", [1, 7, 40, 99])
@pytest.mark.parametrize("min_post", [0.0, 0.025])
def test_posteriors_equal_the_definition(ubm, num_gselect, min_post):
    diag, full, frames = ubm
    posteriors = Aligner(diag, full, num_gselect, min_post).align(frames)
    expected = define(diag, full, frames, num_gselect, min_post)
    np.testing.assert_allclose(to_dense(posteriors), expected, atol=1e-4)


def test_all_gaussians_may_count(ubm, device):
    """On a GPU they do, however few are asked for."""
    diag, full, frames = ubm
    aligner = Aligner(diag, full, 40 if device == "cpu" else 2, device=device)
    posteriors = aligner.align(frames.to(device))
    on_cpu = Posteriors(*(part.cpu() for part in posteriors[:3]), num_gauss=40)
    expected = define(diag, full, frames, 40, 0.025)
    np.testing.assert_allclose(to_dense(on_cpu), expected, atol=1e-4)


def test_scores_are_the_likelihood_of_the_frames(ubm):
    diag, full, frames = ubm
    _, scores = Aligner(diag, full, num_gselect=40).align_and_score(frames)
    expected = full.loglikes(frames.double()).logsumexp(dim=1)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)
    _, fewer = Aligner(diag, full, num_gselect=3).align_and_score(frames)
    assert (fewer <= scores + 1e-4).all()


def test_pairs_are_in_order_and_sum_to_one(ubm):
    diag, full, frames = ubm
    posteriors = Aligner(diag, full, num_gselect=10).align(frames)
    cells = posteriors.frames() * full.num_gauss + posteriors.gauss
    assert (cells.diff() > 0).all()
    assert posteriors.splits.dtype == torch.int64
    assert posteriors.values.min() >= 0.025
    np.testing.assert_allclose(to_dense(posteriors).sum(axis=1), 1, rtol=1e-6)


def test_one_posterior_always_stays(draw_full):
    """All of 50 equal Gaussians fall below the threshold together."""
    one, frames = draw_full(5, num_gauss=1)
    full = FullGmm.of(
        np.full(50, 0.02), np.repeat(one.means_, 50, 0), np.repeat(one.covars_, 50, 0)
    )
    posteriors = Aligner(full.diagonal(), full, 50).align(frames)
    assert (posteriors.splits.diff() > 0).all()
    np.testing.assert_allclose(to_dense(posteriors).sum(axis=1), 1, rtol=1e-6)


def test_blocks_do_not_matter(ubm, monkeypatch):
    diag, full, frames = ubm
    aligner = Aligner(diag, full, num_gselect=10)
    whole = aligner.align(frames)
    monkeypatch.setattr(module, "BLOCK", 97)
    parts = aligner.align(frames)
    np.testing.assert_array_equal(parts.splits, whole.splits)
    np.testing.assert_array_equal(parts.gauss, whole.gauss)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-5)


@pytest.mark.parametrize("num_gselect", [3, 40])
def test_no_frames_have_no_posteriors(ubm, num_gselect):
    diag, full, frames = ubm
    posteriors, scores = Aligner(diag, full, num_gselect).align_and_score(frames[:0])
    assert posteriors.splits.tolist() == [0]
    assert len(posteriors.gauss) == len(posteriors.values) == len(scores) == 0


def test_frames_that_do_not_fit_are_refused(ubm):
    diag, full, frames = ubm
    aligner = Aligner(diag, full)
    with pytest.raises(ValueError, match="frames of 4 dimensions, UBM of 5"):
        aligner.align(frames[:, :4])
    for value in (torch.nan, -torch.inf, 1e30):
        frames[3, 2] = value
        with pytest.raises(ValueError, match="of a frame is not finite"):
            aligner.align(frames)


@pytest.mark.parametrize("num_others", [0, 8])
def test_posteriors_agree_with_kaldi(
    golden, kaldi_frames, read_diag, read_full, num_others
):
    """The same are kept, and they differ by the rounding of float32.

    Kaldi's mixtures have 8 Gaussians, and so has its selection.  8 others, far from
    all frames, change nothing, but make us select.
    """
    diag, full = read_diag("extractor/final.dubm"), read_full("extractor/final.ubm")
    weights = np.append(full.weights_, np.full(num_others, 1e-9))
    means = np.append(full.means_, np.full((num_others, 72), 500.0), axis=0)
    covars = np.append(full.covars_, np.tile(np.eye(72), (num_others, 1, 1)), axis=0)
    variances = np.append(diag.vars_, np.ones((num_others, 72)), axis=0)
    diag = DiagGmm.of(weights, means, variances)
    aligner = Aligner(diag, FullGmm.of(weights, means, covars), num_gselect=8)
    ours = to_dense(aligner.align(kaldi_frames))
    theirs = []
    for _, x in read_posteriors(golden / "extractor/post.train.gz"):
        dense = np.zeros((len(x.splits) - 1, 8 + num_others))
        dense[np.repeat(np.arange(len(dense)), np.diff(x.splits)), x.gauss] = x.values
        theirs.append(dense)
    theirs = np.concatenate(theirs)
    np.testing.assert_array_equal(ours > 0, theirs > 0)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_diagonal_form_agrees_with_kaldi(read_diag, read_full):
    ours = read_full("extractor/final.ubm").diagonal()
    theirs = read_diag("extractor/final.dubm")
    np.testing.assert_allclose(ours.vars_, theirs.vars_, rtol=1e-6)
    np.testing.assert_allclose(ours.means_, theirs.means_, atol=1e-3)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, rtol=1e-6)
