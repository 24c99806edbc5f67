"""Scores are rescored in part, so that those of another back-end are noticed."""

import numpy as np
import pytest

from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.io.trials import read_scores
from asdkit.verification.cohort import Sides
from asdkit.verification.rescoring import refuse_other_scores

NUM = 20


@pytest.fixture
def scored(tmp_path, rng):
    """A back-end, vectors of both sides, and a writer of their scores, changed."""
    x = rng.normal(size=(2 * NUM, 5)) + 1
    backend = Pipeline([Center(), Cosine()]).fit(x, np.repeat(np.arange(NUM), 2))
    enroll, test = np.arange(NUM), np.arange(NUM, 2 * NUM)
    y = x - x.mean(axis=0)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    pairs = [(i, j) for i in range(NUM) for j in range(NUM)]
    values = np.array([y[i] @ y[NUM + j] for i, j in pairs])

    def check(change=lambda scores: scores, digits=7):
        path = tmp_path / "scores"
        lines = (
            f"e{i:02d} t{j:02d} {value:.{digits}g}\n"
            for (i, j), value in zip(pairs, change(values), strict=True)
        )
        path.write_text("".join(lines))
        sides = Sides([], x, np.ones(len(x)), enroll, test)
        refuse_other_scores(backend, "backend.npz", sides, read_scores(path), path)

    return check


def test_scores_of_the_back_end_are_taken(scored):
    scored()
    scored(digits=4)  # rounded as other programs do


def test_a_tenth_of_the_scores_changed_is_seen_by_a_sample(scored, rng):
    """100 of 400 are looked at: none of 40 changed ones with a chance of 1e-5."""
    wrong = rng.permutation(NUM * NUM)[:40]

    def change(values):
        return np.where(np.isin(np.arange(len(values)), wrong), -values, values)

    with pytest.raises(DataError, match=r"sampled scores are not what backend\.npz"):
        scored(change)


@pytest.mark.parametrize("change", [lambda x: 3 * x - 1, lambda x: -x])
def test_calibrated_or_negated_scores_are_recognized(scored, change):
    with pytest.raises(DataError, match="100 of 100 sampled scores") as caught:
        scored(change)
    assert "calibrated, normalized or negated" in caught.value.hint


def test_other_scores_are_of_other_models_or_vectors(scored):
    with pytest.raises(DataError, match="expected") as caught:
        scored(lambda x: np.roll(x, 7))
    assert "give the back-end, vectors and spk2utt" in caught.value.hint


def test_the_worst_of_the_sample_is_shown_with_both_values(scored):
    def change(values):
        return values + np.where(np.arange(len(values)) % 2, 0.01, 0.5)

    with pytest.raises(DataError, match=r"'e\d\d t\d\d' has -?\d.*, expected -?\d"):
        scored(change)
