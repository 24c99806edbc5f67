import numpy as np
import pytest

from asdkit.backends.speaker_stats import speaker_stats, warn_of_repeats
from asdkit.base.errors import FitError

SPK = np.array(["b", "a", "c", "b", "b", "c"])


def test_statistics_are_their_definitions(rng):
    x = rng.normal(5, 2, size=(6, 3))
    n, means, scatter = speaker_stats(x, SPK, "lda")
    assert n.tolist() == [1, 3, 2]
    expected = [x[spk == SPK].mean(axis=0) for spk in "abc"]
    np.testing.assert_allclose(means, expected, rtol=1e-14)
    residual = [x[i] - expected["abc".index(spk)] for i, spk in enumerate(SPK)]
    outer = sum(np.outer(r, r) for r in residual)
    np.testing.assert_allclose(scatter, outer, rtol=1e-12)


def test_order_and_names_of_speakers_do_not_matter(rng):
    x = rng.normal(size=(6, 3))
    n, means, scatter = speaker_stats(x, SPK, "lda")
    order = rng.permutation(6)
    numbers = np.array(["abc".index(spk) for spk in SPK])[order]
    again = speaker_stats(x[order], numbers, "lda")
    np.testing.assert_array_equal(again.n, n)
    np.testing.assert_allclose(again.means, means, rtol=1e-14)
    np.testing.assert_allclose(again.scatter, scatter, rtol=1e-12)


def test_speakers_with_one_utterance_are_counted(rng, caplog):
    caplog.set_level("INFO")
    speaker_stats(rng.normal(size=(6, 3)), SPK, "plda")
    expected = "plda: 6 utterances of 3 speakers, 1 of them with one utterance"
    assert caplog.messages == [expected]


def test_one_utterance_of_every_speaker_is_too_little(rng):
    with pytest.raises(FitError, match="plda: expected a speaker with two utterances"):
        speaker_stats(rng.normal(size=(4, 3)), np.arange(4), "plda")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(rng, bad):
    x = rng.normal(size=(6, 3))
    x[2, 1] = bad
    with pytest.raises(FitError, match="lda: an embedding holds NaN or infinity"):
        speaker_stats(x, SPK, "lda")


def test_labels_must_be_as_many_as_embeddings(rng):
    with pytest.raises(ValueError, match=r"got \(6, 3\) and \(5,\)"):
        speaker_stats(rng.normal(size=(6, 3)), SPK[:5], "lda")


def test_the_total_covariance_is_that_of_all_embeddings(rng):
    x, spk = rng.normal(size=(50, 4)), rng.integers(0, 9, 50)
    total = speaker_stats(x, spk, "test").total
    np.testing.assert_allclose(total, np.cov(x.T, bias=True), atol=1e-12)


def test_repeated_embeddings_are_counted_by_whose_they_are(rng, caplog):
    x, spk = rng.normal(size=(50, 4)), np.arange(50) // 5
    warn_of_repeats(x, spk)
    assert caplog.messages == []
    x[[3, 4]] = x[0]
    x[9] = x[20]
    warn_of_repeats(x, spk)
    assert caplog.messages == [
        "back-end: 2 of 50 embeddings equal one of the same speaker: counted twice",
        "back-end: 1 of 50 embeddings equal one of another speaker: wrong labels",
    ]
