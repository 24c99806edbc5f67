"""The program, with a bundle or model that stands in for a real one."""

import json

import pytest

from asdkit.__main__ import main


def test_the_decision_and_a_sentence_are_printed(bundle, capsys):
    assert main(["verify", "a.wav", "good.wav", "--model", "m"]) == 0
    text = capsys.readouterr().out
    assert "accept" in text
    assert "This is probably the same speaker" in text


@pytest.mark.parametrize(("test", "code"), [("good.wav", 0), ("bad.wav", 1)])
def test_only_fail_on_makes_a_decision_an_exit_code(bundle, capsys, test, code):
    assert main(["verify", "a.wav", test, "--model", "m"]) == 0
    assert (
        main(["verify", "--fail-on", "reject", "a.wav", test, "--model", "m"]) == code
    )


def test_json_is_for_programs(bundle, capsys):
    assert main(["verify", "--json", "a.wav", "bad.wav", "--model", "m"]) == 0
    (row,) = json.loads(capsys.readouterr().out)[0]["rows"]
    assert (row["decision"], row["score"]) == ("reject", -1.5)
