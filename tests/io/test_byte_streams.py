"""Files of bytes, through gzip or not."""

import gzip
import io
import os

import pytest

from asdkit.base.errors import DataError
from asdkit.io.byte_streams import look_ahead, open_bytes


@pytest.mark.parametrize("buffer", range(1, 9))
def test_bytes_ahead_are_seen_across_the_buffer_s_end(buffer):
    stream = io.BufferedReader(io.BytesIO(b"abcdefgh"), buffer)
    for start in range(9):
        stream.seek(start)
        assert look_ahead(stream, 3) == b"abcdefgh"[start : start + 3]
        assert stream.read(2) == b"abcdefgh"[start : start + 2]


def test_gzip_is_seen_by_content(tmp_path):
    for name, data in (("a.gz", b"plain"), ("b", gzip.compress(b"packed"))):
        (tmp_path / name).write_bytes(data)
    with open_bytes(tmp_path / "a.gz") as stream:
        assert stream.read() == b"plain"
    with open_bytes(tmp_path / "b") as stream:
        assert stream.read() == b"packed"
    (tmp_path / "b").write_bytes(gzip.compress(b"packed")[:-6])
    with (
        pytest.raises(DataError, match="cannot decompress it"),
        open_bytes(tmp_path / "b") as stream,
    ):
        stream.read()


@pytest.fixture
def piped():
    """Return the path of a pipe that holds some bytes and has ended."""
    ends = []

    def make(data):
        end, start = os.pipe()
        ends.append(end)
        os.write(start, data)
        os.close(start)
        return f"/dev/fd/{end}"

    yield make
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("data", [b"", b"ab"])
def test_a_pipe_is_read_like_a_file(piped, data):
    with open_bytes(piped(data)) as stream:
        assert stream.read() == data


def test_a_reason_is_said_where_the_system_gives_none(piped):
    """Looking at two bytes of one means to go back, which a pipe cannot."""
    with (
        pytest.raises(DataError, match=r"cannot read it: .*not seekable"),
        open_bytes(piped(b"a")),
    ):
        pass
