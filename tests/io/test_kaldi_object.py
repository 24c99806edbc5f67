"""Files that hold one object, binary or text."""

import struct

import pytest

from asdkit.base.errors import DataError
from asdkit.io.kaldi_object import open_object


def read_dim(path):
    with open_object(path) as reader:
        reader.expect("<Dim>")
        return reader.count()


def test_a_file_holds_one_object(tmp_path):
    path = tmp_path / "object"
    for data in (b"\0B" + b"<Dim> \x04" + struct.pack("<i", 7), b"<Dim> 7\n"):
        path.write_bytes(data)
        assert read_dim(path) == 7
        path.write_bytes(data + b"<More> ")
        with pytest.raises(DataError, match="expected the end of the file"):
            read_dim(path)
    with pytest.raises(DataError, match="no such file"):
        read_dim(tmp_path / "no")
