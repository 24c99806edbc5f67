"""Types of parameters become parsers of what is typed."""

import argparse
from typing import Annotated, Literal

import numpy as np
import pytest

from asdkit.base.parsing import boolean, find_parsing, list_of, numbers, parsing_of
from asdkit.base.ranges import Count, FilePath, Natural, Positive, Range, Share


def parse(hint, text):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--x", **parsing_of(hint))
    return parser.parse_args(["--x", text]).x


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "-3", -3),
        (float, "1e-3", 0.001),
        (bool, "true", True),
        (bool, "false", False),
        (str, "true", "true"),
        (str | None, "x", "x"),
        (Count, "1", 1),
        (Count | None, "7", 7),
        (Natural, "0", 0),
        (Share, "1", 1.0),
        (tuple[int, ...], "3,4,6,3", (3, 4, 6, 3)),
        (Literal["a", "b"], "b", "b"),
        (FilePath, "data/x", "data/x"),
        (Annotated[float, Range(2, 3)], "2.5", 2.5),
    ],
)
def test_a_value_has_the_type_of_its_parameter(hint, text, value):
    found = parse(hint, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("hint", "text", "message"),
    [
        (int, "3.5", "expected an integer, got '3.5'"),
        (int, "x", "expected an integer, got 'x'"),
        (int, "1e3", "expected an integer, got '1e3'"),
        (float, "", "expected a number, got ''"),
        (float, "inf", "expected a finite number, got inf"),
        (float, "nan", "expected a"),
        (bool, "True", "expected true or false, got 'True'"),
        (Count, "0", "expected an integer .*1.*, got 0"),
        (Positive, "0", "expected a number .*0.*, got 0"),
        (Share, "1.01", "expected a number .*1.*, got 1.01"),
        (Literal["a", "b"], "c", "invalid choice: 'c'"),
    ],
)
def test_what_is_expected_is_said(hint, text, message):
    with pytest.raises(argparse.ArgumentError, match=message):
        parse(hint, text)


@pytest.mark.parametrize("hint", [np.ndarray, dict[str, int], int | str, object, None])
def test_a_type_that_cannot_be_typed_has_no_parser(hint):
    assert find_parsing(hint) is None
    with pytest.raises((KeyError, TypeError, ValueError)):
        parsing_of(hint)
    assert find_parsing(int)["metavar"] == "N"


def test_placeholders_tell_the_type():
    metavars = {x: parsing_of(x).get("metavar") for x in (int, float, bool, str)}
    assert metavars == {int: "N", float: "X", bool: "true|false", str: "NAME"}
    assert parsing_of(FilePath)["metavar"] == "FILE"


def test_lists_are_of_values_with_commas_between():
    several = list_of(**parsing_of(Count))
    assert several["type"]("1,2,3") == [1, 2, 3]
    assert several["metavar"] == "N,..."
    with pytest.raises(argparse.ArgumentTypeError):
        several["type"]("1,0")
    chosen = list_of(choices=("a", "b"))
    assert chosen["type"]("b,a") == ["b", "a"]
    assert chosen["metavar"] == "{a,b},..."
    with pytest.raises(argparse.ArgumentTypeError, match=r"some of a, b, got \['c'\]"):
        chosen["type"]("a,c")


def test_words_for_yes_and_no_are_kaldis():
    assert (boolean("true"), boolean("false")) == (True, False)
    for wrong in ("yes", "1", "TRUE", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="expected true or false"):
            boolean(wrong)
    assert numbers("1") == (1,)
    with pytest.raises(ValueError, match="expected an integer"):
        numbers("1,,2")
