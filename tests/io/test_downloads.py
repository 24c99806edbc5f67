"""Downloads from a server that does to them what servers and networks do."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from asdkit.base.errors import DataError
from asdkit.io import downloads as module
from asdkit.io.downloads import RemoteFile, download

CONTENT = bytes(range(256)) * 4000  # a megabyte
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves one file.

    Attributes:
        content: of the file.
        cuts: after how many bytes to cut the next answers.
        ranges: whether ranges are honored.
        tag: of the version.
        asked: the range that every request asked for.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.cuts, self.ranges, self.tag = CONTENT, [], True, '"1"'
        self.asked = []

    def url(self, name="file.bin"):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET with ranges, as far as the server is told to."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if self.path != "/file.bin":
            self.send_error(404)
            return
        start, data = 0, server.content
        fits = self.headers.get("If-Range", server.tag) == server.tag
        if asked and server.ranges and fits:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data) and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        length = server.cuts.pop(0) if server.cuts else len(data)
        self.wfile.write(data[start : start + length])

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetch(server, tmp_path, name="file.bin", **known):
    wanted = RemoteFile(server.url(name), name, **known)
    return download(wanted, tmp_path / "new", wait=lambda seconds: None)


def test_a_file_is_fetched_once(server, tmp_path):
    path = fetch(server, tmp_path, md5=MD5, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert fetch(server, tmp_path, md5=MD5) == path
    assert server.asked == [None]
    assert sorted(x.name for x in path.parent.iterdir()) == [
        "downloads.json",
        "file.bin",
    ]
    record = json.loads((path.parent / "downloads.json").read_text())
    assert record["file.bin"]["verified"]


@pytest.mark.parametrize("tag", ['"1"', ""])
def test_a_cut_connection_is_resumed(server, tmp_path, tag):
    server.cuts, server.tag = [300_000, 0, 200_000], tag
    path = fetch(server, tmp_path, md5=MD5)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=300000-", "bytes=500000-"]


def test_a_killed_download_is_resumed_by_the_next(server, tmp_path):
    server.cuts = [300_000, 0, 0, 0, 0, 0]
    with pytest.raises(DataError, match="attempts failed") as caught:
        fetch(server, tmp_path)
    assert "from 300,000 bytes" in caught.value.hint
    assert not (tmp_path / "new" / "file.bin").exists()
    server.asked, server.cuts = [], []
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=300000-"]


def test_a_server_that_ignores_ranges_sends_all_again(server, tmp_path):
    """lhotse's resumable_download joins the whole file to the part."""
    server.cuts, server.ranges = [300_000], False
    assert fetch(server, tmp_path, md5=MD5).read_bytes() == CONTENT


def test_another_version_is_not_joined_to_the_part(server, tmp_path):
    server.cuts = [300_000, 0, 0, 0, 0, 0]
    with pytest.raises(DataError):
        fetch(server, tmp_path)
    server.content, server.tag = CONTENT[::-1], '"2"'
    assert fetch(server, tmp_path).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tail", [b"", b"more"])
def test_a_part_that_is_complete_or_too_long_is_no_trap(server, tmp_path, tail):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file.bin.part").write_bytes(CONTENT + tail)
    assert fetch(server, tmp_path, md5=MD5).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"md5": "0" * 32}, "expected MD5 0{32} as published, got"),
        ({"size": 5}, "expected 5 bytes, got 1,024,000"),
    ],
)
def test_a_wrong_checksum_leaves_nothing(server, tmp_path, known, words):
    with pytest.raises(DataError, match=words):
        fetch(server, tmp_path, **known)
    names = {x.name for x in (tmp_path / "new").iterdir()}
    assert not {"file.bin", "file.bin.part"} & names


def test_without_a_checksum_the_first_download_is_recorded(server, tmp_path, caplog):
    path = fetch(server, tmp_path)
    assert "unverified" in caplog.text
    record = json.loads((path.parent / "downloads.json").read_text())["file.bin"]
    assert (record["md5"], record["verified"]) == (MD5, False)
    path.unlink()
    server.content = CONTENT[1:]
    with pytest.raises(DataError, match=r"as recorded in downloads.json"):
        fetch(server, tmp_path)


def test_what_is_not_there_is_one_line(server, tmp_path):
    with pytest.raises(DataError, match="the server says 404") as caught:
        fetch(server, tmp_path, "none.bin")
    assert "\n" not in str(caught.value)
    assert len(server.asked) == 1


def test_a_full_disk_is_told_before(server, tmp_path, monkeypatch):
    usage = module.shutil.disk_usage("/")
    full = type(usage)(usage.total, usage.total, 1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: full)
    with pytest.raises(DataError, match="needs 1,024,000 bytes, the disk has 1,000"):
        fetch(server, tmp_path)


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    wanted = RemoteFile("http://127.0.0.1:9/file.bin", "file.bin")
    with pytest.raises(DataError, match="cannot fetch it, 5 attempts failed"):
        download(wanted, tmp_path, wait=lambda seconds: None)
