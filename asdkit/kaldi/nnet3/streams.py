"""The fields of nnet3 components in binary and in text.

What a binary field is cannot be seen from its bytes (an integer of four bytes looks
like a float), so the reader is told, see `asdkit.kaldi.nnet3.fields`.

Source: Kaldi, src/base/io-funcs{.cc,-inl.h}, src/matrix/compressed-matrix.cc.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
from typing import NoReturn

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_numbers
from asdkit.io.ark_value import COMPRESSED, read_value
from asdkit.io.byte_streams import CURE, open_bytes
from asdkit.io.kaldi_binary import BINARY, BinaryReader
from asdkit.io.kaldi_object import open_either
from asdkit.io.tables import PathName

WORD = re.compile(rb"\s*(\[|\]|[^\s\[\]]+)")
LONGEST_LINE = 1 << 20  # bytes


class BinaryFields(BinaryReader):
    """Read the fields of components from a binary file."""

    is_binary = True

    def line(self) -> str:
        """Read up to the end of a line, without it."""
        data = self.stream.readline(LONGEST_LINE)
        if not data.endswith(b"\n"):
            self.fail("expected the end of a line")
        self.position += len(data)
        return data.decode("utf-8", "backslashreplace").rstrip("\r\n")

    def integer(self) -> int:
        """Read a 32-bit integer."""
        size, value = struct.unpack("<bi", self.take(5))
        if abs(size) != 4:
            self.position -= 5
            self.fail("expected an integer of 4 bytes")
        return int(value)

    def boolean(self) -> bool:
        """Read T or F."""
        byte = bytes(self.take(1))
        if byte not in (b"T", b"F"):
            self.fail(f"expected T or F, got {byte!r}")
        return byte == b"T"

    def integers(self) -> list[int]:
        """Read a vector of 32-bit integers."""
        if bytes(self.take(1)) != b"\4":
            self.fail("expected integers of 4 bytes")
        (count,) = struct.unpack("<i", self.take(4))
        if count < 0:
            self.fail(f"expected a number of integers, got {count}")
        return np.frombuffer(self.take(4 * count), "<i4").tolist()

    def array(self) -> np.ndarray:
        """Read a vector or a matrix, compressed or not: (D,) or (D', D)."""
        if self.peek() in COMPRESSED:
            return self._compressed()
        return self.matrix() if self.is_matrix() else self.vector()

    def _compressed(self) -> np.ndarray:
        """Read a compressed matrix, (D', D) float32."""
        code = self.token("a compressed matrix")
        header = self.take(16)
        rows, columns = struct.unpack("<ii", header[-8:])
        if rows < 0 or columns < 0:
            self.fail(f"expected a shape, got {rows} rows and {columns} columns")
        per_column, per_element = COMPRESSED[code]
        data = self.take(columns * (per_column + rows * per_element))
        whole = BINARY + f"{code} ".encode() + header + data
        return read_value(self.path, io.BufferedReader(io.BytesIO(whole)))


class TextFields:
    """Read the fields of components from a text file; numbers become float64.

    Args:
        path: the file's name, for messages.
        data: the whole file.
    """

    is_binary = False

    def __init__(self, path: PathName, data: bytes) -> None:
        self.path = path
        self.data = data
        self.place = 0

    def fail(self, problem: str) -> NoReturn:
        """Raise for the current line of the file."""
        line = 1 + self.data.count(b"\n", 0, self.place)
        raise DataError(self.path, problem, line=line, hint=CURE)

    def end(self) -> None:
        """Check that nothing follows."""
        if rest := self.data[self.place :].split():
            self.fail(f"expected the end of the file, got {rest[0][:20]!r}")

    def line(self) -> str:
        """Read up to the end of a line, without it."""
        end = self.data.find(b"\n", self.place)
        if end < 0:
            self.fail("expected the end of a line")
        line = self.data[self.place : end]
        self.place = end + 1
        return line.decode("utf-8", "backslashreplace").rstrip("\r")

    def peek(self) -> str:
        """Look at the next word, empty at the end."""
        match = WORD.match(self.data, self.place)
        return match[1].decode("utf-8", "backslashreplace") if match else ""

    def token(self, expected: str) -> str:
        """Read the next word; ``expected`` is for the message."""
        match = WORD.match(self.data, self.place)
        if match is None:
            self.fail(f"expected {expected}, got the end of the file")
        self.place = match.end()
        return match[1].decode("utf-8", "backslashreplace")

    def expect(self, token: str) -> None:
        """Read the given token."""
        if (got := self.peek()) != token:
            self.fail(f"expected {token!r}, got {got or 'the end of the file'!r}")
        self.token(repr(token))

    def integer(self) -> int:
        """Read an integer."""
        word = self.peek()
        if not re.fullmatch("[+-]?[0-9]{1,10}", word):
            self.fail(f"expected an integer, got {word!r}")
        return int(self.token("an integer"))

    def real(self) -> float:
        """Read a number."""
        return float(self._numbers([self.token("a number").encode()])[0])

    def boolean(self) -> bool:
        """Read T or F."""
        word = self.peek()
        if word not in ("T", "F"):
            self.fail(f"expected T or F, got {word!r}")
        return self.token("T or F") == "T"

    def integers(self) -> list[int]:
        """Read integers in brackets."""
        numbers = self._numbers(self._body().split())
        if not (np.abs(numbers) < 2**31).all() or (numbers % 1).any():
            self.fail("expected integers")
        return numbers.astype(int).tolist()

    def array(self) -> np.ndarray:
        """Read a vector or a matrix, whose rows are lines: (D,) or (D', D) float64."""
        body = self._body()
        numbers = self._numbers(body.split())
        if b"\n" not in body or not len(numbers):
            return numbers
        sizes = {len(row) for line in body.split(b"\n") if (row := line.split())}
        if len(sizes) > 1:
            self.fail("expected rows of one length")
        return numbers.reshape(-1, sizes.pop())

    def _body(self) -> bytes:
        """Read what is between brackets."""
        self.expect("[")
        end = self.data.find(b"]", self.place)
        if end < 0:
            self.fail("expected a ']' before the end of the file")
        body = self.data[self.place : end]
        self.place = end + 1
        return body

    def _numbers(self, words: list[bytes]) -> np.ndarray:
        """Turn words into numbers."""
        try:
            return parse_numbers(words)
        except ValueError as error:
            self.fail(f"expected numbers: {error}")


def is_nnet3(path: PathName) -> bool:
    """Tell whether a file is a network of nnet3, raw or with a transition model."""
    starts = b"<Nnet3>", b"<TransitionModel>"
    try:
        with open_bytes(path) as stream:
            return stream.read(32).removeprefix(BINARY).lstrip().startswith(starts)
    except DataError:
        return False


def open_fields(
    path: PathName,
) -> contextlib.AbstractContextManager[BinaryFields | TextFields]:
    """Open a file of components, binary or text; see `open_either`."""
    return open_either(path, BinaryFields, TextFields)
