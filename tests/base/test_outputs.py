"""Outputs are checked before the work begins, and one run at a time writes there."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from asdkit.base.errors import DataError
from asdkit.base.outputs import Output, OutputDir, OutputFile, hold

DISK = {"f_blocks": 100, "f_bfree": 50, "f_bavail": 50, "f_files": 9, "f_ffree": 9}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(output):
    """Return why an output cannot be used; nothing changes."""
    before = sorted(os.walk("."))
    with pytest.raises(DataError) as refusal, hold(output):
        pass
    assert sorted(os.walk(".")) == before
    assert str(refusal.value).startswith(f"{output}: ")
    return refusal.value.problem


def is_held_elsewhere(output):
    """Tell whether another process finds an output held."""
    code = (
        "import sys; from asdkit.base import outputs; kind, path = sys.argv[1:]\n"
        "with outputs.hold(getattr(outputs, kind)(path)): pass"
    )
    command = [sys.executable, "-c", code, type(output).__name__, output]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or "another run is writing there" in done.stderr
    return done.returncode != 0


def test_an_output_is_held_however_it_is_spelled(here):
    (here / "exp").mkdir()
    (here / "link").symlink_to("exp")
    with hold(OutputDir("exp/net"), OutputFile("exp/scores")):
        for path in ("exp/net/", "./exp/../exp//net", "link/net", f"{here}/exp/net"):
            assert is_held_elsewhere(OutputDir(path))
        assert is_held_elsewhere(OutputFile("link/scores"))


def test_what_is_below_or_beside_an_output_is_free():
    with hold(OutputDir("exp/net"), OutputFile("exp/scores_a")):
        assert not is_held_elsewhere(OutputDir("exp/net/test"))
        assert not is_held_elsewhere(OutputDir("exp"))
        assert not is_held_elsewhere(OutputFile("exp/net/scores"))
        assert not is_held_elsewhere(OutputFile("exp/scores_b"))


def test_an_output_named_twice_is_held_once():
    with hold(OutputDir("data"), OutputDir("data/"), Output("model"), Output("model")):
        assert is_held_elsewhere(OutputDir("data"))
    assert not os.listdir()


def test_what_a_program_holds_the_library_may_hold_within():
    """The kernel frees all of a process's locks on a file when it closes one."""
    with hold(OutputDir("exp"), OutputFile("scores")):
        with hold(OutputDir("./exp/"), OutputDir("other")):
            assert is_held_elsewhere(OutputDir("other"))
        assert is_held_elsewhere(OutputDir("exp"))
        assert not os.path.exists("other")
    with hold(OutputDir("exp")):
        assert is_held_elsewhere(OutputDir("exp"))
    assert not os.listdir()


@pytest.mark.parametrize("kind", [Output, OutputDir, OutputFile])
@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_a_run_that_wrote_nothing(kind, error):
    try:
        with hold(kind("a/b/c"), kind("a/d")):
            assert os.listdir()
            if error:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert not os.listdir()


def test_nothing_but_the_output_is_left_of_a_run_that_wrote(here):
    with hold(OutputDir("exp/net"), OutputFile("exp/scores")):
        (here / "exp/net/network.pt").touch()
        (here / "exp/scores").touch()
    assert sorted(os.listdir("exp")) == ["net", "scores"]
    assert os.listdir("exp/net") == ["network.pt"]


def test_if_one_output_cannot_be_used_none_is_held(here):
    (here / "file").touch()
    with pytest.raises(DataError), hold(OutputDir("exp"), OutputDir("file")):
        pass
    assert os.listdir() == ["file"]


@pytest.mark.parametrize("kind", [OutputDir, OutputFile])
def test_what_is_below_a_file_is_refused(here, kind):
    (here / "file").touch()
    for path in ("file/a", "file/a/b/c"):
        expected = f"expected a directory to write into, but {here}/file is a file"
        assert refused(kind(path)) == expected


def test_a_file_for_a_directory_and_a_directory_for_a_file_are_refused(here):
    (here / "file").touch()
    assert refused(OutputDir("file")).endswith(f"but {here}/file is a file")
    (here / "dir").mkdir()
    expected = "expected a file to write, but it is a directory"
    assert refused(OutputFile("dir")) == expected
    with hold(Output("dir"), Output("file")):
        pass


@pytest.mark.parametrize(
    ("disk", "what"),
    [({"f_bfree": 0, "f_bavail": 0}, "bytes"), ({"f_ffree": 0}, "fil")],
)
def test_a_full_disk_is_refused(here, monkeypatch, disk, what):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**DISK | disk))
    assert refused(OutputDir("a/b")).startswith(f"the disk of {here} is full: 0 {what}")


@pytest.mark.parametrize("disk", [{}, dict.fromkeys(DISK, 0)])
def test_a_disk_with_room_or_of_unknown_size_is_not(monkeypatch, disk):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**DISK | disk))
    with hold(OutputDir("a/b")):
        pass


def test_a_directory_without_permission_is_refused(here, request):
    if os.geteuid() == 0:  # who may do all
        os.chown(here, 65534, -1)
        for parent in here.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
        os.seteuid(65534)
        request.addfinalizer(lambda: os.seteuid(0))
    (here / "locked").mkdir(mode=0o555)
    problem = "cannot write there: Permission denied"
    for output in (
        OutputDir("locked"),
        OutputDir("locked/a/b"),
        OutputFile("locked/a"),
    ):
        assert refused(output) == problem


@pytest.mark.parametrize(
    ("spoil", "problem", "there"),
    [
        ("mount -o remount,ro disk", "cannot write there: Read-only file system", ""),
        ("cat /dev/zero > disk/x", "full: 0 bytes are free", "x"),
    ],
)
def test_a_real_disk_that_takes_nothing_is_refused(spoil, problem, there):
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = "mkdir -p disk && mount -t tmpfs -o size=64k none disk"
    if not shutil.which("unshare") or subprocess.run([*unshare, mount]).returncode:
        pytest.skip("nothing can be mounted here")
    code = (
        "from asdkit.base.outputs import *\nwith hold(OutputDir('disk/a/b')): print(1)"
    )
    script = f'{mount}; {spoil}; "$0" -c "$1"; echo "left: $(ls -A disk)"'
    command = [*unshare, script, sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert problem in done.stderr
    assert done.stdout == f"left: {there}\n"
