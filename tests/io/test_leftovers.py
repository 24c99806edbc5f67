"""Temporary files of killed programs go; those of living ones stay."""

import fcntl
import os
import signal
import subprocess

import pytest

from asdkit.data.staging import stage
from asdkit.io.files import write_atomic
from asdkit.io.leftovers import HOST, remove_dead


def names(directory):
    return {path.name for path in directory.iterdir()}


def dead_pid():
    """Return the number of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


@pytest.fixture(autouse=True)
def forget():
    """Every test looks into its directory for the first time."""
    remove_dead.cache_clear()


def die_in_child(function):
    """Run a function that kills its process in a process of its own."""
    child = os.fork()
    if not child:
        function()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_the_next_write_removes_what_killed_programs_left(tmp_path, caplog):
    caplog.set_level("INFO")

    def die_while_writing():
        with write_atomic(tmp_path / "model.npz", "wb") as stream:
            stream.write(b"half")
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    def die_while_staging():
        with stage(tmp_path) as staged:
            (staged / "wav.scp").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    for die in (die_while_writing, die_while_staging):
        die_in_child(die)
        assert len(names(tmp_path)) == 1
        with write_atomic(tmp_path / "table"):
            pass
        assert names(tmp_path) == {"table"}
        (tmp_path / "table").unlink()
        assert "removed 1 temporary files of killed programs" in caplog.text
        caplog.clear()
        remove_dead.cache_clear()


def test_only_the_surely_dead_are_removed(tmp_path):
    other = "0" * 8 if HOST != "0" * 8 else "1" * 8
    stay = {
        f".a.{HOST}.{os.getpid()}.tmp",  # alive
        f".a.{HOST}.1.tmp",  # alive, of another user
        f".a.{other}.{dead_pid()}.tmp",  # on another host
        f".a.{dead_pid()}.tmp",  # of an older version, nobody knows where
        f"a.{HOST}.{dead_pid()}.tmp",
        "a.tmp",
    }
    go = {f".{name}.{HOST}.{dead_pid()}.tmp" for name in ("a", "a b.c\n", "x.tmp")}
    for name in stay | go:
        (tmp_path / name).touch()
    remove_dead(tmp_path)
    assert names(tmp_path) == stay


def test_a_lock_tells_a_writer_in_another_container(tmp_path):
    """It has the same host name here, and a process number that nobody has."""
    path = tmp_path / f".a.{HOST}.{dead_pid()}.tmp"
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        remove_dead(tmp_path)
        assert path.exists()
    remove_dead.cache_clear()
    remove_dead(tmp_path)
    assert not path.exists()


def test_a_file_is_held_while_it_is_written(tmp_path):
    with write_atomic(tmp_path / "a") as stream:
        with open(next(tmp_path.iterdir())) as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        stream.write("x")


def test_a_directory_is_searched_once(tmp_path, monkeypatch):
    """200,000 files in one directory must not be listed 200,000 times."""
    searched = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: searched.append(path) or real(path))
    for n in range(10):
        with write_atomic(tmp_path / str(n)):
            pass
    assert searched == [tmp_path]
