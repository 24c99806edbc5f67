from itertools import pairwise

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError, FitError
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.full import FullGmm
from asdkit.ivector import stored_statistics as module
from asdkit.ivector.stored_statistics import Statistics, StoredPosteriors

LENGTHS = [[30, 1, 45], [12], [7, 60, 20, 33, 5], [80]]  # of utterances, per batch


class Frames:
    """Batches of frames that count how often they are read."""

    def __init__(self, rng, dim=3):
        self.passes = 0
        self.batches = []
        for lengths in LENGTHS:
            splits = np.cumsum([0, *lengths])
            frames = 2 * rng.standard_normal((splits[-1], dim)).astype(np.float32)
            self.batches.append(([f"u{n}" for n in lengths], frames, splits))

    def __iter__(self):
        self.passes += 1
        return iter(self.batches)


@pytest.fixture
def aligner(rng):
    full = FullGmm.of(
        np.full(5, 0.2), 2 * rng.standard_normal((5, 3)), np.tile(np.eye(3), (5, 1, 1))
    )
    return Aligner(full.diagonal(), full, num_gselect=3, min_post=0.05)


def define(frames, aligner):
    """Compute the statistics of every utterance from dense posteriors."""
    n, f, s = [], [], np.zeros((5, 3, 3))
    for _, x, splits in frames.batches:
        posteriors = aligner.align(torch.from_numpy(x))
        dense = np.zeros((len(x), 5))
        dense[posteriors.frames(), posteriors.gauss] = posteriors.values
        for start, stop in pairwise(splits):
            n.append(dense[start:stop].sum(0))
            f.append(dense[start:stop].T @ x[start:stop])
        s += np.einsum("tg,td,te->gde", dense, x, x)
    return np.array(n), np.array(f), s


@pytest.mark.parametrize("max_cached_gb", [4.0, 0.0])
def test_batches_and_totals_equal_the_definition(
    rng, aligner, monkeypatch, max_cached_gb
):
    """Utterances of several batches of frames are joined, four at a time."""
    monkeypatch.setattr(module, "BATCH", 4)
    frames = Frames(rng)
    n, f, s = define(frames, aligner)
    statistics = Statistics(frames, max_cached_gb=max_cached_gb)
    totals = statistics.align(aligner)
    assert totals.num_utts == 10
    np.testing.assert_allclose(totals.n, n.sum(0), rtol=1e-5)
    np.testing.assert_allclose(totals.f, f.sum(0), atol=1e-3)
    np.testing.assert_allclose(totals.s, s, atol=1e-2)
    for _ in range(2):
        batches = [(x.clone(), y.clone()) for x, y in statistics]
        assert [len(x) for x, _ in batches] == [4, 4, 2]
        np.testing.assert_allclose(torch.cat([x for x, _ in batches]), n, atol=1e-4)
        np.testing.assert_allclose(torch.cat([x for _, x in batches]), f, atol=1e-3)
    assert frames.passes == (2 if max_cached_gb else 3)


def test_a_pass_that_is_broken_off_is_not_kept(rng, aligner, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 4)
    statistics = Statistics(Frames(rng))
    statistics.align(aligner)
    next(iter(statistics))
    assert sum(len(n) for n, _ in statistics) == 10


def test_stored_posteriors_come_back(rng, aligner):
    _, x, _ = Frames(rng).batches[0]
    posteriors = aligner.align(torch.from_numpy(x))
    stored = StoredPosteriors.of(posteriors)
    for ours, theirs in zip(
        stored.restore(torch.device("cpu"), 5), posteriors, strict=True
    ):
        assert ours.dtype == theirs.dtype if torch.is_tensor(ours) else ours == theirs
        assert not torch.is_tensor(ours) or torch.equal(ours, theirs)
    assert stored.gauss.dtype == torch.int16
    many = StoredPosteriors.of(posteriors._replace(num_gauss=40_000))
    assert many.gauss.dtype == torch.int32


def test_another_dimension_than_the_ubms_is_said(rng, aligner):
    with pytest.raises(DataError, match=r"u30: expected frames of 3 .* got 4"):
        Statistics(Frames(rng, dim=4)).align(aligner)


def test_no_frame_at_all_is_said(rng, aligner):
    frames = Frames(rng)
    frames.batches = []
    with pytest.raises(FitError, match="there are no frames to train on"):
        Statistics(frames).align(aligner)
