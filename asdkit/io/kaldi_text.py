"""Kaldi's text format (``--binary=false``): tokens, numbers, vectors and matrices.

An object is words between blanks, with arrays in square brackets and a matrix's rows
on lines.

Source: Kaldi, src/base/io-funcs.cc, src/matrix/{kaldi-matrix,kaldi-vector}.cc.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NoReturn

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_numbers
from asdkit.io.byte_streams import CURE
from asdkit.io.tables import PathName


class TextReader:
    """Read Kaldi's text format; numbers become float64.

    Args:
        path: the file's name, for messages.
        data: the whole file.
    """

    def __init__(self, path: PathName, data: bytes) -> None:
        self.path = path
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            raise DataError(
                path, f"expected a Kaldi object, got {data[:20]!r}", hint=CURE
            ) from None
        self.words = re.findall(r"\n|\[|\]|[^\s\[\]]+", text)
        self.next = 0

    def fail(self, problem: str) -> NoReturn:
        """Raise for the current line of the file."""
        line = 1 + self.words[: self.next].count("\n")
        raise DataError(self.path, problem, line=line, hint=CURE)

    def end(self) -> None:
        """Check that nothing follows."""
        if self.peek():
            self.fail(f"expected the end of the file, got {self.peek()!r}")

    def peek(self) -> str:
        """Look at the next word, empty at the end."""
        while self.next < len(self.words) and self.words[self.next] == "\n":
            self.next += 1
        return self.words[self.next] if self.next < len(self.words) else ""

    def token(self, expected: str) -> str:
        """Read the next word; ``expected`` is for the message."""
        if not (word := self.peek()):
            self.fail(f"expected {expected}, got the end of the file")
        self.next += 1
        return word

    def expect(self, token: str) -> None:
        """Read the given token."""
        if self.peek() not in (token, ""):
            self.fail(f"expected {token!r}, got {self.peek()!r}")
        self.token(repr(token))

    def count(self) -> int:
        """Read an integer that cannot be negative."""
        word = self.peek()
        if not re.fullmatch("[0-9]{1,10}", word):
            self.fail(f"expected a count, got {word!r}")
        return int(self.token("a count"))

    def real(self) -> float:
        """Read a number."""
        return float(self._numbers([self.token("a number")])[0])

    def vector(self) -> np.ndarray:
        """Read a vector: (D,) float64."""
        rows = self._rows()
        return self._numbers([word for row in rows for word in row])

    def is_matrix(self) -> bool:
        """Tell whether the brackets to come hold lines, as only a matrix's do."""
        self.peek()  # past the ends of the lines before
        try:
            end = self.words.index("]", self.next)
        except ValueError:
            return False
        return "\n" in self.words[self.next : end]

    def matrix(self) -> np.ndarray:
        """Read a matrix: (T, D) float64."""
        rows = self._rows()
        if len({len(row) for row in rows}) > 1:
            self.fail("expected rows of one length")
        numbers = self._numbers([word for row in rows for word in row])
        return numbers.reshape(len(rows), -1) if rows else numbers.reshape(0, 0)

    def matrices(self, count: int) -> np.ndarray:
        """Read matrices of one shape: (count, T, D) float64."""
        return self._stack(self.matrix() for _ in range(count))

    def packed(self, count: int) -> np.ndarray:
        """Read lower triangles by rows: (count, P) float64, P = D (D + 1) / 2."""
        return self._stack(self.vector() for _ in range(count))

    def _stack(self, arrays: Iterator[np.ndarray]) -> np.ndarray:
        """Stack arrays, which must have one shape."""
        found: list[np.ndarray] = []
        for array in arrays:
            found.append(array)
            if array.shape != found[0].shape:
                self.fail(f"expected {found[0].shape} numbers, got {array.shape}")
        if not found:
            self.fail("expected at least one matrix, got none")
        return np.stack(found)

    def _rows(self) -> list[list[str]]:
        """Read the words between brackets, one list for each line that has any."""
        self.expect("[")
        try:
            end = self.words.index("]", self.next)
        except ValueError:
            self.fail("expected a ']' before the end of the file")
        rows: list[list[str]] = [[]]
        for word in self.words[self.next : end]:
            if word == "\n":
                rows.append([])
            else:
                rows[-1].append(word)
        self.next = end + 1
        return [row for row in rows if row]

    def _numbers(self, words: list[str]) -> np.ndarray:
        """Turn words into numbers."""
        try:
            return parse_numbers([word.encode() for word in words])
        except ValueError as error:
            self.fail(f"expected numbers: {error}")


def write_text_array(stream: IO[bytes], array: np.ndarray) -> None:
    """Write a (D,) vector or (T, D) matrix with seven digits, as ``--binary=false``."""
    if array.ndim == 1:
        stream.write(f" [ {_line(array)}]\n".encode())
    elif array.size == 0:
        stream.write(b" [ ]\n")
    else:
        rows = "".join(f"\n  {_line(row)}" for row in array)
        stream.write(f" [{rows}]\n".encode())


def _line(numbers: np.ndarray) -> str:
    """Format numbers, a blank after each."""
    return "".join(f"{number:.7g} " for number in numbers.tolist())
