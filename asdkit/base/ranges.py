"""Ranges of option values, written in the signature beside the default.

``num_iters: Count = 10`` is an int to a reader and to mypy; a program that makes an
option of it (`asdkit.base.options`) refuses 0 before any work is done.  Infinity lies
in no range but in those that name it, and is no plain ``float`` either.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Range:
    """An interval, by default all finite numbers.

    Args:
        least: the smallest value in it.
        most: the largest value in it.
        above: bound that every value must exceed.
        below: bound that every value must stay below.
    """

    least: float = -sys.float_info.max
    most: float = sys.float_info.max
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            self.least <= value <= self.most
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        """Describe it in words, e.g. "at least 1"; "finite" without bounds.

        Example:
            >>> f"{Range(least=1)}; {Range(above=0, below=1)}"
            'at least 1; above 0 and below 1'
        """
        bounds = {
            "at least": self.least,
            "above": self.above,
            "at most": self.most,
            "below": self.below,
        }
        said = [
            f"{word} {bound:g}"
            for word, bound in bounds.items()
            if bound is not None and abs(bound) < sys.float_info.max
        ]
        return " and ".join(said) or "finite"


Count = Annotated[int, Range(least=1)]
Natural = Annotated[int, Range(least=0)]
Positive = Annotated[float, Range(above=0)]
PositiveOrInfinite = Annotated[float, Range(above=0, most=float("inf"))]
NonNegative = Annotated[float, Range(least=0)]
Decibels = Annotated[float, Range(least=-200, most=200)]  # more is beyond float32
Share = Annotated[float, Range(least=0, most=1)]
PositiveShare = Annotated[float, Range(above=0, most=1)]
ProperShare = Annotated[float, Range(least=0, below=1)]
Probability = Annotated[float, Range(above=0, below=1)]

# Options that name a place on the disk; the help shows which kind.
FilePath = Annotated[str, "FILE"]
FolderPath = Annotated[str, "DIR"]
AnyPath = Annotated[str, "FILE|DIR"]
Rspecifier = Annotated[str, "RSPECIFIER"]
# Several words, separated by commas.
Names = Annotated[str, "NAME,..."]
