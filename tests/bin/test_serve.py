"""The program, with a server that stands in for a real one."""

import re

import pytest

from asdkit.__main__ import main
from asdkit.inference import serving

pytest.importorskip("fastapi", reason="needs asdkit[serve]")


@pytest.fixture
def served(bundle, monkeypatch):
    """Keep what would be served."""
    found = []
    monkeypatch.setattr(serving, "serve", lambda app, _: found.append(app))
    return found


def test_the_address_is_shown_once_with_a_token_of_this_start(served, capsys):
    assert main(["serve", "--model", "m", "--port", "0", "--log-level", "WARNING"]) == 0
    done = capsys.readouterr()
    (token,) = re.findall(r"http://127\.0\.0\.1:\d+/#token=(\S+)", done.err)
    assert served[0].secret == token.encode()
    assert "0 requests answered" in done.out
    assert main(["serve", "--model", "m", "--port", "0"]) == 0
    assert token not in capsys.readouterr().err


def test_a_token_of_ones_own_is_not_shown(served, capsys, tmp_path):
    (tmp_path / "token").write_text("a-token-of-many-letters")
    (tmp_path / "token").chmod(0o600)
    words = ["--token", "token", "--max-mb", "2", "--max-batch", "3"]
    assert main(["serve", "--model", "m", "--port", "0", *words]) == 0
    assert "a-token" not in capsys.readouterr().err
    assert served[0].secret == b"a-token-of-many-letters"
    assert served[0].limits.max_bytes == 2_000_000
    assert main(["serve", "--model", "m", "--token", "none"]) == 1
    assert "none: expected a token" in capsys.readouterr().err
