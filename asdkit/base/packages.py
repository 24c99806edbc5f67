"""The packages asdkit stands on: are they there, whole, and made for each other?

What must be there is read from asdkit's own metadata (setup.py), so that it is
written once.  Packages are really imported, because the common accident is a pair of
versions that pip accepts and Python does not.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

from asdkit.base.errors import AsdkitError

DRIVER = Path("/proc/driver/nvidia/version")
INSTALL = "pip install -e . in the root of the source tree"


class Finding(NamedTuple):
    """What is the case with one thing.

    Attributes:
        verdict: "broken" is required and does not work; "absent" is optional.
        subject: the package, or what it is about.
        text: version, value, or what is wrong.
        cure: a command, empty where there is nothing to cure.
    """

    verdict: Literal["ok", "broken", "absent", "note"]
    subject: str
    text: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f"\n{'':8}cure: {self.cure}" if self.cure else ""
        return f"{self.verdict:7} {self.subject}: {self.text}{cure}"


def examine() -> list[Finding]:
    """Examine Python, packages, GPU, BLAS and cores."""
    found = [Finding("ok", "python", f"{platform.python_version()} {sys.executable}")]
    try:
        requirements = metadata.requires("asdkit") or []
    except metadata.PackageNotFoundError:
        found.append(Finding("broken", "asdkit", "not installed", INSTALL))
        requirements = []
    required = [line for line in requirements if "extra ==" not in line]
    found += [examine_package(requirement) for requirement in required]
    found += _examine_pair(required)
    found += _examine_extras(line for line in requirements if "extra ==" in line)
    return [*found, *_examine_gpu(), *_examine_cores()]


def examine_package(requirement: str) -> Finding:
    """Import a required package.

    Args:
        requirement: name and versions, e.g. ``lhotse>=1.31``.
    """
    name = _name(requirement)
    cure = f"pip install '{requirement}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding("broken", name, "not installed", cure)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        text = f"{version} cannot be imported: {error}"
        return Finding("broken", name, text, f"pip install {error.name}")
    except Exception as error:  # whatever its import runs into is what we look for
        what = str(error).strip().partition("\n")[0]
        text = f"{version} cannot be imported: {type(error).__name__}: {what}"
        cure = f"pip install --force-reinstall '{requirement}'"
        return Finding("broken", name, text, cure)
    if not _fits(version, requirement):
        return Finding("broken", name, f"{version} is not {requirement}", cure)
    return Finding("ok", name, version)


def require(name: str, cure: str) -> ModuleType:
    """Import a package that not everybody has.

    Args:
        name: of the module.
        cure: how to install it.

    Raises:
        AsdkitError: it is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        problem = f"{error.name or name} is not installed"
        raise AsdkitError(problem, hint=cure) from None
    except Exception as error:  # a broken installation raises whatever it runs into
        what = str(error).strip().partition("\n")[0] or type(error).__name__
        raise AsdkitError(f"{name} cannot be imported: {what}", hint=cure) from None


def _name(requirement: str) -> str:
    """The name that a requirement begins with."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found[0]


def _fits(version: str, requirement: str) -> bool:
    """Tell whether a version is one that a requirement allows."""
    try:
        from packaging.requirements import Requirement
    except ImportError:  # it comes with lhotse; without it, importing must do
        return True
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _examine_pair(required: list[str]) -> Iterator[Finding]:
    """Compare torch with torchaudio, whose compiled halves must be of one release."""
    versions = {}
    for name in ("torch", "torchaudio"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    releases = {tuple(version.split(".")[:2]) for version in versions.values()}
    if len(releases) > 1:
        both = " and ".join(map(" ".join, versions.items()))
        pins = [f"'{line}'" for line in required if _name(line) in versions]
        cure = f"pip install --force-reinstall {' '.join(pins)}"
        yield Finding("broken", "torch, torchaudio", f"{both} differ", cure)


def _examine_extras(requirements: Iterable[str]) -> Iterator[Finding]:
    """Look which optional packages there are; they need not be imported."""
    for requirement in requirements:
        name, extra = _name(requirement), re.findall(r"extra == .(\w+)", requirement)[0]
        try:
            yield Finding("ok", f"{name} ({extra})", metadata.version(name))
        except metadata.PackageNotFoundError:
            cure = (
                f"pip install '{requirement.partition(';')[0].strip()}', if you need it"
            )
            yield Finding("absent", f"{name} ({extra})", "not installed", cure)


def _examine_gpu() -> Iterator[Finding]:
    """Look for GPUs that torch can use."""
    try:
        import torch

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        names = [torch.cuda.get_device_name(i) for i in range(count)]
    except Exception as error:  # torch is broken; examine_package has said how
        yield Finding(
            "note", "gpu", f"unknown: torch fails with {type(error).__name__}"
        )
        return
    if names:
        yield Finding("ok", "gpu", f"{', '.join(names)}; CUDA {torch.version.cuda}")
    elif DRIVER.exists():
        text = "there is a driver, but torch does not reach a GPU"
        cure = "install a torch made for CUDA, or a newer driver: nvidia-smi tells"
        yield Finding("note", "gpu", text, cure)
    else:
        yield Finding("note", "gpu", "none; everything runs on the CPU")


def _examine_cores() -> Iterator[Finding]:
    """Tell cores, threads and the kernels of matrix products."""
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    yield Finding("note", "cores", f"{cores}; OMP_NUM_THREADS: {threads}")
    chosen = os.environ.get("OPENBLAS_CORETYPE", "its own choice")
    cure = "unset OPENBLAS_CORETYPE, and asdkit chooses where it knows a faster one"
    cure = cure if chosen in ("HASWELL", "Haswell") else ""
    text = f"{blas_core()}; OPENBLAS_CORETYPE: {chosen}"
    yield Finding("note", "numpy's BLAS", text, cure)


def blas_core() -> str:
    """Name the library of numpy's matrix products, and its kernels if OpenBLAS."""
    try:
        import numpy as np

        config: Any = np.show_config(mode="dicts")
        blas = config["Build Dependencies"]["blas"]
        folder = Path(np.__file__).parent.with_name("numpy.libs")
    except Exception as error:  # numpy is broken; examine_package has said how
        return f"unknown: numpy fails with {type(error).__name__}"
    for path in folder.glob("*openblas*"):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_get_corename64_", "openblas_get_corename64_"):
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                return f"OpenBLAS {blas['version']}, {function().decode()} kernels"
    return f"{blas['name']} {blas['version']}"
