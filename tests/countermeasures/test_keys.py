import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.countermeasures.keys import (
    asv_scores_of,
    columns_of,
    of_subset,
    read_asv_key,
    read_cm_key,
    select,
)

LA = "{spk} {utt} {codec} x {attack} {key} notrim {subset}\n"


@pytest.fixture
def la(tmp_path):
    """A protocol of ASVspoof 2021 with two subsets."""
    rows = [
        ("s1", "u1", "none", "bonafide", "bonafide", "eval"),
        ("s1", "u2", "alaw", "A07", "spoof", "eval"),
        ("s2", "u3", "none", "bonafide", "bonafide", "progress"),
        ("s2", "u4", "none", "A08", "spoof", "progress"),
    ]
    names = "spk", "utt", "codec", "attack", "key", "subset"
    lines = [LA.format(**dict(zip(names, row, strict=True))) for row in rows]
    (tmp_path / "protocol").write_text("".join(lines))
    return tmp_path / "protocol"


@pytest.fixture
def data(tmp_path):
    """Tables of a data directory."""
    (tmp_path / "utt2attack").write_text("u1 bonafide\nu2 A07\nu3 A08\n")
    (tmp_path / "utt2spk").write_text("u1 s1\nu2 s1\nu3 s2\n")
    (tmp_path / "utt2codec").write_text("u1 none\nu2 alaw\nu3 none\n")
    (tmp_path / "asv_trials").write_text("s1 u1 target\ns2 u1 nontarget\ns1 u2 spoof\n")
    return tmp_path


def test_a_protocol_and_its_subsets(la):
    key = read_cm_key(la, "asvspoof2021")
    assert len(key.utt) == 4
    chosen = of_subset(la, key, None)
    assert (chosen.utt, chosen.codec) == (["u1", "u2"], ["none", "alaw"])
    assert chosen.is_bonafide.tolist() == [True, False]
    assert chosen.columns["trim"] == ["notrim", "notrim"]
    assert of_subset(la, key, "progress").utt == ["u3", "u4"]
    with pytest.raises(DataError, match="expected subset 'hidden', got eval, progress"):
        of_subset(la, key, "hidden")


def test_a_data_directory_brings_its_tables_along(data):
    key = read_cm_key(data / "utt2attack", "asvspoof2019")
    assert key.attack == ["bonafide", "A07", "A08"]
    assert key.key == ["bonafide", "spoof", "spoof"]
    assert (key.spk, key.codec) == (["s1", "s1", "s2"], ["none", "alaw", "none"])
    assert of_subset(data, key, None) is key
    columns = columns_of(key)
    assert columns["attack"].tolist() == key.attack
    assert columns["codec"].tolist() == key.codec


def test_a_table_by_itself_is_enough(data):
    (data / "utt2spk").unlink()
    (data / "utt2codec").unlink()
    key = read_cm_key(data / "utt2attack", "asvspoof2019")
    assert set(key.spk) == set(key.codec) == {"-"}


def test_uncoded_speech_has_no_line_in_utt2codec(data):
    """spoof-prepare writes none where ASVspoof 5 has "-" for a codec."""
    (data / "utt2codec").write_text("u2 C05\n")
    for key in (
        read_cm_key(data / "utt2attack", "asvspoof5"),
        read_asv_key(data / "asv_trials", "asvspoof5"),
    ):
        codecs = dict(zip(key.utt, key.codec, strict=True))
        assert {utt: codec for utt, codec in codecs.items() if codec != "-"} in (
            {"u2": "C05"},
            {},
        )
        assert codecs["u1"] == "-"


def test_our_trials_find_their_attacks(data):
    key = read_asv_key(data / "asv_trials", "asvspoof2019")
    assert key.attack == ["bonafide", "bonafide", "A07"]
    scores = asv_scores_of(key, np.array([1.0, 2.0, 3.0]))
    assert [c.tolist() for c in scores.classes()] == [[1], [2], [3]]


def test_trials_that_contradict_the_attacks_are_refused(data):
    (data / "asv_trials").write_text("s1 u1 target\ns2 u1 nontarget\ns1 u1 spoof\n")
    with pytest.raises(DataError, match=":3: 'u1' is spoof, but utt2attack says 'bona"):
        read_asv_key(data / "asv_trials", "asvspoof2019")


def test_a_table_that_lacks_an_utterance_is_named(data):
    (data / "utt2spk").write_text("u1 s1\nu2 s1\n")
    with pytest.raises(DataError, match="utt2spk: it lacks 'u3', which"):
        read_cm_key(data / "utt2attack", "asvspoof2019")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("utt2attack", "u1 bonafide\n", "there is no spoof in it"),
        ("utt2attack", "u1 A07\n", "there is no bonafide in it"),
        ("asv_trials", "s1 u1 target\ns2 u1 nontarget\n", "there is no spoof in it"),
    ],
)
def test_a_missing_class_is_named(data, name, text, problem):
    (data / name).write_text(text)
    reader = read_cm_key if name == "utt2attack" else read_asv_key
    with pytest.raises(DataError, match=problem):
        reader(data / name, "asvspoof2019")


def test_rows_are_chosen_in_all_columns(la):
    key = read_cm_key(la, "asvspoof2021")
    chosen = select(key, np.array([False, True, False, True]))
    assert chosen.attack == ["A07", "A08"]
    assert chosen.columns["utt"] == chosen.utt == ["u2", "u4"]
    assert not chosen.is_bonafide.any()
