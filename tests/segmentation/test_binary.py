"""Two classes: the best of all paths, and the odds of all of them, by enumeration."""

import itertools

import numpy as np
import pytest

from asdkit.segmentation.binary import BinarySegmenter
from asdkit.segmentation.fsa import SOFT_BEAM

MIN_FRAMES = (1, 2)  # absent, present
COST, SCALE, BIAS = 0.7, 0.5, 0.2


def paths_of(odds):
    """Yield every allowed path of a few frames, and its score in nats.

    A minimum holds for segments within an utterance; the first and the last may go on
    beyond it.
    """
    for path in itertools.product((0, 1), repeat=len(odds)):
        runs = [(c, len(list(run))) for c, run in itertools.groupby(path)]
        if all(length >= MIN_FRAMES[c] for c, length in runs[1:-1]):
            score = SCALE * (odds + BIAS) @ np.array(path) - COST * (len(runs) - 1)
            yield np.array(path), score


@pytest.fixture
def segmenter():
    return BinarySegmenter(MIN_FRAMES, COST, SCALE, BIAS)


@pytest.mark.k2
def test_decisions_are_the_best_path(segmenter, rng):
    several = [rng.normal(0, 3, size) for size in (1, 4, 7, 7)]
    for odds, found in zip(several, segmenter.decide(several), strict=True):
        best, _ = max(paths_of(odds), key=lambda item: item[1])
        np.testing.assert_array_equal(found, best == 1)


@pytest.mark.k2
def test_odds_are_those_of_all_paths(segmenter, rng):
    several = [rng.normal(0, 2, size) for size in (1, 3, 6)]
    for odds, found in zip(several, segmenter.posterior_odds(several), strict=True):
        total = np.zeros((2, len(odds)))
        for path, score in paths_of(odds):
            total[path, np.arange(len(odds))] += np.exp(score)
        np.testing.assert_allclose(found, np.log(total[1] / total[0]), atol=1e-4)
        assert np.abs(found).max() <= SOFT_BEAM


def test_odds_become_likelihoods_of_two_classes():
    """Without k2: scaled and biased odds of presence, absence as the zero."""
    segmenter = BinarySegmenter.__new__(BinarySegmenter)
    segmenter.score_scale, segmenter.bias = SCALE, BIAS
    found = segmenter._loglikes(np.array([1.0, -3.0])).numpy()
    np.testing.assert_allclose(found, [[0, 0.6], [0, -1.4]])
