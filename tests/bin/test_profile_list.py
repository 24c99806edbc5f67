"""The program, with a bundle or model that stands in for a real one."""

from asdkit.__main__ import main


def test_every_enrollment_has_a_row_and_no_path(bundle, capsys):
    base = ["--model", "m", "--profiles", "p.sqlite"]
    assert main(["enroll", *base, "ann", "good.wav", "bad.wav"]) == 0
    capsys.readouterr()
    assert main(["profile-list", *base]) == 0
    rows = [x.split()[:3] for x in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["ann", "good.wav", "1.25"], ["ann", "bad.wav", "1.25"]]
