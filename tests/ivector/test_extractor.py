import copy
import re

import numpy as np
import pytest
import torch

from asdkit.base.errors import FitError
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.statistics import first_order
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import read_diag_gmm, read_full_gmm
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.kaldi_format import diag_gmm_from_kaldi, full_gmm_from_kaldi


@pytest.mark.parametrize("init", ["pca", "random"])
def test_fit_recovers_what_was_drawn(draw, init, device):
    drawn = draw(num_utts=1500, frames=(100, 200), size=1.0)
    batches = [(n.to(device), f.to(device)) for n, f in drawn.batches]
    sums = {name: getattr(drawn.totals, name).to(device) for name in "nfs"}
    extractor = IvectorExtractor(4, num_iters=10, init=init)
    extractor.fit(drawn.ubm, batches, drawn.totals._replace(**sums))
    found, true = (np.linalg.qr(x.reshape(32, -1))[0] for x in (extractor.m_, drawn.t))
    assert np.linalg.svd(found.T @ true)[1].min() > 0.995
    error = np.linalg.norm(extractor.covars_ - drawn.residual, axis=(1, 2))
    assert np.all(error < 0.1 * np.linalg.norm(drawn.residual, axis=(1, 2)))


@pytest.mark.parametrize("init", ["pca", "random"])
def test_the_likelihood_never_falls(draw, caplog, init):
    drawn = draw(num_utts=150)
    extractor = IvectorExtractor(6, num_iters=15, init=init, precision="float64")
    extractor.fit(drawn.ubm, drawn.batches, drawn.totals)
    assert extractor.loglikes_.shape == (15,)
    assert np.all(np.diff(extractor.loglikes_) > 0)
    assert not [r for r in caplog.records if r.levelname == "WARNING"]


def test_a_likelihood_that_falls_is_a_warning(draw, make, caplog):
    drawn = draw()
    extractor = make(drawn)
    extractor.loglikes_ = np.array([-1.0])
    next(extractor.iterate(drawn.batches, drawn.totals))
    assert "iter 2/5: loglike/frame fell from -1.000000 to -" in caplog.text


def test_principal_components_save_iterations(golden, kaldi_statistics):
    """Five get further than ten from a random start do, here even two."""
    _, n, f, totals = kaldi_statistics
    path = golden / "extractor/final.ubm"
    ubm = full_gmm_from_kaldi(read_full_gmm(path), path)
    loglikes = {}
    for init in ("pca", "random"):
        extractor = IvectorExtractor(10, num_iters=11, init=init)
        loglikes[init] = extractor.fit(ubm, [(n, f)], totals).loglikes_
    assert loglikes["pca"][2] > loglikes["random"][10]


def test_float32_gives_what_float64_gives(draw):
    drawn = draw(num_utts=150)
    fitted = [
        IvectorExtractor(6, num_iters=10, precision=precision).fit(
            drawn.ubm, drawn.batches, drawn.totals
        )
        for precision in ("float32", "float64")
    ]
    assert [str(x.m_.dtype) for x in fitted] == ["float32", "float64"]
    loglikes = [x.loglikes_[-1] for x in fitted]
    assert loglikes[0] == pytest.approx(loglikes[1], rel=1e-6)
    narrow, wide = (x.posterior().mean(drawn.n, drawn.f).double() for x in fitted)
    assert torch.cosine_similarity(narrow, wide).min() > 0.99999


def test_what_was_interrupted_goes_on_to_the_same_model(draw):
    drawn = draw(num_utts=100)
    whole = IvectorExtractor(4, num_iters=4)
    whole.fit(drawn.ubm, drawn.batches, drawn.totals)
    part = IvectorExtractor(4, num_iters=4)
    part.initialize(drawn.ubm, drawn.batches, drawn.totals)
    steps = part.iterate(drawn.batches, drawn.totals)
    assert [next(steps), next(steps)] == [1, 2]
    part = copy.deepcopy(part)
    assert part.continues(drawn.totals)
    assert [*part.iterate(drawn.batches, drawn.totals)] == [3, 4]
    for name in ("m_", "covars_", "offset_", "loglikes_"):
        assert np.array_equal(getattr(part, name), getattr(whole, name))


def test_other_data_or_too_many_iterations_are_no_continuation(draw):
    drawn = draw(num_utts=20)
    extractor = IvectorExtractor(3, num_iters=2)
    extractor.fit(drawn.ubm, drawn.batches, drawn.totals)
    assert extractor.continues(drawn.totals)
    assert not extractor.continues(drawn.totals._replace(n=drawn.totals.n + 1))
    assert not extractor.continues(drawn.totals._replace(n=drawn.totals.n[1:]))
    extractor.num_iters = 1
    assert not extractor.continues(drawn.totals)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ivector_dim": 21}, "as many utterances as i-vector dimensions, 21, got 20"),
        ({"ivector_dim": 9}, "as many elements of all means .* dimensions, 9, got 8"),
        ({"gaussian_min_count": 1e6}, "no Gaussian has 1e.06 frames, the best has "),
    ],
)
def test_data_that_cannot_support_the_model_is_said(draw, options, message):
    drawn = draw(num_utts=20, num_gauss=2, dim=4)
    extractor = IvectorExtractor(**({"ivector_dim": 3} | options))
    with pytest.raises(FitError, match=message):
        extractor.fit(drawn.ubm, drawn.batches, drawn.totals)


def test_a_likelihood_that_is_not_finite_is_said(draw, make):
    drawn = draw(num_utts=20)
    drawn.totals.s[3, 1, 1] = np.inf
    with pytest.raises(FitError, match="iter 1/5: loglike/frame is -inf"):
        next(make(drawn).iterate(drawn.batches, drawn.totals))


def test_a_fit_is_the_same_twice_and_another_with_another_seed(draw):
    drawn = draw(num_utts=50)
    first, second, other = (
        IvectorExtractor(4, num_iters=1, init="random", seed=seed)
        .fit(drawn.ubm, drawn.batches, drawn.totals)
        .m_
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, second)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_ivectors_of_training_utterances_are_kaldis(
    golden, kaldi_statistics, read_extractor, precision
):
    utts, n, f, _ = kaldi_statistics
    theirs = dict(read_arrays(f"ark:{golden}/ivectors/train.ark"))
    ours = read_extractor(3, precision).posterior().mean(n, f).numpy()
    assert len(utts) == len(theirs) == 48
    for utt, ivector in zip(utts, ours, strict=True):
        error = np.linalg.norm(ivector - theirs[utt])
        assert error <= 1e-5 * np.linalg.norm(theirs[utt])


def test_ivectors_from_features_are_kaldis(golden, read_extractor):
    """From MFCC to i-vector, posteriors included."""
    path = golden / "extractor"
    aligner = Aligner(
        diag_gmm_from_kaldi(read_diag_gmm(path / "final.dubm"), path),
        full_gmm_from_kaldi(read_full_gmm(path / "final.ubm"), path),
        num_gselect=8,
    )
    posterior = read_extractor(3).posterior()
    theirs = dict(read_arrays(f"ark:{golden}/ivectors/test.ark"))
    voiced = dict(read_arrays(f"ark:{golden}/feats/vad_test.ark"))
    for utt, feats in read_arrays(f"ark:{golden}/feats/mfcc_test.ark"):
        x = torch.from_numpy(FrontEnd()(feats, voiced[utt] > 0))
        n, f = first_order(x, aligner.align(x), np.array([0, len(x)]))
        error = np.linalg.norm(posterior.mean(n, f)[0].numpy() - theirs.pop(utt))
        assert error <= 1e-3
    assert not theirs


def test_directions_that_no_utterance_shows_are_floored_and_counted(draw, caplog):
    """Long utterances, some Gaussians in few of them: R_i has next to no full rank."""
    caplog.set_level("INFO")
    drawn = draw(num_utts=40, rank=3)
    n, f = drawn.n.clone(), drawn.f.clone()
    for gauss in range(4):
        n[4:, gauss] = f[4:, gauss] = 0  # four utterances only, for a dimension of 12
    drawn.totals.n[:] = 1e4 * n.double().sum(0)
    drawn.totals.f[:] = 1e4 * f.double().sum(0)
    mean = drawn.totals.f / drawn.totals.n[:, None]
    covars = torch.from_numpy(drawn.ubm.covars_) + mean[:, :, None] * mean[:, None]
    drawn.totals.s[:] = drawn.totals.n[:, None, None] * covars
    extractor = IvectorExtractor(ivector_dim=12, num_iters=6, init="random")
    extractor.fit(drawn.ubm, [(1e4 * n, 1e4 * f)], drawn.totals)
    found = [re.search(r"R_i floored in (\d+)", message) for message in caplog.messages]
    assert max(int(x[1]) for x in found if x) > 0
    assert not [r for r in caplog.records if r.levelname == "WARNING"]
    assert np.isfinite(extractor.m_).all()
