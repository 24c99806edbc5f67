"""Kaldi's binary format, byte for byte."""

import io
import struct

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.kaldi_binary import (
    BinaryReader,
    write_array,
    write_count,
    write_real,
    write_token,
)

# <Dim> 7, 0.5 as a float and 0.25 as a double, each with its size before it.
SCALARS = b"<Dim> \x04" + struct.pack("<i", 7)
SCALARS += b"\x04" + struct.pack("<f", 0.5) + b"\x08" + struct.pack("<d", 0.25)


def binary(data):
    return BinaryReader("file", io.BufferedReader(io.BytesIO(data)))


def test_tokens_and_numbers_are_read_in_order():
    reader = binary(SCALARS)
    assert reader.peek() == "<Dim>"
    reader.expect("<Dim>")
    assert reader.count() == 7
    assert (reader.real(), reader.real()) == (0.5, 0.25)
    reader.end()


@pytest.mark.parametrize("size", range(1, 12))
def test_tokens_are_read_whatever_the_buffer(size):
    reader = BinaryReader("file", io.BufferedReader(io.BytesIO(SCALARS), size))
    assert reader.peek() == "<Dim>"
    reader.expect("<Dim>")
    assert (reader.count(), reader.real(), reader.real()) == (7, 0.5, 0.25)


def test_what_is_written_is_what_kaldi_writes():
    stream = io.BytesIO()
    write_token(stream, "<Dim>")
    write_count(stream, 7)
    write_real(stream, 0.25)
    expected = SCALARS[:11] + b"\x08" + struct.pack("<d", 0.25)
    assert stream.getvalue() == expected


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0,), (1, 1)])
def test_arrays_are_those_of_kaldiio(rng, tmp_path, dtype, shape):
    array = rng.normal(size=shape).astype(dtype)
    stream = io.BytesIO()
    write_array(stream, array)
    reader = binary(stream.getvalue())
    assert reader.is_matrix() == (len(shape) == 2)
    found = reader.matrix() if len(shape) == 2 else reader.vector()
    reader.end()
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    (tmp_path / "file").write_bytes(b"\0B" + stream.getvalue())
    np.testing.assert_array_equal(kaldiio.load_mat(str(tmp_path / "file")), array)


def test_a_packed_matrix_has_its_side_before_it(rng):
    """(D (D + 1) / 2,) numbers, row after row, under the size D."""
    triangle = rng.normal(size=6).astype("f4")
    stream = io.BytesIO()
    write_array(stream, triangle, "P")
    assert stream.getvalue()[:3] == b"FP "
    assert struct.unpack("<bi", stream.getvalue()[3:8]) == (4, 3)
    np.testing.assert_array_equal(binary(stream.getvalue()).packed(1), triangle[None])


def test_matrices_of_one_shape_are_one_array(rng):
    arrays = rng.normal(size=(3, 2, 4))
    stream = io.BytesIO()
    for array in arrays:
        write_array(stream, array)
    np.testing.assert_array_equal(binary(stream.getvalue()).matrices(3), arrays)


def arrays_of(*shapes):
    stream = io.BytesIO()
    for shape in shapes:
        write_array(stream, np.zeros(shape))
    return stream.getvalue()


HUGE = b"FV \x04" + struct.pack("<i", 2**31 - 1) + b"1234"


@pytest.mark.parametrize(
    ("reader", "read", "message"),
    [
        (
            binary(b"<A> "),
            lambda x: x.expect("<B>"),
            "byte 0: expected '<B>', got '<A>'",
        ),
        (binary(b"<A>"), lambda x: x.token("a word"), "expected a word, got b'<A>'"),
        (binary(b"\4\xff\xff\xff\xff"), lambda x: x.count(), "expected a count"),
        (binary(b"\x08" + bytes(8)), lambda x: x.count(), "an integer of 4 bytes"),
        (binary(b"\x02ab"), lambda x: x.real(), "4 or 8 bytes, got one of 2"),
        (binary(b"FM "), lambda x: x.vector(), "expected a vector, FV or DV, got 'FM'"),
        (binary(HUGE), lambda x: x.vector(), "more bytes, got the end of the file"),
        (binary(b""), lambda x: x.matrices(0), "at least one matrix, got none"),
        (
            binary(arrays_of((2, 3), (3, 2))),
            lambda x: x.matrices(2),
            r"a matrix like the first, \(2, 3\) of float64, got \(3, 2\)",
        ),
        (binary(b"x"), lambda x: x.end(), "expected the end of the file, got b'x'"),
    ],
)
def test_place_expected_and_got_are_said(reader, read, message):
    with pytest.raises(DataError, match=message) as caught:
        read(reader)
    assert "damaged, cut short" in caught.value.hint
