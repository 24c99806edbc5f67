"""Tables of what is chosen by name."""

from functools import partial

import pytest

from asdkit.base.registry import construct, defaults_of


def power(base, exponent=2, offset=0):
    return base**exponent + offset


def identity(x):
    return x


TABLE = {"square": power, "cube": partial(power, exponent=3), "none": identity}


def test_construct_passes_arguments_and_options_on():
    assert construct(TABLE, "square", 3) == 9
    assert construct(TABLE, "cube", 2, offset=1) == 9


def test_defaults_are_those_of_the_entry():
    assert defaults_of(TABLE, "cube") == {"exponent": 3, "offset": 0}
    assert defaults_of(TABLE, "none") == {}


def test_unknown_names_and_options_are_refused():
    with pytest.raises(ValueError, match="expected one of square, cube, none; got 'x'"):
        construct(TABLE, "x")
    with pytest.raises(
        ValueError, match="cube has no option 'of'; it has exponent, of"
    ):
        construct(TABLE, "cube", 2, of=1)
    with pytest.raises(ValueError, match="none has no option 'a'; it has none"):
        construct(TABLE, "none", 2, a=1)
