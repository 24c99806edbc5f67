"""Set-up: setup.py, tools/constraints/, tools/setup.sh, check_newest.sh, .ci/run."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import asdkit
from asdkit.base.packages import PAIRS
from asdkit.base.provenance import version

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
EXTRAS = (
    *("runtime", "export", "serve", "ssl", "green", "plot", "watch", "spoof", "test"),
)
# k2 has its own environment; tts, an engine beside asdkit, was tried with 3.11 only.
APART = ("k2", "tts", "microphone")
# Stands in for python and asdkit: leaves its calls, and ends as it is told.
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case $* in
  *ensurepip* | *assert*) ;;
  *"version_info)"*) echo "$STUB_PYTHON" ;;
  "-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/asdkit" ;;
  *"pytest "*--ignore*) echo "== 3 passed in 1.00s ==" ;;
  *"pytest "*)
    [ "$STUB_TESTS" = 0 ] || echo "FAILED tests/test_a.py::test_b - assert 1 == 2"
    echo "== 2 passed in 1.00s =="
    exit "$STUB_TESTS"
    ;;
  doctor*) echo "asdkit doctor: all that is installed works"; exit "$STUB_DOCTOR" ;;
  "-m pip list"*) printf '%s\\n' asdkit==0.2.0 pip==99 torch==2.12.0+cpu ;;
  *asdkit.__file__*) echo "${STUB_ASDKIT:-$PWD/asdkit/__init__.py}" ;;
  "-c "*) echo "Python 3.11.7, torch 9.9.9" ;;
esac
"""


def requirements():
    """Whatever setup.py requires, with and without the extras."""
    (call,) = (
        node
        for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
    )
    said = {
        word.arg: eval(compile(ast.Expression(word.value), "setup.py", "eval"))
        for word in call.keywords
        if word.arg in ("install_requires", "extras_require")
    }
    extras = (text for name in EXTRAS for text in said["extras_require"][name])
    assert {*EXTRAS, *APART} == set(said["extras_require"])
    return [Requirement(text) for text in [*said["install_requires"], *extras]]


def pins_of(path):
    """The versions that a file of constraints holds, each exactly."""
    lines = [x for x in path.read_text().splitlines() if not x.startswith("#")]
    pins = [re.fullmatch(r"([\w.-]+)==([\w.!]+)", line) for line in lines]
    assert all(pins), f"{path}: not only name==version, as all machines have it"
    return {canonicalize_name(pin[1]): pin[2] for pin in pins}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_versions_that_were_tested_are_those_that_setup_py_wants(python):
    pins = pins_of(ROOT / "tools" / "constraints" / f"py{python}.txt")
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        assert name in pins, f"tools/renew_constraints.sh: {name} is new"
        assert requirement.specifier.contains(pins[name]), requirement


@pytest.mark.parametrize("python", PYTHONS)
def test_torchaudio_is_one_that_works_with_the_torch_beside_it(python):
    """torchaudio 2.11.1 was taken with torch 2.11.0, three days after it had worked."""
    pins = pins_of(ROOT / "tools" / "constraints" / f"py{python}.txt")
    assert pins["torchaudio"] == PAIRS[pins["torch"]]


def test_the_versions_of_k2_are_those_that_its_set_up_wants():
    pins = pins_of(ROOT / "tools" / "constraints" / "k2.txt")
    wanted = re.findall(r"[\w.]+==[\w.]+", (ROOT / "tools/setup_k2.sh").read_text())
    assert {"torch==1.13.1", "torchaudio==0.13.1", "k2==1.23.4"} == set(wanted)
    assert {f"{name}=={pins[name]}" for name in ("torch", "torchaudio", "k2")} == set(
        wanted
    )


def test_torch_has_no_ceiling_and_torchaudio_no_version():
    """Whoever has a newer torch keeps it; a torchaudio that fails is not the end."""
    said = {x.name: x.specifier for x in requirements()}
    assert {x.operator for x in said["torch"]} == {">="}
    assert not said["torchaudio"]


def test_there_is_one_version_and_the_changelog_knows_it():
    assert version() == asdkit.__version__
    text = (ROOT / "tools" / "CHANGELOG.md").read_text()
    (newest, *_) = re.findall(r"^## \[(\d[\w.]*)\]", text, re.MULTILINE)
    assert newest == version()


@pytest.fixture
def tree(tmp_path):
    """A tree with the scripts of set-up, where python and asdkit are stand-ins."""
    here = tmp_path / "tree"
    (here / "tools" / "constraints").mkdir(parents=True)
    for name in ("setup", "find_python", "disk", "check_newest", "renew_constraints"):
        shutil.copy(ROOT / "tools" / f"{name}.sh", here / "tools")
    (here / "tools/constraints/py3.11.txt").write_text("torch==2.11.0\n")
    (here / "setup.py").touch()
    put(here / "asdkit" / "__init__.py", "")
    shutil.copytree(ROOT / ".ci", here / ".ci")
    for name in ("python", "python3", "python3.11", "asdkit"):
        put(here / "stubs" / name, STUB)
    return here


def put(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def call(tree, *command, **said):
    """Run a script; its status, the lines it printed, and the calls it made."""
    calls = tree / "calls"
    calls.write_text("")
    known = {"STUB_PYTHON": "3.11", "STUB_TESTS": "0", "STUB_DOCTOR": "0"}
    done = subprocess.run(
        command,
        cwd=tree,
        env={
            "PATH": f"{tree}/stubs:/usr/bin:/bin",
            "PYENV_ROOT": str(tree),
            "CALLS": str(calls),
            "TMPDIR": str(tree.parent),
            **known,
            **said,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout.splitlines(), calls.read_text().splitlines()


def test_a_full_disk_is_said_before_anything_is_installed(tree):
    put(tree / "stubs" / "df", "#!/bin/sh\necho Avail; echo '  3'\n")
    status, lines, calls = call(tree, "tools/setup.sh", VIRTUAL_ENV=str(tree))
    problem = f"expected 7 GB of free disk space in {tree}, got 3 GB"
    assert (status, lines) == (1, [f"setup.sh: {problem}"])
    assert not any("pip install" in x for x in calls)
    assert call(tree, "tools/setup.sh", "--cpu", VIRTUAL_ENV=str(tree))[0] == 0


def test_setup_installs_the_versions_that_were_tested(tree):
    venv = {"VIRTUAL_ENV": str(tree)}
    status, lines, calls = call(tree, "tools/setup.sh", "--test", **venv)
    assert (status, lines) == (0, ["asdkit doctor: all that is installed works"])
    installs = [x for x in calls if "pip install" in x]
    assert installs[-1].endswith("--no-build-isolation --editable .[test]")
    for line in installs:
        assert "--constraint tools/constraints/py3.11.txt" in line
    # A second run has nothing to do, unless the versions are others now.
    assert not any(
        "pip" in x for x in call(tree, "tools/setup.sh", "--test", **venv)[2]
    )
    (tree / "tools/constraints/py3.11.txt").write_text("torch==2.12.0\n")
    assert any("pip" in x for x in call(tree, "tools/setup.sh", "--test", **venv)[2])
    # Nor if another clone has put its asdkit in the environment since.
    venv["STUB_ASDKIT"] = "/another/asdkit/__init__.py"
    assert any("pip" in x for x in call(tree, "tools/setup.sh", "--test", **venv)[2])


def test_users_of_a_bundle_get_no_dependencies(tree):
    venv = {"VIRTUAL_ENV": str(tree)}
    status, lines, calls = call(tree, "tools/setup.sh", "--runtime", **venv)
    assert (status, lines) == (0, [])
    _, *installs = [x for x in calls if "pip install" in x]
    assert len(installs) == 2
    for line in installs:
        assert "--no-deps" in line
        assert "--constraint tools/constraints/py3.11.txt" in line
    assert " onnxruntime " in installs[0]
    assert "torch" not in installs[0]


def test_setup_goes_on_where_nothing_was_tested(tree):
    said = {"VIRTUAL_ENV": str(tree), "STUB_PYTHON": "3.14"}
    status, lines, calls = call(tree, "tools/setup.sh", **said)
    assert status == 0
    assert lines[0] == (
        "setup.sh: no versions were tested with Python 3.14; taking the newest"
    )
    assert any("--editable ." in line for line in calls)


def test_what_is_newest_is_tested_and_the_verdict_is_the_last_line(tree):
    status, lines, calls = call(tree, "tools/check_newest.sh", "torch==2.11.0")
    assert status == 0
    assert lines[-1] == (
        "check_newest.sh: passed: 2 passed in 1.00s; 3 passed in 1.00s; "
        "asdkit doctor: all that is installed works; Python 3.11.7, torch 9.9.9"
    )
    (install,) = (x for x in calls if "--editable" in x)
    assert install.endswith("--editable .[ssl,green,watch,spoof,test] torch==2.11.0")
    assert "--constraint" not in install
    assert not list(tree.parent.glob("tmp.*"))  # 6 GB


def test_what_fails_with_the_newest_is_named(tree):
    status, lines, _ = call(tree, "tools/check_newest.sh", STUB_TESTS="1")
    assert status == 1
    assert re.fullmatch(
        r"check_newest.sh: FAILED after \d+ s: the fast tests: "
        r"tests/test_a.py::test_b 2 passed.*torch 9.9.9",
        lines[-1],
    )
    status, lines, calls = call(tree, "tools/check_newest.sh", STUB_DOCTOR="1")
    assert status == 1
    assert "FAILED after" in lines[-1]
    assert "asdkit doctor: Python 3.11.7, torch 9.9.9" in lines[-1]
    assert not any("-m pytest" in line for line in calls)


def test_the_versions_are_renewed_only_if_they_work(tree):
    file = tree / "tools" / "constraints" / "py3.11.txt"
    command = ("tools/renew_constraints.sh", "--only", "3.11", "torch==2.12.0")
    status, lines, _ = call(tree, *command, STUB_TESTS="1")
    assert status == 1
    assert lines[-1].endswith("as they were: tools/constraints/py3.11.txt")
    assert file.read_text() == "torch==2.11.0\n"
    status, _, calls = call(tree, *command)
    assert status == 0
    assert any(".[ssl,green,watch,spoof,test] torch==2.12.0" in x for x in calls)
    assert pins_of(file) == {"torch": "2.12.0"}  # on whatever machine
    assert not list(tree.parent.glob("tmp.*"))


@pytest.fixture
def ci(tree):
    """Run .ci/run where a virtual environment lies about and another is active."""
    (tree / ".venv").mkdir()
    (tree / ".venv-k2").mkdir()

    def run(check, newest):
        seen = 'echo "${VIRTUAL_ENV:-none} $(ls -d .venv* 2>/dev/null)"\n'
        put(tree / "tools" / "check.sh", f"#!/bin/sh\n{seen}exit {check}\n")
        text = f"#!/bin/sh\necho much\necho verdict\nexit {newest}\n"
        put(tree / "tools" / "check_newest.sh", text)
        return call(tree, "bash", ".ci/run", VIRTUAL_ENV="/some/venv", CI="true")[:2]

    return run


def test_ci_makes_its_environment_anew(ci):
    assert ci(check=0, newest=0) == (0, ["none ", "advice: verdict"])


def test_ci_takes_the_verdict_on_the_newest_as_advice(ci):
    assert ci(check=0, newest=1) == (0, ["none ", "advice: verdict"])
    assert ci(check=1, newest=0) == (1, ["none "])
