import os

import pytest

from asdkit.data.staging import stage
from asdkit.io.leftovers import HOST


def test_files_move_together_and_replaced_ones_go(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("old")
    with stage(tmp_path, replaces=["a", "b", "z"]) as staged:
        (staged / "a").write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "a": "new",
        "c": "old",
    }


def test_on_an_error_nothing_has_moved(tmp_path):
    def fail(directory):
        with stage(directory, replaces=["a"]) as staged:
            (staged / "a").write_text("new")
            raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    for directory in (tmp_path, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            fail(directory)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_what_a_killed_process_left_is_not_mixed_in(tmp_path):
    left = tmp_path / f".{HOST}.{os.getpid()}.tmp"
    left.mkdir()
    (left / "half").write_text("written")
    with stage(tmp_path) as staged:
        (staged / "a").write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
