import argparse
from typing import Annotated

import pytest

from asdkit.base.options import add_options
from asdkit.base.ranges import (
    Count,
    NonNegative,
    PositiveOrInfinite,
    Probability,
    ProperShare,
    Range,
    Share,
)


def model(
    num: Count = 1,
    maybe: Count | None = None,
    floor: NonNegative = 0.0,
    share: Share = 0.5,
    p: Probability = 0.5,
    decay: ProperShare = 0.5,
    size: Annotated[int, Range(2, 8)] = 4,
    free: float = 0.0,
    norm: PositiveOrInfinite = 1.0,
) -> None:
    """Take numbers.

    Args:
        num: number.
        maybe: number.
        floor: number.
        share: number.
        p: number.
        decay: number.
        size: number.
        free: number.
        norm: number.
    """


def parse(*argv):
    parser = argparse.ArgumentParser(exit_on_error=False)
    names = ("num", "maybe", "floor", "share", "p", "decay", "size", "free", "norm")
    add_options(parser, model, *names)
    return parser.parse_args(argv)


def test_the_ends_of_a_range_belong_to_it_unless_it_is_open():
    args = parse("--num=1", "--floor=0", "--share=1", "--size=8", "--norm=inf")
    assert (args.num, args.floor, args.share, args.size) == (1, 0, 1, 8)
    assert args.norm == float("inf")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--num=0", "an integer at least 1, got 0"),
        ("--num=1.5", "an integer, got '1.5'"),
        ("--maybe=0", "an integer at least 1, got 0"),
        ("--floor=-1e-9", "a number at least 0, got -1e-9"),
        ("--floor=inf", "a finite number at least 0, got inf"),
        ("--free=inf", "a finite number, got inf"),
        ("--free=-Infinity", "a finite number, got -Infinity"),
        ("--norm=-inf", "a finite number above 0, got -inf"),
        ("--norm=nan", "a number above 0, got nan"),
        ("--free=1_07", "a number, got '1_07'"),
        ("--num=1_0", "an integer, got '1_0'"),
        ("--num=\u0663", "an integer, got '\u0663'"),
        ("--share=nan", "a number at least 0 and at most 1, got nan"),
        ("--p=1", "a number above 0 and below 1, got 1"),
        ("--decay=1", "a number at least 0 and below 1, got 1"),
        ("--size=9", "an integer at least 2 and at most 8, got 9"),
        ("--free=nan", "a finite number, got nan"),
    ],
)
def test_what_lies_outside_is_refused_with_the_range(option, words):
    with pytest.raises(argparse.ArgumentError, match=f"expected {words}"):
        parse(option)
