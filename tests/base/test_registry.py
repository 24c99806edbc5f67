"""Tables of what is chosen by name."""

from functools import partial

import pytest

from asdkit.base.registry import Chosen, construct, defaults_of


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


def test_a_choice_is_completed_by_the_defaults():
    chosen = Chosen("cube", {"offset": 2})
    assert chosen.complete(TABLE) == Chosen("cube", {"exponent": 3, "offset": 2})
    assert Chosen("cube").complete(TABLE, but=["exponent"]).options == {"offset": 0}
    with pytest.raises(ValueError, match="cube has no option 'exponent'; it has off"):
        Chosen("cube", {"exponent": 2}).complete(TABLE, but=["exponent"])
    with pytest.raises(ValueError, match="expected one of square, cube, none; got 'x'"):
        Chosen("x").complete(TABLE)


def test_a_choice_keeps_what_it_was_made_of():
    """Lists are tuples in it, as options are after a file has given them back."""
    options = {"blocks": [1, [2, 3]]}
    chosen = Chosen("x", options)
    options["blocks"] = []
    assert chosen.options == {"blocks": (1, (2, 3))}
    assert chosen == Chosen("x", {"blocks": (1, (2, 3))})
