import numpy as np

from asdkit.io.trials import Pairs
from asdkit.io.vectors import Vectors
from asdkit.verification.cohort import find_sides

VECTORS = Vectors("ark:x", ["a", "b", "c"], np.array([[1.0], [2], [4]]))
ROWS = np.array([0, 1]), np.array([0, 1])


def test_an_utterance_on_both_sides_is_compared_once():
    pairs = Pairs(["c", "a"], ["a", "b"], *ROWS)
    sides = find_sides(pairs, "scores", VECTORS)
    assert sides.names == ["c", "a", "b"]
    assert sides.x[sides.enroll].tolist() == [[4], [1]]
    assert sides.x[sides.test].tolist() == [[1], [2]]


def test_models_and_test_utterances_are_kept_apart(tmp_path):
    (tmp_path / "spk2utt").write_text("a b c\nm a b c\n")
    pairs = Pairs(["a", "m"], ["a", "b"], *ROWS)
    spk2utt = tmp_path / "spk2utt"
    sides = find_sides(pairs, "scores", VECTORS, spk2utt=spk2utt)
    np.testing.assert_allclose(sides.x[sides.enroll], [[3], [7 / 3]])
    assert sides.x[sides.test].tolist() == [[1], [2]]
    assert sides.n.tolist() == [2, 3, 1, 1]
