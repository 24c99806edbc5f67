import sys
from importlib import metadata

import pytest

from asdkit.base.packages import blas_core, examine, examine_package


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
    assert str(examine_package("fine>=1.0")) == "ok      fine: 1.2.3"


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
            "raise OSError('libcudart.so.13: cannot open')",
            "stub>=1",
            "1.5 cannot be imported: OSError: libcudart.so.13: cannot open",
            "pip install --force-reinstall 'stub>=1'",
        ),
        ("", "stub>=2,<3", "1.5 is not stub>=2,<3", "pip install 'stub>=2,<3'"),
        ("", "absent==1.*", "not installed", "pip install 'absent==1.*'"),
    ],
)
def test_a_broken_package_is_named_with_its_cure(
    install, code, requirement, text, cure
):
    install("stub", "1.5", code)
    finding = examine_package(requirement)
    assert (finding.verdict, finding.text, finding.cure) == ("broken", text, cure)


def test_lhotse_without_urllib3_is_recognized(install):
    """As lhotse 1.33 was when it was released."""
    install("lhotse", "1.33.0", "import urllib3_that_is_not_there")
    (broken,) = (x for x in examine() if x.verdict == "broken")
    assert broken.subject == "lhotse"
    assert broken.cure == "pip install urllib3_that_is_not_there"


def test_torch_and_torchaudio_must_match(install):
    install("torchaudio", "2.9.1+cu130", "")
    broken = {x.subject: x for x in examine() if x.verdict == "broken"}
    pair = broken["torch, torchaudio"]
    assert pair.text.endswith("and torchaudio 2.9.1+cu130 differ")
    assert pair.cure == (
        "pip install --force-reinstall 'torch==2.11.*' 'torchaudio==2.11.*'"
    )


def test_all_that_setup_py_requires_is_examined():
    subjects = {finding.subject for finding in examine()}
    wanted = {"torch", "torchaudio", "lhotse", "urllib3", "numpy", "scipy", "kaldiio"}
    assert wanted | {"soundfile", "python", "gpu", "cores", "numpy's BLAS"} <= subjects


def test_an_uninstalled_asdkit_is_named(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert examine()[1].text == "not installed"


def test_the_blas_is_named():
    assert any(
        word in blas_core() for word in ("OpenBLAS", "mkl", "accelerate", "blas")
    )
