"""Binary trials and scores give what text gives, and damage is one line."""

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.pair_tables import PairTable, is_pair_table, write_pair_table
from asdkit.io.score_formats import read_scores_of
from asdkit.io.store import save_arrays
from asdkit.io.trials import (
    Trials,
    match_rows,
    read_pairs,
    read_scores,
    read_trials,
    write_scores,
    write_trials,
)
from asdkit.io.words import first_words


@pytest.fixture
def trials(rng):
    """Draw trials of models of which some are in none."""
    chosen = rng.permutation(30 * 50)[:400]
    enroll_ids = [f"spk-ä{i}" for i in range(40)]
    test_ids = [f"utt{i}" for i in range(60)]
    is_target = rng.random(400) < 0.2
    return Trials(enroll_ids, test_ids, chosen // 50, chosen % 50, is_target)


def test_trials_are_those_of_text(trials, tmp_path):
    for name in ("trials", "trials.npz"):
        write_trials(tmp_path / name, trials)
    assert is_pair_table(tmp_path / "trials.npz")
    assert not is_pair_table(tmp_path / "trials")
    text, binary = (read_trials(tmp_path / x) for x in ("trials", "trials.npz"))
    assert vars(text).keys() == vars(binary).keys()
    for name, array in vars(text).items():
        np.testing.assert_array_equal(getattr(binary, name), array)
    assert first_words(tmp_path / "trials.npz") == ["enroll", "test", "keys"]


def test_scores_keep_all_their_digits_and_match_text(trials, rng, tmp_path):
    values = rng.normal(size=400)
    values[3] = np.inf
    for name in ("scores", "scores.npz"):
        write_scores(tmp_path / name, trials, values)
    binary = read_scores(tmp_path / "scores.npz")
    np.testing.assert_array_equal(binary.values, values)
    assert binary.enroll.dtype == np.int32
    write_trials(tmp_path / "trials", trials)
    text = read_trials(tmp_path / "trials")
    assert match_rows(text, binary, "trials", "scores.npz") is None


def test_binary_scores_are_one_of_the_formats_of_scores(trials, rng, tmp_path):
    values = rng.standard_normal(400)
    write_scores(tmp_path / "scores.npz", trials, values)
    found = read_scores_of(trials, tmp_path / "scores.npz")
    np.testing.assert_array_equal(found.values, values)


def test_a_file_is_known_whatever_its_name(trials, tmp_path):
    write_trials(tmp_path / "trials.npz", trials)
    (tmp_path / "trials.npz").rename(tmp_path / "trials")
    assert len(read_trials(tmp_path / "trials")) == 400


def test_a_spoof_is_no_nontarget(trials, tmp_path):
    is_spoof = np.zeros(400, bool)
    is_spoof[7] = True
    write_trials(tmp_path / "trials.npz", trials, is_spoof)
    assert len(read_pairs(tmp_path / "trials.npz")) == 400
    with pytest.raises(DataError, match=f"got 'spoof' of '{trials.name(7)}'"):
        read_trials(tmp_path / "trials.npz")


def test_trials_are_no_scores(trials, tmp_path):
    write_trials(tmp_path / "trials.npz", trials)
    with pytest.raises(DataError, match="expected scores, got 'Trials'"):
        read_scores(tmp_path / "trials.npz")


def test_a_flipped_bit_and_a_cut_file_are_noticed(trials, tmp_path):
    path = tmp_path / "scores.npz"
    write_scores(path, trials, np.zeros(400))
    whole = bytearray(path.read_bytes())
    place = whole.index(b"values.npy") + 200
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(DataError, match="CRC-32"):
        read_scores(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        read_scores(path)


def test_nan_is_named(trials, tmp_path):
    values = np.zeros(400)
    values[9] = np.nan
    columns = trials.enroll_ids, trials.test_ids, trials.enroll, trials.test, values
    write_pair_table(tmp_path / "scores.npz", "Scores", PairTable(*columns))
    with pytest.raises(DataError, match=f"the score of '{trials.name(9)}' is NaN"):
        read_scores(tmp_path / "scores.npz")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"enroll": np.array([0, 2], np.int32)}, "ids that are not there"),
        ({"enroll": np.array([0, -1], np.int32)}, "ids that are not there"),
        ({"enroll": np.array([0, 1])}, r"enroll is int64 of shape \(2,\)"),
        ({"values": np.zeros(3)}, r"values is float64 of shape \(3,\)"),
        ({"test_ids": np.frombuffer(b"x\nx\n", np.uint8)}, "an id comes twice"),
        ({"test_ids": np.frombuffer(b"\xff\ny\n", np.uint8)}, "utf-8"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(tmp_path, changed, problem):
    arrays = {
        "enroll_ids": np.frombuffer(b"a\nb\n", np.uint8),
        "test_ids": np.frombuffer(b"x\ny\n", np.uint8),
        "enroll": np.array([0, 1], np.int32),
        "test": np.array([1, 0], np.int32),
        "values": np.zeros(2),
    }
    save_arrays(tmp_path / "good.npz", "Scores", {}, arrays)
    assert read_scores(tmp_path / "good.npz").name(1) == "b x"
    save_arrays(tmp_path / "bad.npz", "Scores", {}, arrays | changed)
    with pytest.raises(DataError, match=f"not a table of scores: .*{problem}"):
        read_scores(tmp_path / "bad.npz")
