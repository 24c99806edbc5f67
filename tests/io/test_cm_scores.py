import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.cm_scores import (
    CmScores,
    format_of,
    match_cm_scores,
    read_cm_scores,
    read_sasv_scores,
    write_cm_scores,
)

HEADER = "spk filename cm-score asv-score sasv-score\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "scores"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a 1.5\nb -2\n", "ours"),
        ("a - bonafide 1.5\nb A07 spoof -2\n", "asvspoof2019"),
        ("filename\tcm-score\na\t1.5\nb\t-2\n", "asvspoof5"),
    ],
)
def test_every_format_says_the_same(write, text, name):
    path = write(text)
    assert format_of(path) == name
    scores = read_cm_scores(path)
    assert scores.utt == ["a", "b"]
    assert scores.values.tolist() == [1.5, -2]


def test_what_is_written_is_read(tmp_path, rng):
    utts, values = [f"utt{i}" for i in range(100)], rng.normal(size=100)
    write_cm_scores(tmp_path / "new" / "scores", utts, values)
    scores = read_cm_scores(tmp_path / "new" / "scores")
    assert scores.utt == utts
    np.testing.assert_allclose(scores.values, values, rtol=5e-7)


def test_nan_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="'b' has NaN"):
        write_cm_scores(tmp_path / "scores", ["a", "b"], np.array([1, np.nan]))
    with pytest.raises(ValueError, match="2 utterances, scores of shape"):
        write_cm_scores(tmp_path / "scores", ["a", "b"], np.zeros(3))
    assert list(tmp_path.iterdir()) == []


def test_a_sasv_table_may_leave_columns_out(write):
    scores = read_sasv_scores(write(HEADER + "s a 1 - 3\ns b 2 - 4\n"))
    assert (scores.spk, scores.utt) == (["s", "s"], ["a", "b"])
    assert set(scores.values) == {"cm-score", "sasv-score"}
    assert scores.values["sasv-score"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "got an empty file", None),
        ("a,1\n", "got 'a,1'", "separate words by blanks or tabs, not by ','"),
        ("utt score\na 1\n", "got 'utt score'", "looks like a header; leave it out"),
        ("s a 1\n", "got 's a 1'", "a CM gives an utterance one score"),
        ("a 1\nb x\n", ":2: expected a number, got 'x'", None),
        ("a 1\nb nan\n", ":2: the score of 'b' is NaN", None),
        ("a 1\nb\n", ":2: expected 2 words, '<utt> <cm-score>', got 'b'", None),
        ("filename cm-score\n", "got only a header", None),
        (HEADER + "s a 1 2 3\n", "got ASVspoof 5's SASV table", "the ASV protocol"),
    ],
)
def test_other_files_are_refused_with_a_cure(write, text, problem, hint):
    with pytest.raises(DataError, match=problem) as caught:
        read_cm_scores(write(text))
    assert hint is None or hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("spk utt score\n", "expected the header"),
        (HEADER, "got only a header"),
        (HEADER + "s a 1 2 3\ns b - 2 3\n", ":3: expected a number, got '-'"),
        (HEADER + "s a 1 2\n", ":2: expected 5 words"),
    ],
)
def test_a_wrong_sasv_table_is_refused(write, text, problem):
    with pytest.raises(DataError, match=problem):
        read_sasv_scores(write(text))


def test_scores_are_put_into_the_order_of_the_key():
    scores = CmScores(["b", "c", "a"], np.array([2.0, 3.0, 1.0]), {})
    found = match_cm_scores(["a", "b"], scores, "key", "scores", known=["c"])
    assert found.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("utts", "problem"),
    [
        (["a"], "scores: 1 of 2 utterances of key have no score: 'b'"),
        (["a", "b", "c"], "scores: 1 of 3 utterances are not in key: 'c'"),
        (["a", "b", "a"], "scores:3: 'a' comes twice"),
    ],
)
def test_scores_of_other_utterances_are_refused(utts, problem):
    scores = CmScores(utts, np.zeros(len(utts)), {})
    with pytest.raises(DataError, match=problem):
        match_cm_scores(["a", "b"], scores, "key", "scores")
