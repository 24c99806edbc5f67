"""The program, with a bundle or model that stands in for a real one."""

from asdkit.__main__ import main


def test_recordings_are_added_to_those_there_are(bundle, capsys):
    words = ["enroll", "--model", "m", "--profiles", "p.sqlite", "ann"]
    assert main([*words, "good.wav"]) == 0
    assert main([*words, "bad.wav", "good.wav"]) == 0
    assert "ann has 3 enrollments; added bad.wav" in capsys.readouterr().out
