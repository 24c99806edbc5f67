import numpy as np
import pytest

import asdkit.backends.trial_scoring as module
from asdkit.backends.trial_scoring import score_listed


@pytest.mark.parametrize("dense", [0.0, 2.0])
@pytest.mark.parametrize(("tile", "chunk"), [(8_000_000, 1024), (50, 7), (1, 1)])
def test_listed_scores_are_elements_of_the_whole_matrix(
    rng, monkeypatch, dense, tile, chunk
):
    monkeypatch.setattr(module, "DENSE", dense)
    monkeypatch.setattr(module, "TILE", tile)
    monkeypatch.setattr(module, "CHUNK", chunk)
    a, b = rng.normal(size=(13, 6)), rng.normal(size=(20, 6))
    rows, columns = rng.integers(0, 13, 100), rng.integers(0, 20, 100)
    scores = score_listed(a, b, rows, columns)
    np.testing.assert_allclose(scores, (a @ b.T)[rows, columns], rtol=1e-12)


def test_few_trials_of_many_pairs_do_not_compute_all(rng, monkeypatch):
    monkeypatch.setattr(module, "_all_pairs", None)
    a, b = rng.normal(size=(100, 6)), rng.normal(size=(100, 6))
    rows, columns = rng.integers(0, 100, 400), rng.integers(0, 100, 400)
    scores = score_listed(a, b, rows, columns)
    np.testing.assert_allclose(scores, (a @ b.T)[rows, columns], rtol=1e-12)
