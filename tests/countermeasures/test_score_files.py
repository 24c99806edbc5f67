import gzip

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.countermeasures.score_files import (
    are_of_pairs,
    read_asv,
    read_cm_systems,
    read_sasv_systems,
    read_tandem,
)

FLAVOR = "asvspoof2019"


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """A key of four utterances, pairs with them, and scores of all of these."""
    monkeypatch.chdir(tmp_path)
    files = {
        "utt2attack": "u1 bonafide\nu2 bonafide\nu3 A07\nu4 A08\n",
        "utt2spk": "u1 s1\nu2 s2\nu3 s1\nu4 s2\n",
        "asv_trials": "s1 u1 target\ns1 u2 nontarget\ns1 u3 spoof\ns2 u4 spoof\n",
        "cm": "u4 0.4\nu3 0.3\nu2 0.2\nu1 0.1\n",
        "asv": "s2 u4 4\ns1 u3 3\ns1 u2 2\ns1 u1 1\n",
        "anonymous": "bonafide target 1\nbonafide nontarget 2\nA07 spoof 3\n"
        "A08 spoof 4\n",
        "sasv": "spk filename cm-score asv-score sasv-score\ns1 u1 1 5 9\n"
        "s1 u2 2 6 8\ns1 u3 3 7 7\ns2 u4 4 8 6\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return files


def test_scores_of_utterances_come_in_the_order_of_the_key():
    key, systems = read_cm_systems("utt2attack", FLAVOR, ["cm"])
    assert key.utt == ["u1", "u2", "u3", "u4"]
    assert systems["cm"].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_scores_of_an_arena_are_packed_and_named_by_paths(tmp_path):
    lines = b"/data/flac/u4.flac 0.4\n/data/flac/u3.flac 0.3\n"
    lines += b"/data/flac/u2.flac 0.2\n/data/flac/u1.flac 0.1\n"
    (tmp_path / "arena.gz").write_bytes(gzip.compress(lines))
    _, systems = read_cm_systems("utt2attack", FLAVOR, ["cm", "arena.gz"])
    assert systems["arena.gz"].tolist() == systems["cm"].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "u1 - bonafide 0.1\nu2 - bonafide 0.2\nu3 A07 spoof 0.3\nu4 A08 spoof 0.4\n",
        "filename\tcm-score\nu1\t0.1\nu2\t0.2\nu3\t0.3\nu4\t0.4\n",
    ],
)
def test_score_files_of_every_year_may_be_packed(tmp_path, text):
    (tmp_path / "packed").write_bytes(gzip.compress(text.encode()))
    _, systems = read_cm_systems("utt2attack", FLAVOR, ["packed"])
    assert systems["packed"].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_scores_of_pairs_come_in_the_order_of_the_trials():
    key, systems = read_sasv_systems("asv_trials", FLAVOR, ["asv", "sasv"])
    assert key.attack == ["bonafide", "bonafide", "A07", "A08"]
    assert systems["asv"].sasv.tolist() == [1, 2, 3, 4]
    assert systems["asv"].cm is None
    assert systems["sasv"].sasv.tolist() == [9, 8, 7, 6]
    assert systems["sasv"].cm.tolist() == [1, 2, 3, 4]
    assert systems["sasv"].asv.tolist() == [5, 6, 7, 8]


def test_pairs_are_told_from_utterances():
    assert not are_of_pairs("cm")
    assert are_of_pairs("asv")
    assert are_of_pairs("sasv")


def test_two_scores_of_an_utterance_are_no_pair():
    """The protocol was blamed, for having no target in it."""
    with open("cm", "w") as file:
        file.write("u1 -2.6 2.6\nu2 0.5 -0.5\n")
    with pytest.raises(DataError, match="cm:1: expected one score in a line") as caught:
        are_of_pairs("cm")
    assert "keep one, which rises with bona fide" in caught.value.hint
    with open("cm", "w") as file:
        file.write("1001 2001 2.6\n")  # ids that are numbers
    assert are_of_pairs("cm")


@pytest.mark.parametrize(
    ("path", "trials"), [("asv", "asv_trials"), ("anonymous", None)]
)
def test_asv_scores_with_and_without_names_are_the_same(path, trials):
    key, _ = read_cm_systems("utt2attack", FLAVOR, ["cm"])
    scores = read_asv(path, trials, FLAVOR, key)
    assert [c.tolist() for c in scores.classes()] == [[1], [2], [3, 4]]
    of_a08 = np.isin(scores.columns["attack"], ["bonafide", "A08"])
    assert scores.classes(of_a08)[2].tolist() == [4]


def test_trials_elsewhere_take_their_attacks_from_the_key(tmp_path, data):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "asv_trials").write_text(data["asv_trials"])
    key, _ = read_cm_systems("utt2attack", FLAVOR, ["cm"])
    scores = read_asv("asv", "elsewhere/asv_trials", FLAVOR, key)
    assert scores.columns["attack"].tolist() == ["bonafide", "bonafide", "A07", "A08"]


@pytest.mark.parametrize(
    ("path", "trials"), [("asv", None), ("anonymous", "asv_trials")]
)
def test_asv_scores_need_a_key_once(path, trials):
    key, _ = read_cm_systems("utt2attack", FLAVOR, ["cm"])
    with pytest.raises(DataError, match=f"{path}: ") as caught:
        read_asv(path, trials, FLAVOR, key)
    assert "--asv-trials" in caught.value.hint


def test_asv_scores_of_another_part_are_refused(tmp_path, data):
    other = data["anonymous"].replace("A08", "A06")
    (tmp_path / "anonymous").write_text(other)
    key, _ = read_cm_systems("utt2attack", FLAVOR, ["cm"])
    with pytest.raises(DataError, match="attacks, A07, A08; got A06, A07") as caught:
        read_asv("anonymous", None, FLAVOR, key)
    assert "another year" in caught.value.hint


def test_a_tandem_has_a_score_of_both_for_every_pair(tmp_path, data):
    (tmp_path / "cm").write_text(data["cm"] + "u5 0.5\n")  # in no trial
    key, asv, cm = read_tandem("asv_trials", FLAVOR, "asv", "cm")
    assert key.key == ["target", "nontarget", "spoof", "spoof"]
    assert asv.tolist() == [1, 2, 3, 4]
    assert cm.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_a_table_without_the_score_that_decides_is_refused(tmp_path, data):
    text = "".join(
        line if n == 0 else line.rpartition(" ")[0] + " -\n"
        for n, line in enumerate(data["sasv"].splitlines(keepends=True))
    )
    (tmp_path / "sasv").write_text(text)
    with pytest.raises(DataError, match="sasv-score is '-'"):
        read_sasv_systems("asv_trials", FLAVOR, ["sasv"])
