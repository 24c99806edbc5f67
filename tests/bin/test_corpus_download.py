import socket

import pytest

from asdkit import __main__ as command
from asdkit.corpora.downloads import CORPORA


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
