"""Scores of every toolkit are the same scores."""

import gzip
import re

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.score_formats import find_format, read_scores_of
from asdkit.io.trials import match_scores, pairs_of, read_trials, write_scores

NAMES = [f"id1{n // 3:04d}/x{n}/0000{n % 3}.wav" for n in range(9)]
TOOLKITS = {
    "Kaldi": "{a} {b} {s}",
    "VoxSRC": "{s} {a} {b}",
    "WeSpeaker": "{a} {b} {s} {key}",
    "SpeechBrain": "{a} {b} {bit} {s}",
    "NIST": "{a}\t{b}\ta\t{s}",
    "commas": "{a},{b},{s}",
}
HEADERS = {"NIST": "modelid\tsegmentid\tside\tLLR\n"}


@pytest.fixture
def pairs(tmp_path, rng):
    """Write VoxCeleb's list of all pairs; return what its lines say, with scores."""
    found = []
    for row, a in enumerate(NAMES):
        for b in NAMES[row + 1 :]:
            bit = int(a[:7] == b[:7])
            found.append({"a": a, "b": b, "bit": bit, "s": f"{rng.normal() + bit:.5f}"})
    lines = [f"{x['bit']} {x['a']} {x['b']}\n" for x in found]
    (tmp_path / "trials").write_text("".join(lines))
    return [{**x, "key": "target" if x["bit"] else "nontarget"} for x in found]


def read(tmp_path, data):
    data = data if isinstance(data, bytes) else data.encode()
    (tmp_path / "scores").write_bytes(data)
    trials = read_trials(tmp_path / "trials")
    scores = read_scores_of(trials, tmp_path / "scores")
    return match_scores(trials, scores, "trials", "scores").tolist()


def written(pairs, toolkit):
    lines = [TOOLKITS[toolkit].format(**x) + "\n" for x in pairs]
    return HEADERS.get(toolkit, "") + "".join(lines)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_every_toolkit_says_the_same(tmp_path, pairs, rng, toolkit, is_packed):
    shuffled = [pairs[row] for row in rng.permutation(len(pairs))]
    data = written(shuffled, toolkit).encode()
    found = read(tmp_path, gzip.compress(data) if is_packed else data)
    assert found == [float(x["s"]) for x in pairs]


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.removesuffix(".wav"),  # SpeechBrain
        lambda name: f"/corpora/{name}",
        lambda name: name.removesuffix(".wav").replace("/", "-"),  # Kaldi
    ],
)
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_names_may_differ_in_one_way(tmp_path, pairs, toolkit, rename):
    renamed = [{**x, "a": rename(x["a"]), "b": rename(x["b"])} for x in pairs]
    found = read(tmp_path, written(renamed, toolkit))
    assert found == [float(x["s"]) for x in pairs]


def test_ids_that_are_numbers_are_told_by_the_trials(tmp_path):
    (tmp_path / "trials").write_text("1 11 target\n2 12 nontarget\n1 12 nontarget\n")
    assert read(tmp_path, "1 11 3\n2 12 4\n1 12 5\n") == [3, 4, 5]
    assert read(tmp_path, "3 1 11\n4 2 12\n5 1 12\n") == [3, 4, 5]


def test_what_the_trials_cannot_tell_is_ambiguous(tmp_path):
    (tmp_path / "trials").write_text("a b target\na c nontarget\n")
    words = "'1 2 3' may be Kaldi's '<enroll> <test> <score>' or VoxSRC's"
    with pytest.raises(DataError, match=re.escape(words)):
        read(tmp_path, "1 2 3\n4 5 6\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b target\n", "expected a header with one column of enroll"),
        ("a b 1 2 3\n", "expected Kaldi's"),
        ("model segment LLR score\n", "column of score, got columns LLR, score"),
        ("a b 1.5\na c\n", "expected Kaldi's"),
        ("a b 1 0.5\nc d 1 0.5 6\n", "expected Kaldi's"),
    ],
)
def test_what_is_none_of_them_is_one_line(tmp_path, text, words):
    (tmp_path / "trials").write_text("a b target\na c nontarget\n")
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("toolkit", ["WeSpeaker", "SpeechBrain"])
def test_keys_of_other_trials_are_refused(tmp_path, pairs, toolkit):
    pairs[5] |= {"bit": 1 - pairs[5]["bit"], "key": "target"}
    wrong = [{**x, "key": "target", "bit": 1} for x in pairs]
    with pytest.raises(DataError, match=r"\d+ of 36 keys contradict the trials"):
        read(tmp_path, written(wrong, toolkit))


def test_a_cut_archive_is_one_line(tmp_path, pairs):
    data = gzip.compress(written(pairs, "Kaldi").encode())
    with pytest.raises(DataError, match="cannot unpack it: "):
        read(tmp_path, data[:-20])


def test_the_format_is_said(tmp_path, pairs):
    (tmp_path / "scores").write_text(written(pairs, "VoxSRC"))
    found = find_format(tmp_path / "scores", read_trials(tmp_path / "trials"))
    assert str(found) == "VoxSRC's '<score> <enroll> <test>'"
    assert np.argmax([x == "score" for x in found.columns]) == 0


@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_without_a_list_of_trials_the_form_tells(tmp_path, pairs, toolkit):
    data = written(pairs, toolkit).encode()
    (tmp_path / "scores").write_bytes(gzip.compress(data))
    found = read_scores_of(None, tmp_path / "scores")
    assert found.values.tolist() == [float(x["s"]) for x in pairs]
    assert found.name(1) == f"{pairs[1]['a']} {pairs[1]['b']}"


def test_without_a_list_scores_are_what_has_decimals(tmp_path):
    """VoxSRC's scores of ids that are numbers were read as Kaldi's."""
    for lines in ("1 2 0.5\n3 4 -1\n", "0.5 1 2\n-1 3 4\n", "5e-1,1,2\n-1,3,4\n"):
        (tmp_path / "scores").write_text(lines)
        scores = read_scores_of(None, tmp_path / "scores")
        assert scores.values.tolist() == [0.5, -1]
        assert [scores.name(row) for row in range(2)] == ["1 2", "3 4"]


@pytest.mark.parametrize("lines", ["1 2 3\n4 5 6\n", "0.5 1 2.5\n0.1 4 5\n"])
def test_what_neither_list_nor_decimals_tell_is_refused_with_a_cure(tmp_path, lines):
    path = tmp_path / "scores"
    path.write_text(lines)
    words = "may be Kaldi's '<enroll> <test> <score>' or VoxSRC's '<score> <enroll>"
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        read_scores_of(None, path)
    assert caught.value.hint.endswith(": 'enroll test score' or 'score enroll test'")
    for titles, values in (("enroll test score", 2), ("score enroll test", 0)):
        path.write_text(f"{titles}\n{lines}")
        expected = [float(line.split()[values]) for line in lines.splitlines()]
        assert read_scores_of(None, path).values.tolist() == expected


def test_scores_of_ids_that_are_numbers_are_read_as_they_were_written(tmp_path, rng):
    pairs, values = pairs_of(["1", "2", "2"], ["3", "3", "4"]), rng.normal(size=3)
    write_scores(tmp_path / "scores", pairs, values)
    found = read_scores_of(None, tmp_path / "scores")
    assert found.values == pytest.approx(values, rel=1e-6)
    assert found.name(2) == "2 4"
