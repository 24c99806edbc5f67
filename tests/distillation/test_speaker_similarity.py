import numpy as np
import pytest

from asdkit.backends.cosine import Cosine
from asdkit.backends.plda import Plda
from asdkit.base.errors import AsdkitError, FitError
from asdkit.distillation import speaker_similarity
from asdkit.distillation.speaker_similarity import SpeakerSimilarity, labeled_vectors


@pytest.fixture
def labels(rng):
    return rng.permutation(np.repeat(np.arange(5), [2, 3, 4, 8, 9]))


@pytest.fixture
def x(rng, labels):
    return rng.normal(size=(5, 4))[labels] + rng.normal(size=(26, 4))


def make_scorer(name, x, labels):
    return Cosine() if name == "cosine" else Plda().fit(x, labels)


@pytest.mark.parametrize("name", ["cosine", "plda"])
def test_scores_are_the_back_ends_without_the_utterance_itself(name, x, labels):
    scorer = make_scorer(name, x, labels)
    found = SpeakerSimilarity(x, labels, 5, scorer).scores(np.arange(26))
    for u in range(26):
        for k in range(5):
            others = (labels == k) & (np.arange(26) != u)
            mean, n = x[others].mean(axis=0, keepdims=True), np.array([others.sum()])
            expected = scorer.score(mean, n, x[u : u + 1])[0, 0]
            assert found[u, k] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["cosine", "plda"])
def test_no_other_scale_predicts_the_labels_better(name, x, labels):
    similarity = SpeakerSimilarity(x, labels, 5, make_scorer(name, x, labels))
    best = similarity.cross_entropy(similarity.scale)
    rows = np.arange(26)
    assert best == pytest.approx(-similarity.log_posteriors(rows)[rows, labels].mean())
    for factor in (0.3, 0.9, 1.1, 3):
        assert similarity.cross_entropy(factor * similarity.scale) > best


def test_the_mean_posterior_of_a_speaker_in_tiles(monkeypatch, x, labels):
    monkeypatch.setattr(speaker_similarity, "TILE", 7)
    similarity = SpeakerSimilarity(x, labels, 5, Cosine())
    single = np.exp(similarity.log_posteriors(np.arange(26)))
    expected = np.stack([single[labels == k].mean(axis=0) for k in range(5)])
    np.testing.assert_allclose(np.exp(similarity.mean_log_posteriors()), expected)


def test_a_speaker_with_one_utterance_has_nothing_to_compare_it_with(x):
    labels = np.array([0] * 25 + [1])
    with pytest.raises(FitError, match="the least with 1"):
        SpeakerSimilarity(x, labels, 2, Cosine())
    with pytest.raises(FitError, match="got 1, the least with 26"):
        SpeakerSimilarity(x, np.zeros(26, dtype=int), 1, Cosine())


def test_labeled_vectors_are_in_the_order_of_the_speakers(vectors, speakers, batch):
    x, labels, num = labeled_vectors(vectors, speakers)
    np.testing.assert_array_equal(x, vectors.embed(batch))
    assert (labels.tolist(), num) == ([0, 1, 2, 0, 1, 2], 3)


def test_a_network_has_none(make_network_teacher, speakers):
    with pytest.raises(AsdkitError, match="no vectors of whole utterances"):
        labeled_vectors(make_network_teacher(), speakers)
