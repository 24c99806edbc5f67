"""The environment of those who use a bundle, really made: small, and enough."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from untrained import write_bundle, write_pair

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
MB = 150
SKIPPED = ("exp", "data", ".git", ".venv*", "__pycache__", "tests")
IGNORED = shutil.ignore_patterns(*SKIPPED)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """A virtual environment from tools/setup.sh --runtime, on a copy of the tree."""
    here = tmp_path_factory.mktemp("runtime")
    tree = shutil.copytree(ROOT, here / "tree", ignore=IGNORED)
    subprocess.run([sys.executable, "-m", "venv", str(here / "venv")], check=True)
    bin_ = here / "venv" / "bin"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env |= {"VIRTUAL_ENV": str(here / "venv"), "PATH": f"{bin_}:{os.environ['PATH']}"}
    command = [str(tree / "tools/setup.sh"), "--runtime"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip(f"no package index here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return here, env


@pytest.fixture(scope="module")
def bundle(runtime):
    """A bundle of an untrained network and countermeasure, and a recording."""
    here, _ = runtime
    write_pair(here)
    noise = np.random.default_rng(0).normal(0, 0.1, 32000)
    soundfile.write(here / "a.flac", noise, 16000)
    return write_bundle(here)


def test_it_is_small_and_has_no_torch(runtime):
    here, _ = runtime
    folder = next((here / "venv" / "lib").glob("python*/site-packages"))
    names = {path.name for path in folder.iterdir()}
    assert not names & {"torch", "lhotse", "scipy", "onnx"}
    installed = [x for x in names if not x.startswith(("pip", "setuptools"))]
    size = sum(
        path.stat().st_size
        for name in installed
        for path in [folder / name, *(folder / name).rglob("*")]
        if path.is_file()
    )
    assert size < MB * 1e6, f"{size / 1e6} MB"


@pytest.mark.parametrize(
    "words", ["verify a.flac a.flac", "detect a.flac", "stream --enroll a.flac"]
)
def test_commands_run_in_it_and_start_in_a_second(runtime, bundle, words):
    here, env = runtime
    argv = [str(here / "venv/bin/asdkit"), *words.split(), "--model", str(bundle)]
    sound = soundfile.read(here / "a.flac", dtype="int16")[0].tobytes()  # for stream
    options = {"env": env, "cwd": here, "capture_output": True, "input": sound}
    subprocess.run(argv, **options)  # compiles modules
    before = os.times()
    start = time.monotonic()
    done = subprocess.run(argv, **options)
    assert done.returncode == 0, done.stderr
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    assert cpu < 2, f"{cpu} s of CPU, {time.monotonic() - start} s in all"
