import numpy as np
import pytest

import asdkit.backends.normalization as module
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.normalization import (
    CohortStats,
    cohort_stats,
    normalize_scores,
    speaker_means,
)
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.base.errors import FitError

DIM = 8


def voices(rng, num_spks, num_utts=1):
    """Draw embeddings with a mean that is not 0; return them and the speakers."""
    spk = np.repeat(np.arange(num_spks), num_utts)
    x = 1 + rng.normal(size=(num_spks, DIM))[spk] + rng.normal(size=(len(spk), DIM))
    return x, spk


@pytest.fixture(params=["cosine", "plda"])
def backend(request, rng):
    steps = [Center(), Cosine() if request.param == "cosine" else Plda()]
    return Pipeline(steps).fit(*voices(rng, 60, 4))


def by_definition(backend, enroll, n, test, cohort, num_top):
    """Score and normalize trial by trial, embedding by embedding, member by member."""

    def score(a, n, b):
        return backend.score(a[None], np.array([n]), b[None]).item()

    def cohort_of(a, n):
        values = sorted(score(a, n, c) for c in cohort)[::-1][: num_top or None]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        return mean, variance**0.5

    normalized = []
    for e, k, t in zip(enroll, n, test, strict=True):
        s, (mu_e, sd_e), (mu_t, sd_t) = score(e, k, t), cohort_of(e, k), cohort_of(t, 1)
        normalized.append(0.5 * ((s - mu_e) / sd_e + (s - mu_t) / sd_t))
    return normalized


@pytest.mark.parametrize("num_top", [0, 7, 25])
@pytest.mark.parametrize("tile", [1, 60, 2_000_000])
def test_normalized_scores_are_their_definition(
    rng, monkeypatch, backend, num_top, tile
):
    monkeypatch.setattr(module, "TILE", tile)
    enroll, test, cohort = (voices(rng, k)[0] for k in (5, 5, 25))
    n = np.array([1, 3, 1, 2, 1])
    scores = np.diagonal(backend.score(enroll, n, test))
    ours = normalize_scores(
        scores,
        cohort_stats(backend, enroll, n, cohort, num_top),
        cohort_stats(backend, test, np.ones(5), cohort, num_top),
    )
    expected = by_definition(backend, enroll, n, test, cohort, num_top)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)  # float32


def test_a_back_end_compares_two_utterances_either_way_round(rng, backend):
    """On which rests that a test utterance's cohort is computed as a model's is."""
    x, y = voices(rng, 4)[0], voices(rng, 5)[0]
    there, back = (backend.score(a, np.ones(len(a)), b) for a, b in ((x, y), (y, x)))
    np.testing.assert_allclose(there, back.T, rtol=1e-9)


def test_normalization_undoes_shift_and_scale_of_scores(rng):
    values, enroll, test = rng.normal(size=(3, 10))
    plain = [CohortStats(mean, np.full(10, 2.0)) for mean in (enroll, test)]
    other = [CohortStats(3 * mean + 7, np.full(10, 6.0)) for mean in (enroll, test)]
    np.testing.assert_allclose(
        normalize_scores(values, *plain), normalize_scores(3 * values + 7, *other)
    )


def test_speaker_means_are_those_of_their_utterances(rng):
    x, spk = rng.normal(size=(7, DIM)), np.array(list("cabbaca"))
    expected = [x[spk == name].mean(axis=0) for name in "abc"]
    np.testing.assert_allclose(speaker_means(x, spk), expected)


def test_too_small_a_cohort_is_used_whole_with_a_warning(rng, caplog):
    backend = Pipeline([Cosine()])
    x, cohort = voices(rng, 3)[0], voices(rng, 10)[0]
    few = cohort_stats(backend, x, np.ones(3), cohort, num_top=300)
    assert "10 members, fewer than the 300 to use" in caplog.text
    whole = cohort_stats(backend, x, np.ones(3), cohort, num_top=0)
    np.testing.assert_array_equal(few, whole)


@pytest.mark.parametrize(("num_members", "num_top"), [(1, 0), (1, 300), (5, 1)])
def test_one_score_has_no_standard_deviation(rng, num_members, num_top):
    x = voices(rng, 5)[0]
    with pytest.raises(FitError, match="two cohort members or more, got 1"):
        cohort_stats(Pipeline([Cosine()]), x, np.ones(5), x[:num_members], num_top)


def test_equal_scores_have_a_spread_of_zero(rng):
    cohort = np.tile(rng.normal(size=DIM), (6, 1)) * np.arange(1, 7)[:, None]
    x = np.vstack([rng.normal(size=(3, DIM)), np.zeros((1, DIM))])
    stats = cohort_stats(Pipeline([Cosine()]), x, np.ones(4), cohort, num_top=4)
    assert stats.std.tolist() == [0, 0, 0, 0]


def test_memory_does_not_grow_with_utterances_times_cohort(rng, monkeypatch):
    """The largest array is a tile, not (U, K)."""
    import tracemalloc

    monkeypatch.setattr(module, "TILE", 20_000)
    x, cohort = rng.normal(size=(3000, 4)), rng.normal(size=(2000, 4))
    tracemalloc.start()
    cohort_stats(Pipeline([Cosine()]), x, np.ones(3000), cohort, num_top=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 2000 * 4 / 20
