"""Fields of components, binary and text, and whole files of them."""

import gzip
import io
import struct

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.kaldi.nnet3.streams import BinaryFields, TextFields, is_nnet3, open_fields


def binary(data):
    return BinaryFields("file", io.BufferedReader(io.BytesIO(data)))


def text(words):
    return TextFields("file", words.encode())


def int32(*values):
    return b"".join(struct.pack("<bi", 4, value) for value in values)


BINARY = b"a line\n<Offsets> \4" + struct.pack("<i3i", 3, -1, 0, 2) + int32(-7) + b"TF"
TEXT = "a line\n<Offsets> [ -1 0 2 ]\n-7 T F "


@pytest.mark.parametrize("reader", [binary(BINARY), text(TEXT)], ids=["binary", "text"])
def test_both_forms_hold_the_same(reader):
    assert reader.line() == "a line"
    reader.expect("<Offsets>")
    assert reader.integers() == [-1, 0, 2]
    assert reader.integer() == -7
    assert [reader.boolean(), reader.boolean()] == [True, False]
    reader.end()


def test_arrays_are_vectors_matrices_or_compressed(rng, tmp_path):
    matrix = rng.normal(size=(3, 4)).astype("f4")
    for method in (None, 1, 2, 3):
        path = tmp_path / f"{method}.ark"
        kaldiio.save_ark(str(path), {"k": matrix}, compression_method=method)
        data = path.read_bytes().removeprefix(b"k \0B")
        reader = binary(data)
        expected = kaldiio.load_mat(f"{path}:2")
        np.testing.assert_allclose(reader.array(), expected, atol=1e-6)
        reader.end()
    np.testing.assert_array_equal(text("[ 1 2 ]").array(), [1, 2])
    np.testing.assert_array_equal(text("[\n 1 2\n 3 4 ]").array(), [[1, 2], [3, 4]])
    assert text(" [ ]\n").array().shape == (0,)


@pytest.mark.parametrize(
    ("reader", "read", "message"),
    [
        (binary(b"no end"), lambda x: x.line(), "expected the end of a line"),
        (binary(b"\x02" + bytes(9)), lambda x: x.integer(), "an integer of 4 bytes"),
        (binary(b"Y"), lambda x: x.boolean(), "expected T or F, got b'Y'"),
        (binary(b"\x02"), lambda x: x.integers(), "expected integers of 4 bytes"),
        (binary(b"\4\xff\xff\xff\xff"), lambda x: x.integers(), "a number of integers"),
        (binary(b"CM2 " + bytes(8) + b"\xff" * 8), lambda x: x.array(), "a shape, got"),
        (text("x"), lambda x: x.line(), "expected the end of a line"),
        (
            text("\n1.5"),
            lambda x: x.integer(),
            "file:1: expected an integer, got '1.5'",
        ),
        (text("t"), lambda x: x.boolean(), "expected T or F, got 't'"),
        (text("[ 1.5 ]"), lambda x: x.integers(), "expected integers"),
        (text("[\n1 2\n3 ]"), lambda x: x.array(), "expected rows of one length"),
        (text("[ 1"), lambda x: x.array(), r"expected a '\]' before the end"),
        (text("1"), lambda x: x.array(), r"expected '\[', got '1'"),
        (text(""), lambda x: x.expect("<A>"), "got 'the end of the file'"),
        (text(" x"), lambda x: x.end(), "expected the end of the file, got b'x'"),
    ],
)
def test_what_was_expected_is_said(reader, read, message):
    with pytest.raises(DataError, match=message):
        read(reader)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_network_is_recognized_by_its_beginning(tmp_path, pack):
    path = tmp_path / "final.raw"
    for data in (b"\0B<Nnet3> \n", b"<Nnet3> \n", b"\0B<TransitionModel> "):
        path.write_bytes(pack(data))
        assert is_nnet3(path)
        with open_fields(path) as reader:
            reader.token("a token")
            reader.line() if b"\n" in data else None
    for data in (b"<Plda> ", b"", b"hello <Nnet3>"):
        path.write_bytes(pack(data))
        assert not is_nnet3(path)
    assert not is_nnet3(tmp_path / "none")
