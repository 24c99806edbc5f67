"""Comparison of embeddings, one pair or many."""

import numpy as np
import pytest

from asdkit.backends.calibration import Calibration
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.inference.speaker_comparison import NORMALIZED, Comparison
from asdkit.io.store import save_arrays, save_model

DIM = 4


@pytest.fixture
def files(tmp_path, rng):
    """A back-end, a cohort and a calibration."""
    x = rng.normal(size=(20, DIM))
    pipeline = Pipeline([Center(), Cosine()]).fit(x, np.arange(20) // 2)
    save_arrays(tmp_path / "backend.npz", "Pipeline", *pipeline.to_state())
    save_arrays(tmp_path / "cohort.npz", "Cohort", {}, {"x": x.astype(np.float32)})
    scores = np.concatenate([rng.normal(1, 1, 50), rng.normal(-1, 1, 50)])
    calibration = Calibration(ridge=1e-3).fit(scores[:, None], np.arange(100) < 50)
    save_model(tmp_path / "calibration.npz", calibration)
    names = ("backend.npz", "cohort.npz", "calibration.npz")
    return {name: tmp_path / name for name in names}


@pytest.mark.parametrize("num", [0, 1, 2, 3])
def test_many_pairs_get_the_scores_of_each(files, rng, num):
    some = dict(list(files.items())[:num])
    comparison = Comparison.read(some, 5, DIM, "x")
    enroll, test = rng.normal(size=(2, DIM)), rng.normal(size=(3, DIM))
    rows, columns = np.array([0, 1, 1]), np.array([2, 0, 1])
    together = comparison.score_trials(enroll, test, rows, columns)
    alone = [
        float(comparison.score(enroll[[row]], test[column]))
        for row, column in zip(rows, columns, strict=True)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_without_a_back_end_it_is_the_cosine(rng):
    x, y = rng.normal(size=(2, DIM))
    expected = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
    score = Comparison.read({}, 0, None, "x").score(x[None], y)
    assert float(score) == pytest.approx(expected)


def test_a_normalized_score_says_so(files, rng):
    del files["calibration.npz"]
    score = Comparison.read(files, 5, DIM, "x").score(
        rng.normal(size=(1, DIM)), rng.normal(size=DIM)
    )
    assert score.kind == NORMALIZED


@pytest.mark.parametrize(
    ("x", "problem"),
    [
        (np.ones((3, DIM + 1)), r"expected \(K, 4\) embeddings, got shape \(3, 5\)"),
        (np.ones((3, DIM), int), "of int64"),
        (np.full((3, DIM), np.nan), "an embedding is not finite"),
    ],
)
def test_a_cohort_that_does_not_fit_is_refused(tmp_path, x, problem):
    path = tmp_path / "cohort.npz"
    save_arrays(path, "Cohort", {}, {"x": x})
    with pytest.raises(DataError, match=problem):
        Comparison.read({"cohort.npz": path}, 5, DIM, "x")
