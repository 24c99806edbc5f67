"""Parse numbers as users and files write them: plain ASCII decimals only.

Python's own ``float`` and ``int`` read more: ``1_07`` as 107, digits of other scripts,
blanks around a number.  In a table these are damage, and a damaged score must not
become another score.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)", re.I
)


def is_number(text: str) -> bool:
    """Tell whether `parse_number` reads a text."""
    return NUMBER.fullmatch(text) is not None


def parse_number(text: str) -> float:
    """Read a number; ``inf`` and ``nan`` are accepted, for the caller to refuse.

    Raises:
        ValueError: it is none.

    Example:
        >>> parse_number("-1.5e3")
        -1500.0
    """
    if not is_number(text):
        raise ValueError(f"expected a number, got {text!r}")
    return float(text)


def parse_finite(text: str) -> float:
    """Read a number that is neither infinite nor NaN.

    Raises:
        ValueError: it is none.
    """
    if not math.isfinite(value := parse_number(text)):
        raise ValueError(f"expected a finite number, got {text!r}")
    return value


def parse_integer(text: str) -> int:
    """Read an integer.

    Raises:
        ValueError: it is none, or has more digits than Python converts.

    Example:
        >>> parse_integer("-12")
        -12
    """
    if not INTEGER.fullmatch(text):
        raise ValueError(f"expected an integer, got {text!r}")
    return int(text)


def parse_numbers(
    words: Sequence[bytes], letters: np.ndarray | None = None
) -> np.ndarray:
    """Read many numbers, as `parse_number` does but at the speed of ``float``.

    Args:
        words: N words, which hold no blanks.
        letters: (L,) uint8 letters of all of them, where they are at hand.

    Returns:
        (N,) float64.

    Raises:
        ValueError: one is no number.
    """
    import numpy as np

    # Of bytes without blanks, float() reads only this that `parse_number` does not.
    odd = b"_" in b"".join(words) if letters is None else (letters == ord("_")).any()
    if odd:
        raise ValueError("expected numbers, got an underscore")
    return np.fromiter(map(float, words), np.float64, len(words))
