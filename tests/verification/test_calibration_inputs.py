import argparse
import gzip

import numpy as np
import pytest

from asdkit.backends.measures import Measures, add_measures
from asdkit.base.errors import DataError
from asdkit.base.options import options_of
from asdkit.io.trials import read_scores, write_scores
from asdkit.verification.calibration_inputs import read_measures, read_systems


def test_systems_are_columns_in_the_order_of_the_first(tmp_path):
    (tmp_path / "a").write_text("e x 1\nf x 2\ne y 3\n")
    (tmp_path / "b").write_text("e y 30\ne x 10\nf x 20\n")
    pairs, scores = read_systems([tmp_path / "a", tmp_path / "b"])
    assert [pairs.name(row) for row in range(3)] == ["e x", "f x", "e y"]
    np.testing.assert_array_equal(scores, [[1, 10], [2, 20], [3, 30]])


def test_every_form_that_score_metrics_takes_is_taken(tmp_path):
    text = "e x 1\nf x 2\ne y 3\n"
    (tmp_path / "kaldi").write_text(text)
    (tmp_path / "packed").write_bytes(gzip.compress(text.encode()))
    write_scores(tmp_path / "a.npz", *_scores_of(tmp_path / "kaldi"))
    (tmp_path / "voxsrc").write_text("3 e y\n2 f x\n1 e x\n")
    (tmp_path / "nist").write_text("modelid segmentid LLR\ne x 1\nf x 2\ne y 3\n")
    paths = [tmp_path / x for x in ("packed", "a.npz", "voxsrc", "nist")]
    for first in paths[:2], paths[1:], paths[2:], paths[3:]:
        pairs, scores = read_systems(first)
        expected = {"e x": 1, "f x": 2, "e y": 3}
        for row, values in enumerate(scores):
            assert set(values) == {expected[pairs.name(row)]}


def _scores_of(path):
    scores = read_scores(path)
    return scores, scores.values


def test_a_pair_that_comes_twice_is_refused(tmp_path):
    (tmp_path / "a").write_text("e x 1\ne y 2\n")
    (tmp_path / "b").write_text("e x 1\ne x 2\n")
    with pytest.raises(DataError, match="b"):
        read_systems([tmp_path / "a", tmp_path / "b"])


def test_measures_follow_the_trials(tmp_path):
    (tmp_path / "a").write_text("e x 1\nx e 2\ne y 3\n")
    (tmp_path / "means").write_text("e 5\nx 1\ny 9\nunused 0\n")
    pairs = read_scores(tmp_path / "a")
    measures = {"cohort_mean": str(tmp_path / "means")}
    quality = read_measures(measures, pairs, tmp_path / "a")
    np.testing.assert_array_equal(quality, [[1, 5], [1, 5], [5, 9]])
    assert read_measures({}, pairs, tmp_path / "a").shape == (3, 0)


def test_only_the_measures_that_were_given_count():
    parser = argparse.ArgumentParser()
    add_measures(parser)
    args = parser.parse_args(["--cohort-mean", "m", "--duration", "d"])
    measures = Measures(**options_of(Measures, args))
    assert measures.given == {"duration": "d", "cohort_mean": "m"}
