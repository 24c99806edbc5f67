r"""Kaldi's binary format: tokens, numbers, vectors and matrices.

A binary object starts with ``\0B``.  Then come tokens that end in a blank, e.g.
``<WEIGHTS>``, or ``FM`` before an array: F or D for the precision, then M, V or P
for a matrix, a vector or a packed symmetric matrix.  A number has its size in one
byte before it.  Everything is little-endian.

What a file says is believed only as far as the file reaches: a corrupt dimension
ends in a `DataError`, never in a vast allocation.

Source: Kaldi, src/base/io-funcs.cc, src/matrix/{kaldi-matrix,kaldi-vector,
packed-matrix}.cc.
"""

from __future__ import annotations

import io
import math
import struct
from typing import IO, NoReturn

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.byte_streams import CURE, look_ahead
from asdkit.io.tables import PathName

BINARY = b"\0B"
PRECISIONS: dict[str, np.dtype] = {"F": np.dtype("<f4"), "D": np.dtype("<f8")}
KINDS = {"V": "vector", "M": "matrix", "P": "packed symmetric matrix"}
PIECE = 1 << 20  # bytes
LONGEST_TOKEN = 1024  # bytes


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
        """Read lower triangles, row after row: (count, P), P = D (D + 1) / 2."""
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
