"""A lock lives as long as its holder and leaves nothing behind."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from asdkit.base.locks import Lock, LockedError

# Hold a lock as rank 0 or another one; say so; wait to be told to let go.
HOLD = """
import sys
from pathlib import Path
from asdkit.base.locks import Lock

path, rank, *command = sys.argv[1:]
sys.argv[1:] = command
lock = Lock(Path(path))
lock.join(int(rank)) if int(rank) else lock.take()
print("held", flush=True)
sys.stdin.read()
lock.release()
"""
# Take a lock again and again; nobody else may be there at the same time.
COMPETE = """
import os, sys
from pathlib import Path
from asdkit.base.locks import Lock, LockedError

path, guard, num = Path(sys.argv[1]), sys.argv[2], 0
while num < 100:
    lock = Lock(path)
    try:
        lock.take()
    except LockedError:
        continue
    os.close(os.open(guard, os.O_CREAT | os.O_EXCL))
    os.unlink(guard)
    lock.release()
    num += 1
"""


@pytest.fixture
def hold():
    """Start a process that holds a lock."""
    holders = []

    def start(path, rank=0, command="nnet-train data exp/net"):
        words = [sys.executable, "-c", HOLD, str(path), str(rank), *command.split()]
        pipe = subprocess.PIPE
        holder = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True)
        holders.append(holder)
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


@pytest.fixture
def without_locks(monkeypatch):
    """A file system without locks, as Lustre without -o flock."""

    def refuse(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "lockf", refuse)


def take(path):
    lock = Lock(path)
    lock.take()
    return lock


def kill(holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()


def let_go(holder):
    holder.communicate(timeout=20)
    assert holder.returncode == 0


def test_a_second_run_hears_who_holds_it(tmp_path, hold):
    path = tmp_path / ".lock"
    holder = hold(path)
    with pytest.raises(LockedError) as refusal:
        Lock(path).take()
    since = time.strftime("%Y-%m-%d %H:")
    text = f"process {holder.pid} on {os.uname().nodename}, since {since}"
    assert text in str(refusal.value)
    assert str(refusal.value).endswith(": asdkit nnet-train data exp/net")
    assert refusal.value.hint == f"wait for it, or end it: kill {holder.pid}"
    let_go(holder)
    assert not path.exists()
    take(path).release()


def test_a_refused_run_leaves_the_lock_alone(tmp_path, hold):
    path = tmp_path / "new" / ".lock"
    hold(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(LockedError):
            Lock(path).take()
    assert path.read_bytes() == before


def test_a_killed_run_holds_nothing_and_the_next_one_tidies_up(tmp_path, hold):
    path = tmp_path / "made" / "for it" / ".lock"
    kill(hold(path))
    assert path.exists()
    lock = take(path)
    assert json.loads(path.read_text())["pid"] == os.getpid()
    lock.release()
    assert not list(tmp_path.iterdir())


def test_worker_processes_of_a_killed_run_do_not_hold_it(tmp_path):
    path = tmp_path / ".lock"
    read, write = os.pipe()
    run = os.fork()
    if not run:
        Lock(path).take()
        worker = os.fork()
        if not worker:
            time.sleep(60)
            os._exit(0)
        os.write(write, str(worker).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(run, 0)
    worker = int(os.read(read, 100))
    try:
        take(path).release()
        os.kill(worker, 0)
    finally:
        os.kill(worker, signal.SIGKILL)


def test_the_last_rank_lets_go_whichever_it_is(tmp_path, hold):
    path = tmp_path / "new" / ".lock"
    first, *others = [hold(path, rank) for rank in range(3)]
    let_go(others.pop())
    kill(first)
    with pytest.raises(LockedError):
        Lock(path).take()
    let_go(others.pop())
    assert not list(tmp_path.iterdir())


def test_two_are_never_there_at_once(tmp_path):
    """Files and directories that come and go included."""
    words = [tmp_path / "new" / ".lock", tmp_path / "guard"]
    command = [sys.executable, "-c", COMPETE, *map(str, words)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for run in runs:
        said = run.communicate(timeout=100)[1]
        assert run.returncode == 0, said
    # A run that is refused just when it has made the directory leaves it, empty.
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_lock_removed_by_hand_is_let_go_in_peace(tmp_path, hold):
    path = tmp_path / ".lock"
    lock = take(path)
    path.unlink()
    holder = hold(path)
    lock.release()
    assert json.loads(path.read_text())["pid"] == holder.pid


def test_directories_that_were_there_or_are_in_use_stay(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    take(there / ".lock").release()
    lock = take(tmp_path / "new" / "er" / ".lock")
    (tmp_path / "new" / "file").touch()
    lock.release()
    assert {path.name for path in tmp_path.iterdir()} == {"there", "new"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_a_lock_file_that_says_nothing_is_held_all_the_same(tmp_path, hold):
    path = tmp_path / ".lock"
    holder = hold(path)
    os.truncate(path, 0)
    with pytest.raises(LockedError, match=r"^another run is writing there$"):
        Lock(path).take()
    kill(holder)
    path.write_text("{")
    take(path).release()
    assert not path.exists()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("text")
    (tmp_path / ".lock").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic links"):
        Lock(tmp_path / ".lock").take()
    assert (tmp_path / "precious").read_text() == "text"


def test_without_locks_it_says_so_and_goes_on(tmp_path, without_locks, caplog):
    path = tmp_path / ".lock"
    lock = take(path)
    assert f"{tmp_path}: this file system has no locks" in caplog.text
    lock.release()
    assert not path.exists()


def test_without_locks_a_process_of_this_host_is_seen(tmp_path, hold, without_locks):
    path = tmp_path / ".lock"
    holder = hold(path)
    with pytest.raises(LockedError, match=f"process {holder.pid}"):
        Lock(path).take()
    kill(holder)
    take(path).release()


def test_without_locks_a_process_of_another_host_is_not(tmp_path, without_locks):
    path = tmp_path / ".lock"
    path.write_text(json.dumps({"pid": os.getppid(), "host": "elsewhere"}))
    take(path).release()
