import platform
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from asdkit.base import packages
from asdkit.base.packages import blas_core, examine, examine_package

PYTHON = ".".join(platform.python_version_tuple()[:2])


@pytest.fixture
def _wheel(monkeypatch):
    """Be where there is no source tree, so that no constraints are known."""
    monkeypatch.setattr(packages, "constraints", lambda: None)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with some code in front of all others."""

    before = {}

    def install(name, version, code):
        before[name] = sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield install
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def test_a_whole_package_is_ok(install):
    install("fine", "1.2.3", "")
    assert str(examine_package("fine>=1.0")) == "ok       fine: 1.2.3"


@pytest.mark.parametrize(
    ("code", "requirement", "text", "cure"),
    [
        (
            "import no_such_module",
            "stub>=1",
            "1.5 cannot be imported: No module named 'no_such_module'",
            "pip install no_such_module",
        ),
        (
            # As pyworld beside setuptools 82.
            "raise ModuleNotFoundError('No pkg_resources.x', name='pkg_resources.x')",
            "stub>=1",
            "1.5 cannot be imported: No pkg_resources.x",
            "pip install 'setuptools<82'",
        ),
        (
            "raise OSError('libcudart.so.13: cannot open')",
            "stub>=1",
            "1.5 cannot be imported: OSError: libcudart.so.13: cannot open",
            "pip install --force-reinstall 'stub>=1'",
        ),
        ("", "stub>=2,<3", "1.5 is not stub>=2,<3", "pip install 'stub>=2,<3'"),
        ("", "absent==1.*", "not installed", "pip install 'absent==1.*'"),
    ],
)
@pytest.mark.usefixtures("_wheel")
def test_a_broken_package_is_named_with_its_cure(
    install, code, requirement, text, cure
):
    install("stub", "1.5", code)
    finding = examine_package(requirement)
    assert finding.verdict == "broken"
    assert finding.text.partition(";")[0] == text
    assert finding.cure == cure


@pytest.mark.usefixtures("_wheel")
def test_lhotse_without_urllib3_is_recognized(install):
    """As lhotse 1.33 was when it was released."""
    install("lhotse", "1.33.0", "import urllib3_that_is_not_there")
    (broken,) = (x for x in examine() if x.verdict == "broken")
    assert broken.subject == "lhotse"
    assert broken.cure == "pip install urllib3_that_is_not_there"


SYMBOL = "raise OSError('libtorchaudio.so: undefined symbol: x')"


def test_a_broken_torchaudio_degrades_what_needs_it(install):
    """torchaudio 2.11.1 beside torch 2.11.0 was taken for the end of everything."""
    install("torchaudio", "2.11.1", SYMBOL)
    found = examine()
    assert not [x for x in found if x.verdict == "broken"]
    (degraded,) = (x for x in found if x.verdict == "degraded")
    assert degraded.subject == "torchaudio"
    assert "OSError: libtorchaudio.so: undefined symbol: x; without it no" in str(
        degraded
    )
    assert "ssl-extract, nnet-train --network ssl_ecapa" in degraded.text


def test_the_cure_of_a_source_tree_is_what_was_tested(install, tmp_path, monkeypatch):
    install("torchaudio", "2.11.1", SYMBOL)
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    path = tmp_path / "tools" / "constraints" / f"py{PYTHON}.txt"
    path.parent.mkdir(parents=True)
    path.write_text("# tested\ntorch==2.11.0\ntorchaudio==2.11.0\n")
    command = f"pip install --constraint {path} torch torchaudio"
    assert examine_package("torchaudio").cure == command
    assert (
        examine_package("stub>=1").cure == f"pip install --constraint {path} 'stub>=1'"
    )


@pytest.mark.usefixtures("_wheel")
@pytest.mark.parametrize(
    ("torch", "torchaudio", "cure"),
    [
        ("2.11.0", "2.11.1", "torch==2.11.0 torchaudio==2.11.0"),
        ("2.6.0+cpu", "2.11.0", "torch==2.6.0 torchaudio==2.6.0"),
        ("2.12.0", "2.11.1", "torch==2.11.0 torchaudio==2.11.0"),
        (
            "2.11.0",
            "2.11.0+cu128",  # the right versions, damaged
            "--force-reinstall torch==2.11.0 torchaudio==2.11.0",
        ),
    ],
)
def test_the_cure_of_a_broken_torchaudio_is_a_pair_that_works(
    install, torch, torchaudio, cure
):
    install("torch", torch, "")
    install("torchaudio", torchaudio, SYMBOL)
    assert examine_package("torchaudio").cure == f"pip install {cure}"


def test_every_program_that_is_named_exists():
    """Else doctor would send people to programs that are called otherwise now."""
    folder = Path(packages.__file__).parents[1] / "bin"
    known = {path.stem.replace("_", "-") for path in folder.glob("*.py")}
    for use in packages.USES.values():
        named = [x.split()[0] for x in use.what.partition(": ")[2].split(", ")]
        assert named, use
        assert set(named) <= known, use


def test_every_extra_that_programs_need_is_described():
    texts = [x for x in metadata.requires("asdkit") if "extra ==" in x]
    names = {
        re.match(r"[\w.-]+", text)[0] for text in texts if not text.endswith('"test"')
    }
    core = {"numpy", "soundfile"}  # which the extra without torch names again
    assert names - {"setuptools"} - core <= set(packages.USES)


def test_all_that_setup_py_requires_is_examined():
    subjects = {finding.subject for finding in examine()}
    wanted = {"torch", "torchaudio", "lhotse", "urllib3", "numpy", "scipy", "kaldiio"}
    assert (
        wanted | {"soundfile", "python", "gpu", "cores", "waiting threads"} <= subjects
    )
    assert "numpy's BLAS" in subjects


def test_an_uninstalled_asdkit_is_named(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert examine()[1][:3] == ("broken", "asdkit", "not installed")


def test_the_blas_is_named():
    assert any(
        word in blas_core() for word in ("OpenBLAS", "mkl", "accelerate", "blas")
    )
