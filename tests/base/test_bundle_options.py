"""Options that mean the same in every program that uses a bundle."""

import pytest

from asdkit.base.bundle_options import (
    add_channel,
    add_deciding,
    add_model,
    add_profiles,
)
from asdkit.base.command import CommandParser


def parse(words, *declare):
    parser = CommandParser("asdkit x", "Do x.")
    for add in declare:
        add(parser)
    return vars(parser.parse(words.split()))


def test_a_channel_is_counted_from_0_and_left_open_otherwise():
    assert parse("", add_channel)["channel"] is None
    assert parse("--channel 0", add_channel)["channel"] == 0
    with pytest.raises(SystemExit):
        parse("--channel -1", add_channel)


def test_no_decision_is_an_error_unless_asked_for():
    found = parse("--fail-on reject", add_deciding)
    assert found["fail_on"] == "reject"
    assert "channel" in found
    assert parse("", add_deciding)["fail_on"] == "none"
    with pytest.raises(SystemExit):
        parse("--fail-on accept", add_deciding)


@pytest.mark.parametrize("add", [add_model, add_profiles])
def test_what_a_program_cannot_do_without_is_required(add, capsys):
    with pytest.raises(SystemExit):
        parse("", add)
    assert "required" in capsys.readouterr().err


def test_a_server_does_without_profiles():
    def add(parser):
        add_profiles(parser, required=False)

    assert parse("", add)["profiles"] is None
