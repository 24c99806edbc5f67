import re

import pytest

from asdkit.base.errors import DataError
from asdkit.data.directory import Ids, kind_of, read_carried, restrict


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("feats.scp", "utt"),
        ("utt2lang", "utt"),
        ("text", "utt"),
        ("spk2utt", "spk"),
        ("enroll.spk2utt", "models"),
        ("reco2file_and_channel", "reco"),
        ("trials_multi", "trials"),
        ("frame_shift", "whole"),
        ("notes.txt", None),
        ("recordings.jsonl.gz", None),
    ],
)
def test_a_name_tells_what_a_table_is_keyed_by(name, kind):
    assert kind_of(name) == kind


def ids(utts, spks):
    return Ids(frozenset(utts.split()), frozenset(spks.split()), frozenset())


def test_lines_of_ids_that_are_gone_go():
    tables = {
        "trials": ["a1 a2 target", "a1 b1 nontarget", "m a1 target", "x a1 nontarget"],
        "feats.scp": ["a1 x:1", "a2 x:2", "b1 x:3", "unknown x:4"],
        "spk2age": ["a 1", "b 2"],
        "m.spk2utt": ["m b1", "n a1 b1"],
        "frame_shift": ["0.01"],
    }
    kept = restrict(tables, ids("a1 a2 b1", "a b"), ids("a1 a2", "a"))
    assert kept == {
        "trials": ["a1 a2 target", "x a1 nontarget"],
        "feats.scp": ["a1 x:1", "a2 x:2"],
        "spk2age": ["a 1"],
        "m.spk2utt": ["n a1"],
        "frame_shift": ["0.01"],
    }


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("trials", "u1 u2", "'<enroll> <test> target"),
        ("trials", "", "'<enroll> <test> target"),
        ("trials", "u1 u2 target word", "'<enroll> <test> target"),
        ("utt2session", "u1", "2 words or more"),
        ("enroll.spk2utt", "m1", "2 words or more"),
        ("frame_shift", "", "1 words or more"),
    ],
)
def test_a_carried_table_with_a_line_cut_short_is_refused(
    tmp_path, name, line, expected
):
    """It was carried on, until a program read it, or missed an utterance."""
    (tmp_path / name).write_text(f"a b target\n{line}\n")
    with pytest.raises(DataError, match=re.escape(f"{name}:2: expected {expected}")):
        read_carried(tmp_path)
    (tmp_path / name).write_text("a  b\ttarget \n")
    assert read_carried(tmp_path) == {name: ["a b target"]}


@pytest.mark.parametrize("value", ["12 word", "1.5", "-3", "0", "nan", "1_0"])
def test_a_number_of_frames_that_is_none_is_not_carried_on(tmp_path, value):
    (tmp_path / "utt2num_frames").write_text(f"u1 12\nu2 {value}\n")
    with pytest.raises(DataError, match="frames:2: expected a number of frames, more"):
        read_carried(tmp_path)


def test_a_table_that_lost_all_its_lines_is_not_carried_on(tmp_path):
    (tmp_path / "trials").touch()
    with pytest.raises(DataError, match="trials: expected lines, got an empty file"):
        read_carried(tmp_path)


def test_trials_that_are_a_page_of_an_error_are_refused(tmp_path):
    lines = ["a b target", "a b spoof", "1 a b", "a b -1.5"]
    (tmp_path / "trials_multi").write_text("".join(f"{line}\n" for line in lines))
    assert read_carried(tmp_path) == {"trials_multi": lines}
    (tmp_path / "trials_multi").write_text("a b target\n404 Not Found\n")
    with pytest.raises(DataError, match=r"multi:2: expected .* got '404 Not Found'"):
        read_carried(tmp_path)
