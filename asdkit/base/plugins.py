"""Plug-ins: classes from outside asdkit, used where a name is expected.

``--network my.module:Net`` names the class ``Net`` of the module ``my.module``, which
lies on ``PYTHONPATH`` or, if it is not there, in the current folder.  Its options are
read from its source; it is imported when it is built.

A model file states the plug-ins that it was made with, and a file must not decide what
is imported.  So a plug-in is built only if the caller has named its module in this
process: with the option that chooses, with ``--plugins``, or with `allow`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Mapping

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.expressions import source_of
from asdkit.base.references import Reference
from asdkit.base.signatures import parameters_of

_allowed: set[str] = set()


def is_plugin(name: str) -> bool:
    """Tell whether a name is that of a plug-in, and not one of asdkit's own."""
    return ":" in name


def allow(modules: Iterable[str]) -> None:
    """Allow the caller's modules to be imported when something of them is built.

    Args:
        modules: names as in an import statement.

    Raises:
        AsdkitError: there is no such module, or its source cannot be read.
    """
    for module in modules:
        _check_source(module)
        _allowed.add(module)


def plugin(name: str) -> Reference:
    """Name a plug-in whose module the caller has named.

    Args:
        name: ``my.module:Net``.

    Raises:
        AsdkitError: the caller has not named its module, or that does not define it.
    """
    module = name.partition(":")[0]
    if module not in _allowed:
        raise AsdkitError(f"{name} is a plug-in that you did not name", _cure(module))
    try:
        parameters_of(name)
    except LookupError as error:
        raise AsdkitError(str(error)) from None
    return Reference(name)


def refuse_unnamed(path: str | os.PathLike[str], names: Mapping[str, str]) -> None:
    """Refuse a file that states plug-ins which the caller has not named.

    Args:
        path: of the file.
        names: "network", "loss", ... -> what the file states.

    Raises:
        DataError: there is such a plug-in, or its module lacks it.
    """
    for what, name in names.items():
        if is_plugin(name):
            try:
                plugin(name)
            except AsdkitError as error:
                problem = f"its {what} cannot be built: {error}"
                raise DataError(path, problem, hint=error.hint) from None


def _cure(module: str) -> str:
    """Say how to name a module."""
    return f"--plugins {module} imports it (in Python, plugins=[{module!r}])"


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """Give a program that opens models the option that names their plug-ins."""
    parser.add_argument(
        "--plugins",
        type=_allowed_modules,
        metavar="MODULE,...",
        help="modules outside asdkit that model files may use, on PYTHONPATH or in the "
        "current folder (default: none)",
    )


def _allowed_modules(text: str) -> tuple[str, ...]:
    modules = tuple(text.split(","))
    try:
        allow(modules)
    except AsdkitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return modules


def _check_source(module: str) -> None:
    """Parse a module's source, found where Python would or in the current folder."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # last: it must not hide installed modules
        importlib.invalidate_caches()
    if not all(part.isidentifier() for part in module.split(".")):
        raise AsdkitError(f"expected a module like my.module, got {module!r}")
    try:
        source_of(module)
    except LookupError:
        where = "on PYTHONPATH or in the current folder"
        raise AsdkitError(f"there is no Python module {module!r} {where}") from None
    except (SyntaxError, ValueError) as error:
        raise AsdkitError(f"cannot read module {module!r}: {error}") from None
