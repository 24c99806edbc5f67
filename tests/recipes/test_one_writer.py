"""Programs that are started twice, killed, or lose their launcher: files stay right."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asdkit.__main__ import main

pytestmark = pytest.mark.slow

ASDKIT = [sys.executable, "-m", "asdkit"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
RANKS = [*TORCHRUN, "--nproc-per-node", "2", "-m", "asdkit"]
DRAW = "speakers-draw --num-spks 8 --num-sessions 1 --utts-per-session 2 data wav"
TIMED = ("costs.jsonl", "results.json")  # they say when a run was, and what it cost
ENDLESS = f"{DRAW} --num-spks 9999 --mean-sec 9"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


@pytest.fixture
def start():
    """Start a command; in the end, kill what is left of it."""
    started = []

    def run(launcher, command):
        words = [*launcher, *command.split()]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:  # ranks end with their launcher
        process.kill()
        process.wait()
        process.stderr.close()


def files():
    """What a run left in data and wav, but for when it did so and at what cost."""
    return {
        str(path): path.read_bytes()
        for name in ("data", "wav")
        for path in Path(name).rglob("*")
        if path.is_file() and path.suffix != ".gz" and path.name not in TIMED
    }


def wait_until(is_so, limit=60):
    begin = time.monotonic()
    while not is_so():
        assert time.monotonic() - begin < limit
        time.sleep(0.02)


def is_writing():
    return len(list(Path("wav").rglob("*.flac"))) > 3


def ranks_of(launcher):
    path = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def is_running(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    return False


def errors(said):
    return [line for line in said.splitlines() if ": error: " in line]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The files of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with contextlib.chdir(folder):
        assert main(DRAW.split()) == 0
        return files()


@pytest.mark.parametrize("launcher", [ASDKIT, RANKS], ids=["alone", "two ranks"])
def test_of_two_at_once_the_second_says_why_it_ends(start, expected, launcher):
    """They used to mix: 7 of 16 files were the other's, and both ended well."""
    first = start(launcher, DRAW)
    wait_until(is_writing)
    processes = [first.pid, *ranks_of(first)]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    second = start(launcher, f"{DRAW} --seed 2")
    line = next((x for x in second.stderr if ": error: " in x), "nothing")
    begin = time.monotonic()
    assert re.search(
        r"asdkit speakers-draw: error: data: another run is writing there: process "
        rf"\d+ on \S+, since [-\d]+ [:\d]+: asdkit {DRAW}$",
        line.rstrip(),
    )
    assert not errors(second.communicate(timeout=100)[1])
    assert second.returncode == 1
    assert time.monotonic() - begin < 20  # torchrun kills after 30 s
    for pid in processes:
        os.kill(pid, signal.SIGCONT)
    assert not errors(first.communicate(timeout=100)[1])
    assert first.returncode == 0
    assert files() == expected


def test_ranks_end_when_their_launcher_is_killed(start, expected):
    """They used to go on writing for as long as they had work."""
    launcher = start(RANKS, ENDLESS)
    wait_until(is_writing)
    ranks = ranks_of(launcher)
    assert len(ranks) == 2
    launcher.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, ranks)), limit=20)
    assert not Path("data").exists()
    shutil.rmtree("wav")
    assert main(DRAW.split()) == 0
    assert files() == expected


def test_ranks_that_wait_for_each_other_end_with_their_launcher(start):
    """One that waits in a library hears no signal, but that the other is gone."""
    for command in (DRAW, "feats-compute data exp/mfcc", "vad-compute data exp/vad"):
        assert main(command.split()) == 0
    train = "ubm-train --num-gauss 4 --num-full-iters 999999 data exp/ubm"
    launcher = start(RANKS, train)
    for line in launcher.stderr:
        if "FullGmm: iter 9/" in line:
            break
    ranks = ranks_of(launcher)
    launcher.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, ranks)), limit=20)
    assert not Path("exp/ubm").exists()


def test_a_run_that_was_killed_is_run_again(start, expected):
    killed = start(ASDKIT, DRAW)
    wait_until(is_writing)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert Path("data/.asdkit.lock").exists()
    assert main(DRAW.split()) == 0
    assert files() == expected


def test_a_program_into_a_directory_beside_or_below_another_s_runs(start):
    assert main(DRAW.split()) == 0
    endless = start(ASDKIT, ENDLESS.replace("data wav", "exp/net exp/wav"))
    wait_until(Path("exp/net/.asdkit.lock").exists)
    for command in (
        "data-copy data exp/net/copy",
        "data-copy data exp/copy",
        "trials-make data exp/net/trials",
    ):
        assert main(command.split()) == 0
    assert endless.poll() is None
