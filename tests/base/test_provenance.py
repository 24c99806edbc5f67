import datetime
import shlex
import subprocess
from pathlib import Path

import pytest

import asdkit
from asdkit.base import provenance as module


def test_a_run_is_described_so_that_it_can_be_repeated(monkeypatch):
    monkeypatch.setattr("sys.argv", ["asdkit", "nnet-train", "a b", "--seed=1"])
    found = module.provenance()
    assert found["command"] == "asdkit nnet-train 'a b' --seed=1"
    assert shlex.split(found["command"])[2] == "a b"
    assert found["version"] == asdkit.__version__
    assert found["directory"] == str(Path.cwd())
    assert datetime.datetime.fromisoformat(found["time"]).tzinfo is not None


@pytest.mark.parametrize(
    "error", [OSError("no git"), subprocess.TimeoutExpired("x", 1)]
)
def test_without_git_the_commit_is_unknown(monkeypatch, error):
    def fail(*args, **options):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert module.commit.__wrapped__() == "unknown"
