import functools
import io
import json
import socket
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from asdkit import __main__ as command
from asdkit.corpora.downloads import CORPORA, Corpus
from asdkit.io.downloads import RemoteFile


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def address(tmp_path):
    """Serve a folder with an archive on this machine; yield where."""
    folder = tmp_path / "server"
    folder.mkdir()
    with tarfile.open(folder / "musan.tar.gz", "w:gz") as archive:
        for name in ("musan/noise/x.wav", "musan/README"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    handler = functools.partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_corpus_comes_from_a_server_once(tmp_path, monkeypatch, address, capsys):
    files = (RemoteFile(f"{address}/musan.tar.gz", "musan.tar.gz"),)
    corpus = Corpus("MUSAN", "CC BY 4.0", "https://x", "nobody", files, "musan")
    monkeypatch.setitem(CORPORA, "musan", corpus)
    there = tmp_path / "corpora" / "musan"
    assert command.main(["corpus-download", "musan", str(there)]) == 0
    assert (there / "noise" / "x.wav").read_text() == "musan/noise/x.wav"
    assert {x.name for x in there.iterdir()} >= {"noise", "README", "downloads.json"}
    assert not (there / "musan.tar.gz").exists()
    record = json.loads((there / "downloads.json").read_text())["musan.tar.gz"]
    assert (record["verified"], record["unpacked"]) == (False, True)
    (tmp_path / "server" / "musan.tar.gz").unlink()
    assert command.main(["corpus-download", "musan", str(there)]) == 0  # is there
    (there / "downloads.json").unlink()
    capsys.readouterr()
    assert command.main(["corpus-download", "musan", str(there)]) == 1
    assert "the server says 404" in capsys.readouterr().err


def test_the_help_names_all_corpora(capsys):
    with pytest.raises(SystemExit):
        command.main(["corpus-download", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(name in text for name in CORPORA)


def test_no_network_is_one_line(tmp_path, monkeypatch, capsys):
    def refuse(*words, **options):
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("asdkit.io.downloads.WAIT", 0)
    argv = ["corpus-download", "musan", str(tmp_path / "musan")]
    assert command.main(argv) == 1
    assert "cannot fetch it, 5 attempts failed" in capsys.readouterr().err


def test_what_is_not_free_is_one_line(tmp_path, capsys):
    assert command.main(["corpus-download", "voxceleb1", str(tmp_path / "x")]) == 1
    assert "want to be asked" in capsys.readouterr().err
