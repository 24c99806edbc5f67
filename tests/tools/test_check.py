"""tools/check.sh with everything it calls in its place: what its last lines say."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
# What stands in for a program: its status, and what it prints, by the environment.
SETUP = '#!/bin/sh\n[ "$2" != --k2 ] || exit "$K2_STATUS"\n'
PYTHON = (
    '#!/bin/sh\necho "main $*" >>calls\n'
    'tests=${*#*cacheprovider }\necho "of $tests: $MAIN_STATUS"\n'
    '[ "$tests" != "$FAILING" ] || exit "$MAIN_STATUS"\n'
)
# In this order, two at a time; where no test is asked for, none has failed.
QUEUE = [
    "tests/recipes/test_synth.py",
    "tests/recipes/test_a.py",
    "tests/base/ tests/bin/",
    "tests/data/",
    "tests/features/ tests/gmm/ tests/golden/",
    "tests/io/",
    "tests/nnet/",
    "tests/report/",
    "tests/vad/",
    "asdkit tests/test_b.py tests/test_c.py",
]
K2_PYTHON = (
    '#!/bin/sh\necho "k2 $*" >>calls\necho "$K2_SAYS"\n'
    'echo "== 7 passed ==="\nexit "$K2_TESTS"\n'
)


@pytest.fixture
def check(tmp_path):
    """Run a copy of check.sh; return its status, its last lines, and the calls."""
    here = tmp_path / "tree"

    def put(name, text):
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    put("tools/setup.sh", SETUP)
    put(".venv-k2/bin/python", K2_PYTHON)
    for name in " ".join(QUEUE).replace("asdkit ", "").split():
        put(f"{name}x" if name.endswith("/") else name, "")
    put("path.sh", "PATH=$PWD/stubs:$PATH\n")
    put("stubs/python", PYTHON)
    put("stubs/git", "#!/bin/sh\necho tests/test_a.py\n")
    for name in ("ruff", "mypy", "shellcheck", "shfmt"):
        put(f"stubs/{name}", "#!/bin/sh\n")
    put("tools/torture.sh", '#!/bin/sh\necho torture >>calls\nexit "$TORTURE"\n')
    shutil.copy(TOOLS / "check.sh", here / "tools")

    def run(*options, **status):
        states = {"FAILING": "tests/vad/", "MAIN_STATUS": 5, "K2_STATUS": 0}
        states |= {"K2_TESTS": 0, "K2_SAYS": "", "TORTURE": 0}
        known = {name: str(value) for name, value in {**states, **status}.items()}
        with (here / "log").open("w") as log:  # a file, as CI may well have it
            done = subprocess.run(
                ["tools/check.sh", *options],
                cwd=here,
                env={"PATH": os.environ["PATH"], **known},
                stdout=log,
                stderr=log,
            )
        lines = (here / "log").read_text().splitlines()
        calls = (here / "calls").read_text().splitlines()
        return done.returncode, lines, calls

    return run


def test_the_last_lines_count_what_needs_k2(check):
    status, lines, calls = check()
    assert status == 0
    assert lines[-2:] == [
        "check.sh: tests that need k2: 7 passed",
        "check.sh: passed",
    ]
    assert sorted(calls[:-1]) == sorted(main_calls(""))
    assert calls[0] in main_calls("")[:2]  # two begin at once
    assert calls[-1] == "k2 -m pytest -m k2 and not gpu tests/test_a.py"


def main_calls(select):
    """List how pytest is called for all that stands in the queue."""
    return [f"main -m pytest -m {select} -p no:cacheprovider {x}" for x in QUEUE]


def test_the_fast_tests_are_those_of_the_whole_queue(check):
    status, _, calls = check("--fast")
    assert status == 0
    assert sorted(calls[:-1]) == sorted(main_calls("not slow"))
    assert calls[-1] == "k2 -m pytest -m k2 and not gpu and not slow tests/test_a.py"


def test_the_queue_holds_every_test_once():
    """Of this tree: folders are found by their letters, and one must not be lost."""
    script = (TOOLS / "check.sh").read_text()
    queue = script[script.index("queue() {") :].partition("\n}\n")[0] + "\n}\nqueue"
    root = TOOLS.parent
    done = subprocess.run(["bash", "-c", queue], cwd=root, capture_output=True)
    found = [root / name for name in done.stdout.decode().split()]
    files = [x for path in found for x in (path, *path.rglob("test_*.py"))]
    tests = sorted(path for path in files if path.name.startswith("test_"))
    assert tests == sorted((root / "tests").rglob("test_*.py"))
    assert root / "asdkit" in found  # for its examples


def test_torture_comes_last_and_only_when_it_is_asked_for(check):
    assert "torture" not in check()[2]
    status, lines, calls = check("--torture")
    assert status == 0
    assert calls[-1] == "torture"
    status, lines, _ = check("--torture", TORTURE=1)
    assert status == 1
    assert lines[-1] == "check.sh: FAILED: torture.sh"


def test_tests_that_fail_hide_none_and_are_not_hidden(check):
    status, lines, calls = check(MAIN_STATUS=1, FAILING="tests/io/")
    assert status == 1
    assert lines[-1] == "check.sh: FAILED: tests in tests/io/"
    assert len(calls) == len(QUEUE) + 1
    assert {f"of {name}: 1" for name in QUEUE} <= {*lines}
    failing = "tests/base/ tests/bin/"
    status, lines, _ = check(MAIN_STATUS=2, FAILING=failing, K2_TESTS=1)
    assert status == 1
    assert lines[-1] == f"check.sh: FAILED: tests in {failing}, tests that need k2"


def test_what_is_skipped_where_k2_is_has_been_run_nowhere(check):
    status, lines, _ = check(K2_SAYS="SKIPPED [1] tests/test_a.py:3: needs k2")
    assert status == 1
    assert lines[-1] == "check.sh: FAILED: skipped tests that need k2"


def test_without_python_310_it_is_said_loudly(check):
    status, lines, calls = check(K2_STATUS=3)
    assert status == 0
    assert "tests that need k2: NOT RUN, for want of Python 3.10" in lines[-2]
    assert len(calls) == len(QUEUE)


def test_an_environment_that_cannot_be_made_is_a_failure(check):
    status, lines, calls = check(K2_STATUS=1)
    assert status == 1
    assert "tests that need k2: NOT RUN" in lines[-2]
    assert lines[-1] == "check.sh: FAILED: k2's environment"
    assert len(calls) == len(QUEUE)


def test_setup_says_which_python_is_missing(tmp_path):
    """No pyenv, and a python3.10 that is a stand-in for one that is not there."""
    (tmp_path / "tools" / "constraints").mkdir(parents=True)
    (tmp_path / "tools" / "constraints" / "k2.txt").touch()
    for name in ("setup_k2.sh", "find_python.sh", "disk.sh"):
        shutil.copy(TOOLS / name, tmp_path / "tools")
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name in ("python", "python3.10"):
        (stubs / name).write_text("#!/bin/sh\nexit 1\n")
        (stubs / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "tools" / "setup_k2.sh"],
        env={"PATH": f"{stubs}:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "k2 1.23.4 needs Python 3.10, e.g. from pyenv install 3.10" in done.stderr
    assert not (tmp_path / ".venv-k2").exists()
