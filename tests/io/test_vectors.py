import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import ArkWriter
from asdkit.io.vectors import Vectors, read_vectors


@pytest.fixture
def vectors(rng):
    return Vectors("ivector.scp", ["u1", "u2", "u3"], rng.normal(size=(3, 4)))


@pytest.fixture
def spk2utt(tmp_path):
    path = tmp_path / "spk2utt"
    path.write_text("a u3 u1\nb u2\nc u1 u9\n")
    return path


def test_vectors_are_read_as_rows(rng, tmp_path):
    x = rng.normal(size=(2, 4)).astype(np.float32)
    with ArkWriter(tmp_path, "ivector") as writer:
        writer["u1"], writer["u2"] = x
    for dim in (None, 4):
        found = read_vectors(f"scp:{writer.scp}", dim)
        assert found.keys == ["u1", "u2"]
        assert found.x.dtype == np.float64
        np.testing.assert_array_equal(found.x, x)
    with pytest.raises(
        DataError, match=r"ivector.scp: expected vectors of 5 .* b.npz takes, got 4"
    ):
        read_vectors(f"scp:{writer.scp}", 5, "b.npz")


def test_vectors_are_found_in_the_order_asked_for(vectors):
    found = vectors.find(["u3", "u1", "u3"], "trials")
    np.testing.assert_array_equal(found, vectors.x[[2, 0, 2]])


def test_unknown_utterances_are_counted_and_the_first_named(vectors):
    asked = ["z5", "u1", "z1", "z2", "z9", "z5"]
    problem = "trials: 4 of 5 ids are not in ivector.scp: 'z1', 'z2', 'z5', ..."
    with pytest.raises(DataError) as error:
        vectors.find(asked, "trials")
    assert str(error.value) == problem


def test_a_model_is_the_mean_of_its_utterances(vectors, spk2utt):
    means, n = vectors.average(spk2utt, ["b", "a"], "trials")
    assert n.tolist() == [1, 2]
    expected = [vectors.x[1], (vectors.x[0] + vectors.x[2]) / 2]
    np.testing.assert_allclose(means, expected, rtol=1e-15)


def test_golden_speaker_means(golden):
    """Kaldi's ivector-mean stores float32."""
    vectors = read_vectors(f"ark:{golden}/ivectors/test.ark")
    expected = read_vectors(f"ark:{golden}/ivectors/test_spk_mean.ark")
    spk2utt = golden / "data/test/enroll.spk2utt"
    means, n = vectors.average(spk2utt, expected.keys, "trials_multi")
    assert n.tolist() == [3] * 6
    np.testing.assert_allclose(means, expected.x, rtol=1e-6, atol=1e-6)


def test_models_and_utterances_that_are_missing_are_named(vectors, spk2utt):
    with pytest.raises(DataError, match=r"^trials: 1 of 2 ids are not in .*: 'd'$"):
        vectors.average(spk2utt, ["a", "d"], "trials")
    with pytest.raises(DataError, match=r"spk2utt: 1 of 2 ids are not in .*: 'u9'$"):
        vectors.average(spk2utt, ["c"], "trials")


def test_an_utterance_that_is_listed_twice_for_a_model_is_refused(vectors, tmp_path):
    (tmp_path / "spk2utt").write_text("m u1 u2\nn u1 u2 u1\n")
    vectors.average(tmp_path / "spk2utt", ["m"], "trials")
    with pytest.raises(DataError, match="spk2utt: model 'n' lists 'u1' twice"):
        vectors.average(tmp_path / "spk2utt", ["m", "n"], "trials")


def test_vectors_of_zeros_are_named(tmp_path, caplog):
    with ArkWriter(tmp_path, "x") as writer:
        for i in range(6):
            writer[f"u{i}"] = np.full(3, i % 2)
    read_vectors(f"scp:{tmp_path}/x.scp")
    assert "3 of 6 vectors are all zeros, which no utterance gives: u0, u2, u4" in str(
        caplog.messages
    )
