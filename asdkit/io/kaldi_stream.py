r"""Kaldi's encoding of tokens, numbers, vectors and matrices in files.

A binary object starts with ``\0B``.  Then come tokens that end in a blank, e.g.
``<WEIGHTS>``, or ``FM`` before an array: F or D for the precision, then M, V or P
for a matrix, a vector or a packed symmetric matrix.  A number has its size in one
byte before it.  Everything is little-endian.  A text object is words between
blanks, with arrays in square brackets and a matrix's rows on lines.

What a file says is believed only as far as the file reaches: a corrupt dimension
ends in a `DataError`, never in a vast allocation.

Source: Kaldi, src/base/io-funcs.cc, src/matrix/{kaldi-matrix,kaldi-vector,
packed-matrix}.cc.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.base.numbers import parse_numbers
from asdkit.io.paths import relative_hint
from asdkit.io.tables import PathName

BINARY = b"\0B"
PRECISIONS: dict[str, np.dtype] = {"F": np.dtype("<f4"), "D": np.dtype("<f8")}
KINDS = {"V": "vector", "M": "matrix", "P": "packed symmetric matrix"}
PIECE = 1 << 20  # bytes
LONGEST_TOKEN = 1024  # bytes
CURE = "the file is damaged, cut short, or not what its name says"


def look_ahead(stream: io.BufferedReader, size: int) -> bytes:
    """Return the next bytes and stay where they begin.

    ``stream.peek`` alone will not do: it never returns more than what is left in the
    buffer, which is a single byte where a value starts at the buffer's last one.

    Args:
        stream: a file, through gzip or not.
        size: how many bytes; there are fewer only at the end.
    """
    ahead = stream.peek(size)[:size]
    if len(ahead) < size:
        ahead = stream.read(size)
        stream.seek(-len(ahead), io.SEEK_CUR)
    return ahead


@contextlib.contextmanager
def open_bytes(path: PathName) -> Iterator[io.BufferedReader]:
    """Open a file for reading, through gzip if that is what is in it.

    Raises:
        DataError: the file is missing or unreadable, or damaged where it is read.
    """
    try:
        with Path(path).open("rb") as plain:
            if look_ahead(plain, 2) != b"\x1f\x8b":
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as unzipped:
                yield io.BufferedReader(cast(Any, unzipped), 1 << 20)
    except FileNotFoundError:
        raise DataError(path, "no such file", hint=relative_hint(path)) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(path, f"cannot decompress it: {error}", hint=CURE) from None
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None


@contextlib.contextmanager
def open_object(path: PathName) -> Iterator[BinaryReader | TextReader]:
    """Open a file that holds one Kaldi object, binary or text, and nothing else.

    Raises:
        DataError: the file is missing, damaged, or has something after the object.
    """
    note_input(path)
    with open_bytes(path) as stream:
        reader: BinaryReader | TextReader
        if look_ahead(stream, len(BINARY)) == BINARY:
            reader = BinaryReader(path, stream)
            reader.take(2)
        else:
            reader = TextReader(path, stream.read())
        yield reader
        reader.end()


class BinaryReader:
    """Read Kaldi's binary format.

    Args:
        path: the file's name, for messages.
        stream: stream of the object.
    """

    def __init__(self, path: PathName, stream: io.BufferedReader) -> None:
        self.path = path
        self.stream = stream
        self.position = 0

    def fail(self, problem: str) -> NoReturn:
        """Raise for the current position of the file."""
        raise DataError(self.path, f"byte {self.position}: {problem}", hint=CURE)

    def end(self) -> None:
        """Check that nothing follows."""
        if rest := self.stream.read(20):
            self.fail(f"expected the end of the file, got {rest!r}")

    def take(self, size: int, onto: bytearray | None = None) -> bytearray:
        """Read exactly ``size`` bytes; append them to ``onto`` if it is given."""
        data = bytearray() if onto is None else onto
        while size > 0:
            piece = self.stream.read(min(size, PIECE))
            if not piece:
                self.fail(f"expected {size} more bytes, got the end of the file")
            data += piece
            self.position += len(piece)
            size -= len(piece)
        return data

    def peek(self) -> str:
        """Look at the first token of the object."""
        ahead = self.stream.peek(LONGEST_TOKEN)
        if b" " not in ahead:  # the buffer may end within the token
            ahead = look_ahead(self.stream, LONGEST_TOKEN)
        return ahead.partition(b" ")[0].decode("utf-8", "backslashreplace")

    def token(self, expected: str) -> str:
        """Read a token up to its blank; ``expected`` is for the message."""
        data = bytearray()
        while not data.endswith(b" "):
            byte = self.stream.read(1)
            data += byte
            if not byte or len(data) > LONGEST_TOKEN:
                self.fail(f"expected {expected}, got {bytes(data[:20])!r}")
        self.position += len(data)
        return data[:-1].decode("utf-8", "backslashreplace")

    def expect(self, token: str) -> None:
        """Read the given token."""
        start = self.position
        got = self.token(repr(token))
        if got != token:
            self.position = start
            self.fail(f"expected {token!r}, got {got!r}")

    def count(self) -> int:
        """Read an integer that cannot be negative."""
        data = self.take(5)
        size, value = struct.unpack("<bi", data)
        if size != 4 or value < 0:
            self.position -= 5
            self.fail(f"expected a count, an integer of 4 bytes, got {bytes(data)!r}")
        return int(value)

    def real(self) -> float:
        """Read a number of either precision."""
        (size,) = self.take(1)
        if size not in (4, 8):
            self.fail(f"expected a number of 4 or 8 bytes, got one of {size}")
        return float(struct.unpack("<f" if size == 4 else "<d", self.take(size))[0])

    def is_matrix(self) -> bool:
        """Tell whether the array to come is a matrix, not a vector."""
        return self.peek() in ("FM", "DM")

    def vector(self) -> np.ndarray:
        """Read a vector: (D,) in the file's precision."""
        return self._arrays("V", 1)[0]

    def matrix(self) -> np.ndarray:
        """Read a matrix: (T, D) in the file's precision."""
        return self._arrays("M", 1)[0]

    def matrices(self, count: int) -> np.ndarray:
        """Read matrices of one shape: (count, T, D)."""
        return self._arrays("M", count)

    def packed(self, count: int) -> np.ndarray:
        """Read lower triangles, row after row: (count, D (D + 1) / 2)."""
        return self._arrays("P", count)

    def _arrays(self, kind: str, count: int) -> np.ndarray:
        """Read arrays of one kind, shape and precision into one."""
        data = bytearray()
        found: list[tuple[np.dtype, tuple[int, ...]]] = []
        for _ in range(count):
            dtype, shape = self._header(kind)
            if found and found[0] != (dtype, shape):
                self.fail(
                    f"expected a {KINDS[kind]} like the first, {found[0][1]} of "
                    f"{found[0][0]}, got {shape} of {dtype}"
                )
            found = [(dtype, shape)]
            self.take(math.prod(shape) * dtype.itemsize, onto=data)
        if not found:
            self.fail(f"expected at least one {KINDS[kind]}, got none")
        dtype, shape = found[0]
        return np.frombuffer(data, dtype).reshape(count, *shape)

    def _header(self, kind: str) -> tuple[np.dtype, tuple[int, ...]]:
        """Read what stands before an array's numbers: dtype and stored shape."""
        start = self.position
        code = self.token(f"a {KINDS[kind]}")
        if code not in (f"F{kind}", f"D{kind}"):
            self.position = start
            self.fail(
                f"expected a {KINDS[kind]}, F{kind} or D{kind}, got {code[:20]!r}"
            )
        size = self.count()
        if kind == "M":
            return PRECISIONS[code[0]], (size, self.count())
        if kind == "P":
            return PRECISIONS[code[0]], (size * (size + 1) // 2,)
        return PRECISIONS[code[0]], (size,)


class TextReader:
    """Read Kaldi's text format (``--binary=false``); numbers become float64.

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
        """Read lower triangles, row after row: (count, D (D + 1) / 2) float64."""
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


def write_token(stream: IO[bytes], token: str) -> None:
    """Write a token and its blank."""
    stream.write(f"{token} ".encode())


def write_count(stream: IO[bytes], value: int) -> None:
    """Write a 32-bit integer."""
    stream.write(struct.pack("<bi", 4, value))


def write_real(stream: IO[bytes], value: float) -> None:
    """Write a number in double precision."""
    stream.write(struct.pack("<bd", 8, value))


def write_array(stream: IO[bytes], array: np.ndarray, kind: str = "") -> None:
    """Write a vector or matrix in its own precision, single or double.

    Args:
        stream: where to.
        array: (D,) or (T, D) float32 or float64.
        kind: "P" if the (D (D + 1) / 2,) numbers are a packed symmetric matrix.
    """
    precision = "F" if array.dtype == np.float32 else "D"
    write_token(stream, precision + (kind or "?VM"[array.ndim]))
    shape = array.shape if kind != "P" else (math.isqrt(2 * len(array)),)
    for size in shape:
        write_count(stream, size)
    stream.write(np.ascontiguousarray(array, PRECISIONS[precision]).data)


def write_text_array(stream: IO[bytes], array: np.ndarray) -> None:
    """Write a vector or matrix with seven digits, as Kaldi's ``--binary=false``."""
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
