"""The program, with a bundle or model that stands in for a real one."""

from asdkit.__main__ import main


def test_who_is_removed_is_gone_and_others_stay(bundle, capsys):
    base = ["--model", "m", "--profiles", "p.sqlite"]
    for name in ("ann", "bob"):
        assert main(["enroll", *base, name, "good.wav"]) == 0
    assert main(["profile-remove", "--profiles", "p.sqlite", "ann"]) == 0
    capsys.readouterr()
    assert main(["profile-list", *base]) == 0
    text = capsys.readouterr().out
    assert "bob" in text
    assert "ann" not in text
    assert main(["profile-remove", "--profiles", "p.sqlite", "ann"]) == 1
