import pytest

from asdkit.data.directory import Ids, kind_of, restrict


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
