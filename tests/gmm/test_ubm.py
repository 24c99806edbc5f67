import numpy as np
import pytest
import torch

from asdkit.base.errors import FitError
from asdkit.gmm import ubm as module
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.ubm import Ubm, train_diagonal, train_ubm


def train(frames, **options):
    options = {"num_gauss": 4, "num_init_iters": 10, **options}
    return train_ubm(frames[::2], lambda: frames.split(777), **options)


def test_recovers_the_mixture_it_was_drawn_from(draw_full):
    drawn, frames = draw_full(20_000)
    found = max((train(frames, seed=seed).full for seed in range(5)), key=best(frames))
    order, expected = np.argsort(found.means_[:, 0]), np.argsort(drawn.means_[:, 0])
    for name, atol in (("weights_", 0.02), ("means_", 0.1), ("covars_", 0.2)):
        got, wanted = getattr(found, name)[order], getattr(drawn, name)[expected]
        np.testing.assert_allclose(got, wanted, atol=atol)


def best(frames):
    return lambda full: full.loglikes(frames).logsumexp(dim=1).mean()


def test_the_diagonal_form_is_that_of_the_full_mixture(draw_full):
    _, frames = draw_full(2000)
    ubm = train(frames)
    variances = np.diagonal(ubm.full.covars_, axis1=1, axis2=2)
    np.testing.assert_array_equal(ubm.diag.vars_, variances)
    np.testing.assert_array_equal(ubm.diag.means_, ubm.full.means_)


def test_the_likelihood_rises_from_iteration_to_iteration(draw_full, caplog):
    _, frames = draw_full(5000, num_gauss=12, dim=4, spread=1.5)
    caplog.set_level("INFO")
    train(frames, num_gauss=10, num_gselect=3, min_gaussian_weight=0.0)
    messages = [record.getMessage() for record in caplog.records]
    for what, number in (("start", 10), ("DiagGmm", 4), ("FullGmm", 4)):
        lines = [line for line in messages if line.startswith(f"ubm: {what}")]
        loglikes = [float(x.split("frame = ")[1].split(",")[0]) for x in lines]
        assert len(loglikes) == number
        assert np.diff(loglikes).min() > -1e-3
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_fall_of_the_likelihood_is_told(draw_full, caplog, monkeypatch):
    _, frames = draw_full(2000)
    monkeypatch.setattr(module, "ROUNDING", -100.0)
    train(frames)
    assert "FullGmm: iter 4/4: loglike/frame fell from" in caplog.text


def test_negligible_posteriors_are_negligible(draw_full, monkeypatch):
    _, frames = draw_full(3000, num_gauss=12, dim=4, spread=1.0)
    ours = train(frames, num_gauss=10).full
    monkeypatch.setattr(module, "NEGLIGIBLE", 0.0)
    exact = train(frames, num_gauss=10).full
    np.testing.assert_allclose(ours.weights_, exact.weights_, rtol=1e-4)
    np.testing.assert_allclose(ours.covars_, exact.covars_, atol=1e-3)


def test_comes_back_from_its_state(draw_full):
    _, frames = draw_full(1000)
    ubm = train(frames, num_init_iters=2)
    ubm.full.kaldi_gconsts_ = np.ones(4)  # what an import remembers goes along
    again = Ubm.of({**ubm.state(), "offset_": np.zeros(())})
    assert again.diag.num_gauss == again.full.num_gauss == 4
    np.testing.assert_array_equal(again.full.kaldi_gconsts_, np.ones(4))
    ours, theirs = (Aligner(*x, num_gselect=2).align(frames) for x in (ubm, again))
    torch.testing.assert_close(ours.values, theirs.values, rtol=0, atol=0)


@pytest.mark.parametrize("full", [True, False])
def test_no_frames_are_an_error(draw_full, full):
    _, frames = draw_full(1000)
    options = {"num_gauss": 4, "num_init_iters": 2, "num_diag_iters": 0 if full else 1}
    with pytest.raises(FitError, match="there are no frames to train on"):
        train_ubm(frames, lambda: [], **options)


def test_a_diagonal_mixture_alone_is_that_of_the_first_half(draw_full):
    _, frames = draw_full(2000)
    numbers = 4, 10, 3
    alone = train_diagonal(frames[::2], lambda: frames.split(777), *numbers)
    names = ("num_gauss", "num_init_iters", "num_diag_iters")
    options = dict(zip(names, numbers, strict=True)) | {"num_full_iters": 0}
    ubm = train_ubm(frames[::2], lambda: frames.split(777), **options)
    np.testing.assert_allclose(alone.means_, ubm.diag.means_, rtol=1e-6)
