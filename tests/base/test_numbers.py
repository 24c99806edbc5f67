import math

import numpy as np
import pytest

from asdkit.base.numbers import (
    parse_finite,
    parse_integer,
    parse_number,
    parse_numbers,
)

GOOD = ["0", "-1.5", "+2.", ".5", "1e5", "-3.25E-07", "007", "inf", "-Infinity"]
# What Python's float() takes, and some that it does not.
BAD = ["1_07", "1_0.5", "\u0661\u0662", " 3", "3 ", "", ".", "e5", "1e", "0x10", "1,5"]


@pytest.mark.parametrize("text", GOOD)
def test_a_plain_number_is_what_python_makes_of_it(text):
    assert parse_number(text) == float(text)
    assert parse_numbers([text.encode()]).tolist() == [float(text)]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(ValueError, match="expected a number, got"):
        parse_number(text)
    if text.strip() == text:  # words hold no blanks
        with pytest.raises(ValueError, match=r"number|float"):
            parse_numbers([b"1", text.encode()])


def test_nan_is_left_to_the_caller():
    assert math.isnan(parse_number("nan"))
    assert np.isnan(parse_numbers([b"NaN"])).all()


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999", "1_0"])
def test_a_finite_number_is_neither_infinite_nor_nan(text):
    assert parse_finite("-2.5") == -2.5
    with pytest.raises(ValueError, match="expected a"):
        parse_finite(text)


@pytest.mark.parametrize("text", ["1_0", "1.0", "\u0663", "", "+", " 3", "1e3", "inf"])
def test_integers_are_digits_with_a_sign(text):
    assert [parse_integer(x) for x in ("3", "-4", "+007")] == [3, -4, 7]
    with pytest.raises(ValueError, match="expected an integer, got"):
        parse_integer(text)
