"""The program, with a bundle or model that stands in for a real one."""

import json

from asdkit.__main__ import main


def test_every_recording_gets_a_row(bundle, capsys):
    assert main(["detect", "good.wav", "bad.wav", "--model", "m"]) == 0
    rows = [x.split()[:2] for x in capsys.readouterr().out.splitlines()[1:3]]
    assert rows == [["good.wav", "accept"], ["bad.wav", "reject"]]


def test_one_rejected_recording_of_two_can_fail(bundle, capsys):
    words = ["detect", "--fail-on", "reject", "good.wav", "bad.wav", "--model", "m"]
    assert main(words) == 1
    assert "1 of 2: reject" in capsys.readouterr().err


def test_a_recording_that_cannot_be_judged_does_not_end_the_others(bundle, capsys):
    words = ["detect", "good.wav", "none.wav", "bad.wav", "--model", "m"]
    assert main(words) == 1
    done = capsys.readouterr()
    lines = done.out.splitlines()
    assert [x.split()[1] for x in lines[1:4]] == ["accept", "failed", "reject"]
    assert lines[2].endswith("no such file")
    errors = [x for x in done.err.splitlines() if ": error: " in x]
    assert errors == ["asdkit detect: error: 1 of 3 recordings have no answer"]
    assert main([*words, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)[0]["rows"]
    assert [x["problem"] for x in rows] == [None, "no such file", None]
    assert [x["score"] for x in rows] == [2.5, None, -1.5]


def test_one_recording_alone_has_its_own_error(bundle, capsys):
    assert main(["detect", "none.wav", "--model", "m"]) == 1
    done = capsys.readouterr()
    assert done.out == ""
    assert "asdkit detect: error: none.wav: no such file" in done.err
