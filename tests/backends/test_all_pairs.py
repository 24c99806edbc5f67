"""Tiles hold every pair once, with the scores of the whole matrix."""

import numpy as np
import pytest

from asdkit.backends import all_pairs as module
from asdkit.backends.all_pairs import AllPairs
from asdkit.backends.center import Center
from asdkit.backends.normalization import CohortStats, normalize_scores
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda


@pytest.fixture
def drawn(rng):
    speaker = np.sort(rng.integers(0, 6, 40))
    x = rng.normal(size=(6, 4))[speaker] + rng.normal(size=(40, 4))
    return Pipeline([Center(), Plda(num_iters=2)]).fit(x, speaker), x, speaker


@pytest.mark.parametrize("tile", [1, 100, 10**6])
@pytest.mark.parametrize("is_normalized", [False, True])
def test_every_pair_comes_once(drawn, rng, monkeypatch, tile, is_normalized):
    monkeypatch.setattr(module, "TILE", tile)
    backend, x, speaker = drawn
    stats = None
    first, second = np.triu_indices(len(x), k=1)
    scores = backend.score(x, np.ones(len(x), np.int64), x)[first, second]
    if is_normalized:
        stats = CohortStats(rng.normal(size=len(x)), rng.uniform(1, 2, len(x)))
        sides = (CohortStats(*(v[rows] for v in stats)) for rows in (first, second))
        scores = normalize_scores(scores, *sides)
    pairs = AllPairs(backend, x, speaker, stats)
    same = speaker[first] == speaker[second]
    nontarget = np.concatenate(list(pairs.nontargets()))
    for found, wanted in ((pairs.targets(), same), (nontarget, ~same)):
        np.testing.assert_allclose(np.sort(found), np.sort(scores[wanted]), 1e-9, 1e-11)


def test_one_speaker_has_no_nontargets(drawn):
    backend, x, _ = drawn
    pairs = AllPairs(backend, x[:5], np.zeros(5, np.int64))
    assert len(pairs.targets()) == 10
    assert not list(pairs.nontargets())
