"""Read descriptors of nnet3 from text."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import NoReturn

from asdkit.base.numbers import parse_finite
from asdkit.nnet.nnet3.descriptors import (
    Append,
    Const,
    Descriptor,
    Failover,
    IfDefined,
    Offset,
    ReplaceIndex,
    Round,
    Scale,
    Source,
    Sum,
)

WORD = re.compile(r"\s*([^\s(),]+|[(),])")
DEEPEST = 100  # descriptors in one another


def parse_descriptor(text: str) -> Descriptor:
    """Parse a descriptor as nnet3 writes it.

    Raises:
        ValueError: it is malformed, or of a kind that is not supported.

    Example:
        >>> parse_descriptor("Sum(Scale(0.66, a), Offset(b, -3))").dim({"a": 4, "b": 4})
        4
    """
    words = WORD.findall(text)
    if "".join(words) != "".join(text.split()):
        raise ValueError(f"expected a descriptor, got {text!r}")
    parser = _Parser(text, words)
    found = parser.descriptor()
    if parser.words:
        parser.fail(f"the end, got {parser.words[0]!r}")
    return found


class _Parser:
    """Recursive descent over the words of a descriptor."""

    def __init__(self, text: str, words: Iterable[str]) -> None:
        self.text = text
        self.words = deque(words)
        self.depth = 0

    def fail(self, expected: str) -> NoReturn:
        """Raise a ValueError."""
        raise ValueError(f"descriptor {self.text!r}: expected {expected}")

    def take(self, *expected: str) -> str:
        """Take the next word, one of those expected if any are."""
        word = self.words.popleft() if self.words else "the end"
        if expected and word not in expected:
            self.fail(f"{' or '.join(map(repr, expected))}, got {word!r}")
        return word

    def integer(self) -> int:
        """Take an integer."""
        word = self.take()
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", word):
            self.fail(f"an integer, got {word!r}")
        return int(word)

    def number(self) -> float:
        """Take a number."""
        word = self.take()
        try:
            return parse_finite(word)
        except ValueError:
            self.fail(f"a number, got {word!r}")

    def several(self) -> tuple[Descriptor, ...]:
        """Take descriptors between commas, up to the closing parenthesis."""
        parts = [self.descriptor()]
        while self.take(",", ")") == ",":
            parts.append(self.descriptor())
        return tuple(parts)

    def descriptor(self) -> Descriptor:
        """Take a descriptor."""
        kind = self.take()
        if kind in ("(", ")", ",", "the end"):
            self.fail(f"a node or a descriptor, got {kind!r}")
        if not self.words or self.words[0] != "(":
            return Source(kind)
        self.take("(")
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} descriptors in one another")
        if kind in ("Append", "Sum"):
            found: Descriptor = (Append if kind == "Append" else Sum)(self.several())
        else:
            found = self._of_one(kind)
            self.take(")")
        self.depth -= 1
        return found

    def _of_one(self, kind: str) -> Descriptor:
        """Take what is between the parentheses of a descriptor with fixed arguments."""
        if kind == "IfDefined":
            return IfDefined(self.descriptor())
        if kind in ("Scale", "Const"):
            factor = self.number()
            self.take(",")
            if kind == "Const":
                return Const(factor, self.integer())
            return Scale(self.descriptor(), 0, factor)
        if kind not in ("Offset", "Round", "ReplaceIndex", "Failover"):
            raise ValueError(f"descriptor {kind!r} is not supported, in {self.text!r}")
        first = self.descriptor()
        self.take(",")
        if kind == "Failover":
            return Failover((first, self.descriptor()))
        if kind == "ReplaceIndex":
            name = self.take("t", "x")
            self.take(",")
            value = self.integer()
            if name == "t":
                return ReplaceIndex(first, value)
            if value:
                self.fail("an x index of 0, as only t is supported")
            return first
        by = self.integer()
        if kind == "Round":
            if by < 1:
                self.fail(f"a positive modulus, got {by}")
            return Round(first, by)
        if self.words and self.words[0] == ",":
            self.take(",")
            if self.integer():
                self.fail("an x offset of 0, as only t is supported")
        return Offset(first, by)
