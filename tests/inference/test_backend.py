"""Back-ends and calibrations by themselves."""

import numpy as np
import pytest

import asdkit
from asdkit.backends.calibration import Calibration
from asdkit.backends.center import Center
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.backend import KINDS, Backend, Calibrator
from asdkit.inference.bundle import Comparison
from asdkit.inference.score import Score
from asdkit.io.store import load_model, save_arrays, save_model


def test_embeddings_are_scored_as_the_program_scores_them(models):
    backend, vectors = asdkit.load("exp/plda.npz"), models.vectors("ivector")
    for (enroll, test), expected in models.scores("scores").items():
        score = backend.score(vectors[enroll], vectors[test])
        np.testing.assert_allclose(float(score), expected, rtol=1e-5, atol=1e-5)


def test_a_calibrated_score_is_an_llr(models):
    calibration = asdkit.load("exp/calibration.npz")
    raw, llrs = models.scores("scores"), models.scores("llrs")
    for pair, value in raw.items():
        score = calibration.calibrate(Score(value, "PLDA LLR"))
        assert score.is_calibrated
        np.testing.assert_allclose(float(score), llrs[pair], rtol=1e-5, atol=1e-5)


def test_a_score_far_from_the_training_is_told(models, caplog):
    asdkit.load("exp/calibration.npz").calibrate(1e6)
    assert "calibration.npz: score 1: 100 % are far outside of" in caplog.text


def test_every_scorer_of_a_back_end_has_a_name():
    from asdkit.backends.registry import SCORERS

    assert KINDS.keys() == SCORERS.keys()


@pytest.mark.parametrize(
    ("enroll", "test", "message"),
    [
        ("a.wav", "b.wav", "enroll: a back-end compares embeddings, got str"),
        (np.ones(4), np.ones(5), "expected embeddings of 5 numbers, got 4"),
        (np.ones(5), np.zeros(5), "an embedding is zero or not finite"),
        (np.ones(5), np.full(5, np.nan), "an embedding is zero or not finite"),
        (np.ones(5), np.ones((2, 5)), "test: expected one embedding, got 2"),
        (np.ones((0, 5)), np.ones(5), r"compares embeddings, got ndarray of shape"),
    ],
)
def test_what_is_no_pair_of_embeddings_is_refused(models, enroll, test, message):
    with pytest.raises(AsdkitError, match=message):
        asdkit.load("exp/plda.npz").score(enroll, test)


def test_a_back_end_says_what_would_embed(models):
    backend = asdkit.load("exp/plda.npz")
    with pytest.raises(AsdkitError, match="a back-end does not embed") as caught:
        backend.embed(models.audio["spk0001-01-01"])
    assert "nnet-train" in caught.value.hint


def test_a_back_end_that_compares_nothing_is_refused(tmp_path):
    center = Center().fit(np.ones((2, 3)), np.arange(2))
    path = tmp_path / "backend.npz"
    save_arrays(path, "Pipeline", *Pipeline([center]).to_state())
    with pytest.raises(DataError, match="expected a last step of plda, cosine, dot"):
        Backend.read(path)


def test_a_fusion_and_measures_are_no_calibration_of_a_score(models, tmp_path, rng):
    x, is_target = rng.normal(size=(60, 2)), np.arange(60) < 30
    save_model(tmp_path / "fusion.npz", Calibration().fit(x, is_target))
    fusion = asdkit.load(tmp_path / "fusion.npz")
    expected = load_model(tmp_path / "fusion.npz", Calibration).score(x[:1])[0]
    assert float(fusion.calibrate(*x[0])) == pytest.approx(expected)
    with pytest.raises(AsdkitError, match="number of scores of 2, one per system, got"):
        fusion.calibrate(0.5)
    with pytest.raises(DataError, match="expected a calibration, got a fusion of 2"):
        asdkit.load("exp/plda.npz", calibration=tmp_path / "fusion.npz")
    x = rng.normal(size=(60, 3))
    save_model(
        tmp_path / "quality.npz", Calibration(measures=["duration"]).fit(x, is_target)
    )
    with pytest.raises(DataError, match=r"it needs quality measures \(duration\)"):
        asdkit.load(tmp_path / "quality.npz")


def trained(rng):
    """A back-end of PLDA, a calibration of its scores, and (24, 5) embeddings."""
    spk = np.repeat(np.arange(8), 3)
    x = rng.normal(size=(8, 5))[spk] + 0.5 * rng.normal(size=(24, 5))
    pipeline = Pipeline([Center(), Plda()]).fit(x, spk)
    scores = pipeline.score(x, np.ones(24, dtype=int), x)[np.triu_indices(24, 1)]
    same = (spk[:, None] == spk)[np.triu_indices(24, 1)]
    calibration = Calibration(ridge=1e-2).fit(scores[:, None], same)
    return Backend("b", pipeline, Calibrator("c", calibration)), x


@pytest.mark.parametrize("num_top", [None, 0, 7])
def test_trials_at_once_have_the_scores_of_pairs(rng, num_top):
    """With a calibration, and with normalization by a cohort (AS-norm) before it."""
    backend, x = trained(rng)
    rows, columns = rng.integers(0, 24, 100), rng.integers(0, 24, 100)
    if num_top is not None:
        cohort = rng.normal(size=(20, 5))
        plain = Backend("b", backend.pipeline)
        cohort = plain.pipeline.transform(cohort).astype(np.float32)
        backend = Comparison(plain, cohort, num_top, backend.calibrator)
    found = backend.score_trials(x, x, rows, columns)
    pairs = zip(x[rows], x[columns], strict=True)
    expected = [float(backend.score(a[None], b)) for a, b in pairs]
    atol = 1e-9 if num_top is None else 1e-6  # a cohort is float32
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=atol)


def test_trials_with_a_wrong_embedding_are_refused(rng):
    backend, x = trained(rng)
    x[3] = 0
    with pytest.raises(AsdkitError, match="b: an embedding is zero or not finite"):
        backend.score_trials(x, x, np.array([0]), np.array([1]))
    with pytest.raises(AsdkitError, match="expected embeddings of 5 numbers, got 4"):
        backend.score_trials(x[:2, :4], x[:2, :4], np.array([0]), np.array([1]))


def test_trials_that_look_strange_to_a_calibration_are_told_once(rng, caplog):
    backend, _ = trained(rng)
    assert backend.calibrator.calibrate_all(np.full((500, 1), 1e6)).shape == (500,)
    assert caplog.text.count("c: score 1: 100 % are far outside of") == 1
