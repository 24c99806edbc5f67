"""The wheel, as it works where there is no source tree."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy: setuptools leaves its tools in the source tree."""
    here = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(
        ["git", "ls-files", "asdkit", "setup.py", "README.md", "LICENSE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in files:
        path = here / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--wheel-dir", str(here)]
    subprocess.run([*pip, *options, str(here / "source")], check=True)
    (path,) = here.glob("*.whl")
    return path, files


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """An environment with the wheel and this one's packages; run a program of it."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    purelib = sysconfig.get_path("purelib", "venv", {"base": venv, "platbase": venv})
    pip = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    options = ["--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "install", *options, wheel[0]], check=True)
    # Not the .pth files in there, which would bring in this source tree.
    (Path(purelib) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(program, *arguments, cwd):
        return subprocess.run(
            [venv / "bin" / program, *arguments],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.slow
def test_the_wheel_holds_the_library_and_nothing_else(wheel):
    path, files = wheel
    names = zipfile.ZipFile(path).namelist()
    held = {name for name in names if ".dist-info/" not in name}
    assert held == {name for name in files if name.startswith("asdkit/")}
    assert "asdkit/py.typed" in held


@pytest.mark.slow
def test_the_wheel_works_far_from_the_source_tree(run, tmp_path):
    where = run("python", "-c", "import asdkit; print(asdkit.__file__)", cwd=tmp_path)
    assert f"{ROOT}/" not in where.stdout
    done = run("asdkit", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "\n  score-metrics " in done.stdout
    trials = "a b target\na c nontarget\nd b nontarget\nd c target\n"
    (tmp_path / "trials").write_text(trials)
    (tmp_path / "scores").write_text("a b 2.0\na c 1.0\nd b 0.0\nd c 3.0\n")
    done = run("asdkit", "score-metrics", "trials", "scores", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0.00" in done.stdout
    done = run("asdkit", "doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "asdkit doctor: all that is installed works" in done.stdout
