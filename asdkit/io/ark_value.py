"""One value of a Kaldi archive: matrix or vector, compressed or not, binary or text.

What kaldiio would unpickle, execute or decode as audio is refused, and a vector
that is cut short is an error, where kaldiio returns what there is of it.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from kaldiio.matio import read_matrix_or_vector

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_integer
from asdkit.io.byte_streams import look_ahead
from asdkit.io.kaldi_binary import BINARY, BinaryReader
from asdkit.io.kaldi_text import TextReader
from asdkit.io.tables import PathName

# Kaldi's compressed matrices: bytes per column header and per element.
COMPRESSED = {"CM": (8, 1), "CM2": (0, 2), "CM3": (0, 1)}
INT32 = np.dtype([("size", "i1"), ("value", "<i4")])


def read_value(path: PathName, stream: io.BufferedReader) -> np.ndarray:
    """Read the value that starts here.

    Args:
        path: the archive, for messages.
        stream: the archive, just behind a key and its blank.

    Returns:
        (T, D) or (T,) array: float32 if it is compressed or text in brackets, int32
        if it is a vector of integers, else in the precision of the file.

    Raises:
        DataError: there is no matrix or vector here, or it is cut short.
    """
    if look_ahead(stream, len(BINARY)) != BINARY:
        return _read_text(path, stream)
    reader = _reader(path, stream)
    if look_ahead(stream, 1) == b"\4":
        cells = np.frombuffer(reader.take(reader.count() * INT32.itemsize), INT32)
        if np.any(cells["size"] != 4):
            reader.fail("expected integers of 4 bytes")
        return cells["value"].astype(np.int32)
    code = reader.peek()
    if code in COMPRESSED:
        header, rows, cols = _compressed_header(reader, code)
        per_column, per_element = COMPRESSED[code]
        data = reader.take(cols * (per_column + rows * per_element), onto=header)
        return read_matrix_or_vector(io.BytesIO(BINARY + data))
    if code in ("FM", "DM"):
        return reader.matrix()
    if code not in ("FV", "DV"):
        reader.fail(f"expected a matrix or vector, got {code[:20]!r}")
    return reader.vector()


def read_shape(path: PathName, stream: io.BufferedReader) -> tuple[int, ...]:
    """Read only the shape of the value that starts here; arguments as above."""
    if look_ahead(stream, len(BINARY)) == BINARY:
        reader = _reader(path, stream)
        code = reader.peek()
        if code in COMPRESSED:
            return _compressed_header(reader, code)[1:]
        if code in ("FM", "DM"):
            reader.take(3)
            return (reader.count(), reader.count())
        if code in ("FV", "DV"):
            reader.take(3)
            return (reader.count(),)
        stream.seek(-2, io.SEEK_CUR)
    return read_value(path, stream).shape


def _reader(path: PathName, stream: io.BufferedReader) -> BinaryReader:
    """Start reading a binary value, which knows where in the file it is."""
    reader = BinaryReader(path, stream)
    reader.position = stream.tell()
    reader.take(len(BINARY))
    return reader


def _compressed_header(reader: BinaryReader, code: str) -> tuple[bytearray, int, int]:
    """Read code, minimum, range, rows and columns; return them and the last two."""
    header = reader.take(len(code) + 1 + 16)
    rows, cols = struct.unpack("<ii", header[-8:])
    if rows < 0 or cols < 0:
        reader.fail(f"expected a shape, got {rows} rows and {cols} columns")
    return header, rows, cols


def _read_text(path: PathName, stream: io.BufferedReader) -> np.ndarray:
    """Read ``[ 1 2 ]``, rows between brackets, or a line of integers."""
    line = stream.readline()
    if not line:
        raise DataError(path, "expected a matrix or vector, got the end of the file")
    if not line.lstrip().startswith(b"["):
        try:
            words = line.decode().split()
            return np.array([parse_integer(word) for word in words], np.int32)
        except (ValueError, OverflowError):
            raise DataError(
                path,
                f"expected a matrix or vector, got {line[:20]!r}",
                hint="only Kaldi's own matrices and vectors are read from archives",
            ) from None
    lines = [line]
    while line and b"]" not in line:
        line = stream.readline()
        lines.append(line)
    reader = TextReader(path, b"".join(lines))
    is_matrix = not lines[0].rpartition(b"[")[2].strip()
    return (reader.matrix() if is_matrix else reader.vector()).astype(np.float32)
