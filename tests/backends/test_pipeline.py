import argparse
import json

import numpy as np
import pytest

from asdkit.backends.adaptation import adapt_plda
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine, Dot
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.backends.registry import MAPS, SCORERS, STEPS, step_names
from asdkit.io.trials import read_scores
from asdkit.io.vectors import read_vectors
from asdkit.metrics.eer import kaldi_eer


@pytest.fixture
def trained(kaldi):
    """Kaldi's chain, trained on the golden i-vectors."""
    steps = [Center(), Lda(lda_dim=8), LengthNorm(), Plda()]
    return Pipeline(steps).fit(kaldi.train, kaldi.spk)


def score(pipeline, scores, enroll, n, test):
    """Score the pairs of a Kaldi score file."""
    return pipeline.score_trials(
        enroll.find(scores.enroll_ids, "scores"),
        np.full(len(scores.enroll_ids), n),
        test.find(scores.test_ids, "scores"),
        scores.enroll,
        scores.test,
    )


def test_golden_plda_scores(kaldi, golden, trained):
    scores = read_scores(golden / "scores/plda_scores")
    found = score(trained, scores, kaldi.test, 1, kaldi.test)
    np.testing.assert_allclose(found, scores.values, atol=1e-3)
    assert np.max(np.abs(found - scores.values)) < 2e-4


def test_golden_plda_scores_of_several_utterances(kaldi, golden, trained):
    scores = read_scores(golden / "scores/plda_scores_multi")
    models = read_vectors(f"ark:{golden}/ivectors/test_spk_mean.ark")
    found = score(trained, scores, models, 3, kaldi.test)
    np.testing.assert_allclose(found, scores.values, atol=1e-3)


def test_golden_scores_after_adaptation(kaldi, golden, trained):
    *maps, plda = trained.steps
    adapted = adapt_plda(plda, trained.transform(kaldi.test.x), 0.75, 0.25)
    scores = read_scores(golden / "scores/plda_adapt_scores")
    found = score(Pipeline([*maps, adapted]), scores, kaldi.test, 1, kaldi.test)
    np.testing.assert_allclose(found, scores.values, atol=1e-3)


@pytest.mark.parametrize(("scorer", "scale"), [(Dot(), 1), (Cosine(), 20)])
def test_golden_cosine_scores(kaldi, golden, scorer, scale):
    """Kaldi's are dot products of vectors of length sqrt(20)."""
    pipeline = Pipeline([Center(), LengthNorm(), scorer]).fit(kaldi.train, kaldi.spk)
    scores = read_scores(golden / "scores/cos_scores")
    found = scale * score(pipeline, scores, kaldi.test, 1, kaldi.test)
    np.testing.assert_allclose(found, scores.values, atol=1e-3)
    is_target = np.loadtxt(golden / "data/test/trials", dtype=str)[:, 2] == "target"
    assert f"{kaldi_eer(found[is_target], found[~is_target]):.4%}" == "38.8889%"


def test_all_pairs_and_listed_pairs_score_the_same(kaldi, trained):
    x, n = kaldi.test.x, np.arange(1, 1 + len(kaldi.test.x))
    rows, columns = np.indices((len(x), len(x))).reshape(2, -1)
    listed = trained.score_trials(x, n, x, rows, columns)
    np.testing.assert_allclose(
        trained.score(x, n, x).ravel(), listed, rtol=1e-10, atol=1e-10
    )


def test_a_back_end_comes_back_as_it_was(kaldi, trained):
    options, arrays = trained.to_state()
    back = Pipeline.from_state(json.loads(json.dumps(options)), arrays)
    assert [type(step) for step in back.steps] == [Center, Lda, LengthNorm, Plda]
    assert back.steps[1].lda_dim == 8
    x, n = kaldi.test.x, np.ones(len(kaldi.test.x))
    np.testing.assert_array_equal(back.score(x, n, x), trained.score(x, n, x))


def test_the_same_step_may_come_twice(kaldi):
    pipeline = Pipeline([LengthNorm(), Center(), LengthNorm(), Center(), Dot()])
    pipeline.fit(kaldi.train, kaldi.spk)
    back = Pipeline.from_state(*pipeline.to_state())
    x = kaldi.test.x
    np.testing.assert_array_equal(back.transform(x), pipeline.transform(x))
    assert not np.allclose(back.steps[1].mean_, back.steps[3].mean_)


def test_the_first_step_that_cares_tells_the_dimension(trained):
    assert trained.input_dim == 20
    assert Pipeline([LengthNorm(), *trained.steps[1:]]).input_dim == 20
    assert Pipeline([LengthNorm(), trained.steps[3]]).input_dim == 8
    assert Pipeline([LengthNorm(), Cosine()]).input_dim is None


@pytest.mark.parametrize("name", STEPS)
def test_every_step_fits_and_keeps_its_promise(rng, name):
    x, spk = rng.normal(size=(400, 6)), np.arange(400) % 100
    step = STEPS[name](**({"lda_dim": 3} if name == "lda" else {}))
    if name == "posterior-whiten":
        step.know(np.eye(6))
    before = set(vars(step))
    assert step.fit(x, spk) is step
    assert all(added.endswith("_") for added in set(vars(step)) - before)
    if name in MAPS:
        assert step.transform(x).shape == (400, 3 if name == "lda" else 6)
    else:
        a, b = step.factors(x[:5], np.ones(5), x[5:12])
        scores = step.score(x[:5], np.ones(5), x[5:12])
        assert scores.shape == (5, 7)
        np.testing.assert_allclose(a @ b.T, scores)


def test_steps_are_maps_and_then_a_scorer():
    assert step_names("plda") == ("plda",)
    assert step_names("center,length-norm,dot") == ("center", "length-norm", "dot")
    assert not MAPS.keys() & SCORERS.keys()
    for text, problem in [
        ("center,lda", "expected the last step to be one of plda, .*; got 'lda'"),
        ("plda,cosine", "a step before the last to be one of center, .*; got 'plda'"),
        ("", "got ''"),
    ]:
        with pytest.raises(argparse.ArgumentTypeError, match=problem):
            step_names(text)


def test_repeated_embeddings_are_noticed_before_the_maps(rng, caplog):
    x, spk = rng.normal(size=(60, 4)), np.arange(60) // 6
    Pipeline([Center(), LengthNorm(), Plda()]).fit(x, spk)
    assert "embeddings equal" not in caplog.text
    x[7] = x[6]
    Pipeline([Center(), LengthNorm(), Plda()]).fit(x, spk)
    assert "1 of 60 embeddings equal one of the same speaker" in caplog.text
