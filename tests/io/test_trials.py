import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io import trials as module
from asdkit.io import words
from asdkit.io.trials import (
    Pairs,
    Trials,
    match_scores,
    read_pairs,
    read_scores,
    read_trials,
    write_scores,
    write_trials,
)

TRIALS = "a x target\na y nontarget\nb x nontarget\nb y target\n"


@pytest.fixture
def write(tmp_path):
    """Write a text file, return its path."""

    def write(text, name="file"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def draw(rng, num_trials=1000):
    enroll_ids = [f"spk{i:02d}" for i in range(20)]
    test_ids = [f"utt{i:03d}" for i in range(200)]
    chosen = rng.permutation(20 * 200)[:num_trials]
    is_target = rng.random(num_trials) < 0.2
    return Trials(enroll_ids, test_ids, chosen // 200, chosen % 200, is_target)


def lines_of(pairs, values):
    return [f"{pairs.name(i)} {value}" for i, value in enumerate(values)]


def test_trials_are_read_as_numbers(write):
    trials = read_trials(write(TRIALS))
    assert trials.enroll_ids == ["a", "b"]
    assert trials.test_ids == ["x", "y"]
    assert trials.enroll.tolist() == [0, 0, 1, 1]
    assert trials.test.tolist() == [0, 1, 0, 1]
    assert trials.is_target.tolist() == [True, False, False, True]


def test_pairs_are_read_whatever_their_keys(write):
    pairs = read_pairs(write("a x target\na y spoof\nb y nontarget\n"))
    assert [pairs.name(row) for row in range(len(pairs))] == ["a x", "a y", "b y"]
    with pytest.raises(DataError, match="target, nontarget or spoof"):
        read_pairs(write("a x bonafide\n"))


def test_a_spoof_is_no_nontarget(write):
    with pytest.raises(DataError, match="target or nontarget, got 'spoof'"):
        read_trials(write("a x target\na y spoof\n"))


def test_voxceleb_form_is_the_same(write):
    voxceleb = read_trials(write("1 a x\n0 a y\n0 b x\n1 b y\n"))
    ours = read_trials(write(TRIALS))
    assert lines_of(voxceleb, voxceleb.is_target) == lines_of(ours, ours.is_target)


def test_models_may_be_called_1_and_0(write):
    trials = read_trials(write("1 0 target\n0 1 nontarget\n"))
    assert [trials.name(0), trials.name(1)] == ["1 0", "0 1"]


@pytest.mark.parametrize("text", [TRIALS[:-1], TRIALS.replace("\n", "\r\n")])
def test_other_line_ends_and_blanks_are_read(write, text):
    for variant in (text, text.replace(" ", "\t"), text.replace(" ", "  ")):
        trials = read_trials(write(variant))
        assert lines_of(trials, trials.is_target)[3] == "b y True"
        assert len(trials) == 4


def test_what_is_written_is_read(rng, tmp_path):
    trials = draw(rng)
    write_trials(tmp_path / "trials", trials)
    back = read_trials(tmp_path / "trials")
    assert lines_of(back, back.is_target) == lines_of(trials, trials.is_target)
    values = rng.normal(0, 100, len(trials))
    write_scores(tmp_path / "scores", trials, values)
    scores = read_scores(tmp_path / "scores")
    np.testing.assert_allclose(scores.values, values, rtol=5e-7)


def test_blocks_make_no_difference(rng, tmp_path, monkeypatch):
    trials = draw(rng)
    write_trials(tmp_path / "whole", trials)
    monkeypatch.setattr(words, "BLOCK", 100)
    monkeypatch.setattr(module, "LINES", 7)
    write_trials(tmp_path / "blocks", trials)
    text = (tmp_path / "blocks").read_text()
    assert text == (tmp_path / "whole").read_text()
    back = read_trials(tmp_path / "blocks")
    assert lines_of(back, back.is_target) == lines_of(trials, trials.is_target)

    lines = text.splitlines()
    lines[500] = "spk00 utt000"
    (tmp_path / "blocks").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"blocks:501: expected three words"):
        read_trials(tmp_path / "blocks")


def test_scores_have_seven_digits_as_kaldis(golden, tmp_path):
    path = golden / "scores/plda_scores"
    scores = read_scores(path)
    write_scores(tmp_path / "scores", scores, scores.values)
    assert (tmp_path / "scores").read_text() == path.read_text()


def test_ids_may_be_any_utf8(write):
    assert read_trials(write("ä ü target\n")).enroll_ids == ["ä"]
    with pytest.raises(DataError, match="expected UTF-8"):
        read_trials(write(b"\xff x target\n"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected lines of three words, got an empty file"),
        ("a x target\na y\n", ":2: expected three words, got 'a y'"),
        ("a x target\n\na y target\n", ":2: expected three words, got ''"),
        ("a x target extra\n", ":1: expected three words, got 'a x target extra'"),
        # Nine words in three lines, but not three in each.
        ("a x target\na y\nb b x target\n", ":2: expected three words"),
        ("a x target\na y Target\n", ":2: expected target or nontarget, got 'Target'"),
        ("a x\0y target\n", "expected UTF-8 text, got binary data"),
        ("1 a x\n2 a y\n", ":2: expected 1 or 0, got '2'"),
        ("1 a x\na y target\n", ":2: expected 1 or 0, got 'a'"),
    ],
)
def test_a_bad_line_of_trials_is_named(write, text, problem):
    with pytest.raises(DataError) as error:
        read_trials(write(text))
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a x 1.5\na y high\n", ":2: expected a number, got 'high'"),
        ("a x 1.5\na y 1_07\n", ":2: expected a number, got '1_07'"),
        ("a x 1.5\na y nan\n", ":2: the score of 'a y' is NaN"),
        ("a x 1.5\na y NaN\n", ":2: the score of 'a y' is NaN"),
        ("a x 1.5\na y\n", ":2: expected three words"),
    ],
)
def test_a_bad_line_of_scores_is_named(write, text, problem):
    with pytest.raises(DataError) as error:
        read_scores(write(text))
    assert problem in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="trials: cannot read it: No such file"):
        read_trials(tmp_path / "trials")


def test_nan_is_not_written(tmp_path):
    pairs = Pairs(["a"], ["x", "y"], np.array([0, 0]), np.array([0, 1]))
    with pytest.raises(ValueError, match="'a y' has NaN"):
        write_scores(tmp_path / "scores", pairs, np.array([1.0, np.nan]))
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="2 pairs but scores of shape"):
        write_scores(tmp_path / "scores", pairs, np.ones(3))


def test_scores_in_any_order_find_their_trials(rng, tmp_path):
    trials = draw(rng)
    values = rng.normal(size=len(trials)).round(3)
    lines = lines_of(trials, values)
    for order in (np.arange(len(trials)), rng.permutation(len(trials))):
        path = tmp_path / "scores"
        path.write_text("\n".join(lines[i] for i in order))
        matched = match_scores(trials, read_scores(path), "trials", path)
        np.testing.assert_array_equal(matched, values)


def test_repeated_trials_match_line_by_line(write):
    text = "a x target\na y nontarget\na x target\n"
    trials = read_trials(write(text, "trials"))
    scores = read_scores(write("a x 1\na y 2\na x 3\n", "scores"))
    matched = match_scores(trials, scores, "trials", "scores")
    assert matched.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        (
            "a x 1\na y 1\nb x 1\n",
            "trials: 1 of 4 pairs have no score in scores: 'b y'",
        ),
        ("c z 1\n", "scores: 1 of 1 pairs have no trial in trials: 'c z'"),
        ("a x 1\na y 1\nb x 1\nb y 1\nb z 1\n", "no trial in trials: 'b z'"),
        ("a x 1\n", "3 of 4 pairs have no score in scores: 'a y', 'b x', 'b y'"),
        (
            "a y 1\na x 1\nb x 1\nb y 1\na x 2\n",
            "scores: 1 of 5 pairs have been listed before: 'a x'",
        ),
    ],
)
def test_pairs_that_do_not_match_are_named(write, scores, problem):
    trials = read_trials(write(TRIALS, "trials"))
    scores = read_scores(write(scores, "scores"))
    with pytest.raises(DataError) as error:
        match_scores(trials, scores, "trials", "scores")
    assert problem in str(error.value)


def test_repeated_trials_in_another_order_are_refused(write):
    trials = read_trials(write("a x target\na y target\na x nontarget\n", "trials"))
    scores = read_scores(write("a y 1\na x 2\na x 3\n", "scores"))
    with pytest.raises(DataError, match="trials: 1 of 3 pairs have been listed before"):
        match_scores(trials, scores, "trials", "scores")
