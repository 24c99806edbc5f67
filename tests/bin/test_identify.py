"""The program, with a bundle or model that stands in for a real one."""

import pytest

from asdkit.__main__ import main


@pytest.mark.parametrize(
    ("test", "answer"), [("good.wav", "probably ann"), ("bad.wav", "Unknown")]
)
def test_the_most_likely_comes_first_or_nobody(bundle, capsys, test, answer):
    base = ["--model", "m", "--profiles", "p.sqlite"]
    assert main(["enroll", *base, "ann", "good.wav"]) == 0
    assert main(["enroll", *base, "bob", "good.wav"]) == 0
    assert main(["enroll", *base, "bob", "bad.wav"]) == 0
    assert main(["profile-remove", "--profiles", "p.sqlite", "bob"]) == 0
    capsys.readouterr()
    assert main(["identify", *base, test]) == 0
    assert answer in capsys.readouterr().out
