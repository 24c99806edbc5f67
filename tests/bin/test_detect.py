"""The program, with a bundle or model that stands in for a real one."""

from asdkit.__main__ import main


def test_every_recording_gets_a_row(bundle, capsys):
    assert main(["detect", "good.wav", "bad.wav", "--model", "m"]) == 0
    rows = [x.split()[:2] for x in capsys.readouterr().out.splitlines()[1:3]]
    assert rows == [["good.wav", "accept"], ["bad.wav", "reject"]]


def test_one_rejected_recording_of_two_can_fail(bundle, capsys):
    words = ["detect", "--fail-on", "reject", "good.wav", "bad.wav", "--model", "m"]
    assert main(words) == 1
    assert "1 of 2: reject" in capsys.readouterr().err
